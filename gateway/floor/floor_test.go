package floor_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/roomgate/roomgate/gateway/floor"
)

// scene is an arbiter and what it says.
type scene struct {
	*floor.Arbiter
	t    *testing.T
	now  time.Time
	said []string
}

type voice struct {
	s  *scene
	id string
}

func (v voice) Granted() { v.s.said = append(v.s.said, v.id+" granted") }
func (v voice) Denied()  { v.s.said = append(v.s.said, v.id+" denied") }
func (v voice) Yield()   { v.s.said = append(v.s.said, v.id+" yields") }

type lease bool

func (l lease) Held() bool { return bool(l) }

func newScene(t *testing.T, p floor.Policy, l floor.Lease) *scene {
	s := &scene{t: t, now: time.Unix(1000, 0)}
	s.Arbiter = floor.New(floor.Config{
		Policy: p, Lease: l,
		Changed: func(id string) { s.said = append(s.said, fmt.Sprintf("presenter %q", id)) },
		Wanted:  func(id string) { s.said = append(s.said, fmt.Sprintf("wanted %q", id)) },
	})
	for _, id := range []string{"a", "b", "host"} {
		s.Join(id, id == "host", voice{s, id})
	}
	return s
}

func (s *scene) expect(want ...string) {
	s.t.Helper()
	if !slices.Equal(s.said, want) {
		s.t.Errorf("said %q, want %q", s.said, want)
	}
	s.said = nil
}

func TestFree(t *testing.T) {
	s := newScene(t, floor.Free, nil)
	s.Ask("a", s.now)
	s.expect("a granted", `presenter "a"`)
	s.Ask("a", s.now) // once more
	s.expect("a granted")
	s.Ask("b", s.now)
	s.expect("a yields", "b granted", `presenter "b"`)
	s.Stop("a") // it has yielded: nothing changes
	s.expect()
	s.Stop("b")
	s.expect(`presenter ""`)
	s.Ask("stranger", s.now)
	s.expect()
}

func TestAsk(t *testing.T) {
	s := newScene(t, floor.Ask, nil)
	s.Ask("a", s.now)
	s.expect("a granted", `presenter "a"`)
	s.Ask("b", s.now)
	s.Ask("b", s.now)
	s.expect(`wanted "b"`)
	if !s.Decide("b", false) || s.Decide("b", true) {
		t.Error("decided about who does not wait")
	}
	s.expect(`wanted ""`, "b denied")
	s.Ask("b", s.now)
	s.Decide("b", true)
	s.expect(`wanted "b"`, `wanted ""`, "a yields", "b granted", `presenter "b"`)
	s.Ask("host", s.now) // needs no yes
	s.expect("b yields", "host granted", `presenter "host"`)
	s.Ask("a", s.now)
	s.Ask("b", s.now) // takes the place of who waits
	s.expect(`wanted "a"`, "a denied", `wanted "b"`)
	s.Tick(s.now.Add(29 * time.Second))
	s.expect()
	s.Tick(s.now.Add(30 * time.Second))
	s.expect(`wanted ""`, "b denied")
	s.Ask("b", s.now)
	s.Stop("host") // who waits is next
	s.expect(`wanted "b"`, `wanted ""`, "b granted", `presenter "b"`)
	s.Ask("a", s.now)
	s.Stop("a") // thought better of it
	s.expect(`wanted "a"`, `wanted ""`)
}

func TestHostOnly(t *testing.T) {
	s := newScene(t, floor.HostOnly, nil)
	s.Ask("a", s.now)
	s.expect("a denied")
	s.Ask("host", s.now)
	s.expect("host granted", `presenter "host"`)
	if !s.Give("a") || s.Give("stranger") { // an operator's word
		t.Error("given to whom?")
	}
	s.expect("host yields", "a granted", `presenter "a"`)
	s.Revoke()
	s.expect(`presenter ""`, "a yields")
	s.Revoke()
	s.expect()
	s.SetPolicy(floor.Free)
	s.Ask("b", s.now)
	s.expect("b granted", `presenter "b"`)
}

func TestLeaving(t *testing.T) {
	s := newScene(t, floor.Ask, nil)
	s.Ask("a", s.now)
	s.Ask("b", s.now)
	s.Leave("b")
	s.Leave("a")
	s.expect("a granted", `presenter "a"`, `wanted "b"`, `wanted ""`, `presenter ""`)
	if s.Presenter() != "" || s.Waiting() != "" {
		t.Error("somebody is left")
	}
}

// A node that does not decide follows.
func TestLease(t *testing.T) {
	s := newScene(t, floor.HostOnly, lease(false))
	s.Ask("a", s.now)
	s.expect("a granted", `presenter "a"`)
	s = newScene(t, floor.HostOnly, lease(true))
	s.Ask("a", s.now)
	s.expect("a denied")
}

func TestParsePolicy(t *testing.T) {
	for word, ok := range map[string]bool{"": true, "free": true, "ask": true, "host": true, "all": false} {
		if _, got := floor.ParsePolicy(word); got != ok {
			t.Errorf("%q: %v", word, got)
		}
	}
}

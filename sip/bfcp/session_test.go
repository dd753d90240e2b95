package bfcp

import (
	"bytes"
	"math/rand"
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return epoch.Add(time.Duration(seconds * float64(time.Second))) }

// world is a server and a client with a network and a clock between them.
type world struct {
	t              testing.TB
	now            time.Time
	server         *Server
	client         *Client
	wire           []packet
	delay          time.Duration
	lose           func() bool
	grant          func() // what the owner of the server does when asked; nil: nothing
	served, called []Event
	record         func(toServer bool, data []byte)
	sent           int
}

type packet struct {
	at       time.Time
	toServer bool
	data     []byte
}

func newWorld(t testing.TB, version uint8, unreliable bool) *world {
	w := &world{t: t, now: epoch, delay: 10 * time.Millisecond, lose: func() bool { return false }}
	cfg := Config{Conference: 77, User: 4, Floors: []uint16{2}, Version: version, Unreliable: unreliable, Name: "meeting"}
	s := cfg
	s.Send, s.First = func(m *Message) { w.send(false, m) }, 100
	s.Emit = func(e Event) {
		w.served = append(w.served, e)
		if e == Requested && w.grant != nil {
			w.grant()
		}
	}
	c := cfg
	c.Send, c.First = func(m *Message) { w.send(true, m) }, 500
	c.Emit = func(e Event) { w.called = append(w.called, e) }
	w.server, w.client = NewServer(s), NewClient(c)
	w.grant = func() { w.server.Answer(w.now, true) }
	return w
}

func (w *world) send(toServer bool, m *Message) {
	data, err := m.Marshal()
	if err != nil {
		w.t.Fatal(err)
	}
	w.sent++
	if w.record != nil {
		w.record(toServer, bytes.Clone(data))
	}
	if !w.lose() {
		w.wire = append(w.wire, packet{w.now.Add(w.delay), toServer, data})
	}
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		next := end
		for _, at := range []time.Time{w.server.Next(), w.client.Next()} {
			if !at.IsZero() && at.Before(next) {
				next = at
			}
		}
		if len(w.wire) > 0 && !w.wire[0].at.After(next) {
			p := w.wire[0]
			w.wire = w.wire[1:]
			w.now = maxTime(w.now, p.at)
			m, err := Parse(p.data)
			if err != nil {
				w.t.Fatal(err)
			}
			if p.toServer {
				w.server.Receive(w.now, m)
			} else {
				w.client.Receive(w.now, m)
			}
			continue
		}
		w.now = maxTime(w.now, next)
		w.server.Tick(w.now)
		w.client.Tick(w.now)
		if !w.now.Before(end) {
			return
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *world) expect(served, called []Event) {
	w.t.Helper()
	if !slices.Equal(w.served, served) || !slices.Equal(w.called, called) {
		w.t.Errorf("server saw %v, want %v; client saw %v, want %v", w.served, served, w.called, called)
	}
	w.served, w.called = nil, nil
}

var transports = []struct {
	name       string
	version    uint8
	unreliable bool
}{{"TCP", 1, false}, {"UDP", 2, true}, {"UDP in version 1", 1, true}}

func TestPresenting(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			w := newWorld(t, tr.version, tr.unreliable)
			w.client.Start(w.now)
			w.run(time.Second)
			w.expect([]Event{Connected}, []Event{Connected})

			w.client.Request(w.now) // the terminal presents
			w.run(time.Second)
			w.expect([]Event{Requested, Taken}, []Event{OursIs})
			w.client.Release(w.now)
			w.run(time.Second)
			w.expect([]Event{Freed}, nil)

			w.server.Request(w.now) // others present
			w.run(time.Second)
			w.expect([]Event{OursIs}, []Event{Taken})
			w.client.Request(w.now) // the terminal takes over
			w.run(time.Second)
			w.expect([]Event{Requested, Lost, Taken}, []Event{OursIs, Freed})
			w.server.Request(w.now) // others take over
			w.run(time.Second)
			w.expect([]Event{Freed, OursIs}, []Event{Lost, Taken})
			w.server.Release(w.now)
			w.run(time.Second)
			w.expect(nil, []Event{Freed})
		})
	}
}

func TestRefusal(t *testing.T) {
	for _, tr := range transports {
		w := newWorld(t, tr.version, tr.unreliable)
		w.grant = func() { w.server.Answer(w.now, false) }
		w.client.Request(w.now)
		w.run(time.Second)
		w.expect([]Event{Requested, Connected}, []Event{Refused})
	}
}

// A decision that takes long comes unasked; until then the request is pending.
func TestSlowDecision(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			w := newWorld(t, tr.version, tr.unreliable)
			w.grant = nil
			w.client.Request(w.now)
			w.run(5 * time.Second)
			w.expect([]Event{Requested, Connected}, nil)
			w.server.Answer(w.now, true)
			w.run(time.Second)
			w.expect([]Event{Taken}, []Event{OursIs})
		})
	}
}

// While the far side waits for its answer nobody takes the floor from under it.
func TestWishesCross(t *testing.T) {
	for _, tr := range transports {
		w := newWorld(t, tr.version, tr.unreliable)
		w.grant = nil
		w.client.Request(w.now)
		w.run(50 * time.Millisecond)
		w.server.Request(w.now)
		w.expect([]Event{Requested, Connected, Refused}, nil)
		w.server.Answer(w.now, true)
		w.run(time.Second)
		w.expect([]Event{Taken}, []Event{OursIs})
	}
}

// Who asks and thinks better of it gets no floor.
func TestWithdrawal(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			w := newWorld(t, tr.version, tr.unreliable)
			w.client.Request(w.now)
			w.client.Release(w.now)
			w.run(time.Second)
			w.expect([]Event{Requested, Taken, Connected, Freed}, nil)
			w.client.Request(w.now)
			w.run(time.Second)
			w.expect([]Event{Requested, Taken}, []Event{OursIs})
		})
	}
}

// A tenth of all messages is lost either way, and no floor is.
func TestLossLosesNoFloor(t *testing.T) {
	for seed := range int64(200) {
		random := rand.New(rand.NewSource(seed))
		w := newWorld(t, 2, true)
		w.lose = func() bool { return random.Float64() < 0.1 }
		w.client.Start(w.now)
		w.run(40 * time.Second)
		for range 5 {
			w.client.Request(w.now)
			w.run(60 * time.Second)
			if w.client.state != clientHolds || w.server.request == nil || w.server.request.status != Granted {
				t.Fatalf("seed %d: client in state %d, server has %+v; saw %v and %v", seed, w.client.state, w.server.request, w.served, w.called)
			}
			w.server.Request(w.now)
			w.run(60 * time.Second)
			if w.client.state != clientIdle || !w.client.theirs || !w.server.ours {
				t.Fatalf("seed %d: after take-over client in state %d, theirs %v", seed, w.client.state, w.client.theirs)
			}
			w.server.Release(w.now)
			w.run(60 * time.Second)
			if w.client.theirs {
				t.Fatalf("seed %d: the client believes that others present", seed)
			}
		}
		if slices.Contains(w.served, Broken) {
			t.Fatalf("seed %d: the server gave up", seed)
		}
	}
}

// A request that comes again gets the same response and changes nothing.
func TestRepetition(t *testing.T) {
	w := newWorld(t, 2, true)
	drop := 1
	w.lose = func() bool { drop--; return drop == -1 } // the first response
	w.client.Request(w.now)
	w.run(2 * time.Second)
	w.expect([]Event{Requested, Taken, Connected}, []Event{OursIs})
	if w.server.requestID != 1 {
		t.Errorf("%d requests", w.server.requestID)
	}
}

func TestSilence(t *testing.T) {
	w := newWorld(t, 2, true)
	w.client.Start(w.now)
	w.run(time.Second)
	w.client.Request(w.now)
	w.run(time.Second)
	w.expect([]Event{Connected, Requested, Taken}, []Event{Connected, OursIs})
	w.lose = func() bool { return true }
	w.server.Answer(w.now, true) // nothing waits: nothing happens
	w.server.tell(w.now, w.server.statusOf(w.server.request))
	w.run(60 * time.Second)
	w.expect([]Event{Freed, Broken}, []Event{Lost, Broken})
	w.lose = func() bool { return false }
	w.run(60 * time.Second) // the next Hello finds the way again
	w.expect([]Event{Connected}, []Event{Connected})
}

// A connection that breaks before the server has answered takes no request with it:
// the next one does. When none comes, the floor is refused.
func TestRequestOutlivesItsConnection(t *testing.T) {
	for _, comes := range []bool{true, false} {
		w := newWorld(t, 1, false)
		w.lose = func() bool { return true }
		w.client.Start(w.now)
		w.client.Request(w.now)
		w.run(time.Second)
		w.client.Disconnected(w.now)
		w.server.Disconnected(w.now)
		w.run(time.Second)
		w.expect(nil, nil)
		if !comes {
			w.run(patience)
			w.expect(nil, []Event{Refused})
			continue
		}
		w.lose = func() bool { return false }
		w.client.Start(w.now)
		w.run(time.Second)
		w.expect([]Event{Connected, Requested, Taken}, []Event{Connected, OursIs})
	}
}

// say has the server answer one message.
func say(t *testing.T, m *Message) Body {
	t.Helper()
	var got Body
	s := NewServer(Config{
		Conference: 77, User: 4, Floors: []uint16{2}, Version: 1,
		Send: func(m *Message) { got = m.Body }, Emit: func(Event) {},
	})
	s.Receive(at(0), m)
	return got
}

func TestErrors(t *testing.T) {
	good := Header{Version: 1, Conference: 77, Transaction: 9, User: 4}
	other, stranger := good, good
	other.Conference, stranger.User = 78, 5
	for _, tc := range []struct {
		name string
		h    Header
		b    Body
		want ErrorCode
	}{
		{"conference", other, &Hello{}, ConferenceDoesNotExist},
		{"user", stranger, &Hello{}, UserDoesNotExist},
		{"primitive", good, &Unknown{Code: 44}, UnknownPrimitive},
		{"floor", good, &FloorRequest{Floors: []uint16{3}}, InvalidFloorID},
		{"no floor", good, &FloorRequest{}, InvalidFloorID},
		{"watching a floor", good, &FloorQuery{Floors: []uint16{3}}, InvalidFloorID},
		{"for somebody else", good, &FloorRequest{Floors: []uint16{2}, Beneficiary: ptr(uint16(8))}, UnauthorizedOperation},
		{"chair", good, &ChairAction{Information: &RequestInformation{ID: 1}}, UnauthorizedOperation},
		{"release", good, &FloorRelease{Request: 8}, FloorRequestDoesNotExist},
		{"query", good, &FloorRequestQuery{Request: 8}, FloorRequestDoesNotExist},
		{"about a stranger", good, &UserQuery{Beneficiary: ptr(uint16(99))}, UserDoesNotExist},
		{"attribute", good, &Hello{others{[]Attribute{{Type: 99, Mandatory: true}}}}, UnknownMandatory},
	} {
		e, ok := say(t, &Message{Header: tc.h, Body: tc.b}).(*Error)
		if !ok || e.Code != tc.want {
			t.Errorf("%s: %+v, want %d", tc.name, e, tc.want)
		}
	}
	if _, ok := say(t, &Message{Header: good, Body: &Hello{others{[]Attribute{{Type: 99}}}}}).(*HelloAck); !ok {
		t.Error("an attribute that may be passed over was not")
	}
}

func TestQueries(t *testing.T) {
	w := newWorld(t, 1, false)
	ask := func(b Body) Body {
		var got Body
		w.client.ask(w.now, b, func(_ time.Time, m *Message) { got = m.Body })
		w.run(time.Second)
		return got
	}
	w.client.Request(w.now)
	w.run(time.Second)
	if s := ask(&FloorRequestQuery{Request: 1}).(*FloorRequestStatus); s.Information.Status() != Granted {
		t.Errorf("request query: %+v", s.Information)
	}
	if s := ask(&UserQuery{}).(*UserStatus); s.Beneficiary.ID != 4 || len(s.Requests) != 1 {
		t.Errorf("user query: %+v", s)
	}
	w.server.Request(w.now)
	s := ask(&UserQuery{Beneficiary: ptr(w.server.othersUser())}).(*UserStatus)
	if s.Beneficiary.Name != "meeting" || len(s.Requests) != 1 || s.Requests[0].Status() != Granted {
		t.Errorf("user query about the others: %+v", s)
	}
}

func TestMalformedIsAnswered(t *testing.T) {
	for _, tc := range []struct {
		data []byte
		want ErrorCode
	}{
		{[]byte{0x60, 11, 0, 0, 0, 0, 0, 77, 0, 1, 0, 4}, UnsupportedVersion},
		{[]byte{0x20, 11, 0, 9, 0, 0, 0, 77, 0, 1, 0, 4}, IncorrectLength},
		{[]byte{0x20, 1, 0, 1, 0, 0, 0, 77, 0, 1, 0, 4, 5, 1, 0, 0}, UnableToParse},
	} {
		w := newWorld(t, 2, true)
		var got *Message
		w.server.cfg.Send = func(m *Message) { got = m }
		m, err := Parse(tc.data)
		w.server.Malformed(w.now, m, err)
		if e, ok := got.Body.(*Error); !ok || e.Code != tc.want || got.Transaction != 1 {
			t.Errorf("%x: %+v", tc.data, got)
		}
	}
}

func TestGoodbye(t *testing.T) {
	w := newWorld(t, 2, true)
	w.client.Start(w.now)
	w.client.Request(w.now)
	w.run(time.Second)
	w.served, w.called = nil, nil
	w.client.Close(w.now)
	w.run(time.Second)
	w.expect([]Event{Freed}, nil)

	w = newWorld(t, 2, true)
	w.client.Start(w.now)
	w.client.Request(w.now)
	w.run(time.Second)
	w.served, w.called = nil, nil
	w.server.Close(w.now)
	w.run(time.Second)
	w.expect([]Event{Freed}, []Event{Lost})
}

// talk gives bytes of a fuzzer to both sides: they must stay sound.
func talk(t *testing.T, data []byte) {
	w := newWorld(t, 2, true)
	m, err := Parse(data)
	if err != nil {
		return
	}
	m.Conference, m.User = 77, 4
	w.client.Request(w.now)
	for i := range 3 {
		m.Transaction = uint16(501 + i)
		w.server.Receive(w.now, m)
		w.client.Receive(w.now, m)
		w.run(time.Second)
	}
	w.run(60 * time.Second)
	if w.sent > 1000 {
		t.Fatalf("%d messages were said", w.sent)
	}
}

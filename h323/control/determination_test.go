package control

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name        string
		ourType     uint8
		theirType   uint8
		ours, their uint32
		want        status
	}{
		{"greater type", 60, 50, 0, 99, isMaster},
		{"smaller type", 50, 190, 99, 0, isSlave},
		{"as recorded, called side", 50, 50, 2309800, 4450605, isMaster},
		{"as recorded, calling side", 50, 50, 4450605, 2309800, isSlave},
		{"around the end", 50, 50, 0xfffff0, 5, isMaster},
		{"identical", 50, 50, 7, 7, undetermined},
		{"half way round", 50, 50, 0, statusHalf, undetermined},
		{"one short of half", 50, 50, 0, statusHalf - 1, isMaster},
		{"one beyond half", 50, 50, 0, statusHalf + 1, isSlave},
	} {
		if got := compare(c.ourType, c.theirType, c.ours, c.their); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if got := compare(c.theirType, c.ourType, c.their, c.ours); got != c.want.opposite() {
			t.Errorf("%s, seen from there: %d", c.name, got)
		}
	}
}

// dice gives the same numbers to whoever reads it first, then others.
func dice(numbers ...byte) io.Reader {
	var b bytes.Buffer
	for _, n := range numbers {
		b.Write([]byte{0, 0, n})
	}
	return &b
}

func TestIdenticalNumbers(t *testing.T) {
	p := newPair(t,
		Config{Capabilities: everything(), Rand: dice(5, 9, 11)},
		Config{Capabilities: everything(), Rand: dice(5, 12, 14)}).start()
	a, known := p.a.Master()
	b, _ := p.b.Master()
	if !known || a == b {
		t.Errorf("masters %v %v %v", a, b, known)
	}
}

func TestNeverDetermined(t *testing.T) {
	p := newPair(t,
		Config{Capabilities: everything(), Rand: dice(5, 5, 5, 5)},
		Config{Capabilities: everything(), Rand: dice(5, 5, 5, 5)}).start()
	for _, s := range []*side{p.a, p.b} {
		if f, ok := last[Failed](s); !ok || !errors.Is(f.Err, ErrDetermination) {
			t.Errorf("%s: %v", s.name, f.Err)
		}
	}
}

// TestRejectedNumbers: a peer in the idle state rejects, we throw again.
func TestRejectedNumbers(t *testing.T) {
	s := newSide(t, "ours", 1, Config{Capabilities: everything()})
	now := time.Unix(1000, 0)
	s.Start(now)
	first := s.determination.number
	reject := &h245.ResponseMessage{MasterSlaveDeterminationReject: &h245.MasterSlaveDeterminationReject{
		Cause: h245.MasterSlaveDeterminationRejectCause{IdenticalNumbers: true}}}
	for range maxTries - 1 {
		s.Receive(now, &h245.MultimediaSystemControlMessage{Response: reject})
	}
	if s.determination.number == first || count[Failed](s) != 0 {
		t.Errorf("number %d again, %d failures", first, count[Failed](s))
	}
	s.Receive(now, &h245.MultimediaSystemControlMessage{Response: reject})
	if count[Failed](s) != 1 {
		t.Error("goes on for ever")
	}
}

// TestLostMessages loses each kind of message once, or for good.
func TestLostMessages(t *testing.T) {
	determination := func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Request != nil && m.Request.MasterSlaveDetermination != nil
	}
	determinationAck := func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Response != nil && m.Response.MasterSlaveDeterminationAck != nil
	}
	set := func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Request != nil && m.Request.TerminalCapabilitySet != nil
	}
	setAck := func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Response != nil && m.Response.TerminalCapabilitySetAck != nil
	}
	for _, c := range []struct {
		name   string
		lose   func(*h245.MultimediaSystemControlMessage) bool
		always bool
		fails  error // of a
		media  bool
	}{
		{name: "determination once", lose: determination, media: true},
		{name: "determination's answer once", lose: determinationAck, media: true},
		{name: "capabilities once", lose: set, media: true},
		{name: "capabilities' answer once", lose: setAck, media: true},
		{name: "determination always, the other side's is enough", lose: determination, always: true, media: true},
		{name: "capabilities always", lose: set, always: true, fails: ErrCapabilities},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()})
			lost := 0
			p.a.lose = func(m *h245.MultimediaSystemControlMessage) bool {
				if !c.lose(m) || lost > 0 && !c.always {
					return false
				}
				lost++
				return true
			}
			p.start().pass(2 * time.Minute)
			f, failed := last[Failed](p.a)
			if failed != (c.fails != nil) || failed && !errors.Is(f.Err, c.fails) {
				t.Errorf("failed: %v %v", failed, f.Err)
			}
			if lost == 0 {
				t.Error("nothing was lost")
			}
			if has := len(p.a.Media()) == 2 && len(p.b.Media()) == 2; has != c.media {
				t.Errorf("media: %d, %d", len(p.a.Media()), len(p.b.Media()))
			}
			if next := p.a.Next(); !next.IsZero() {
				t.Errorf("still waits until %v", next)
			}
		})
	}
}

package control

import (
	"errors"
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// granting answers every request for the token.
func (s *side) granting(now *time.Time, grant bool) {
	s.onEvent = func(e Event) {
		if _, ok := e.(TokenRequested); ok {
			s.AnswerToken(*now, grant)
		}
	}
}

func presenting(t *testing.T) *pair {
	t.Helper()
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
	p.a.granting(&p.now, true)
	p.b.granting(&p.now, true)
	return p
}

func (s *side) content() media.Direction {
	if m := s.Medium(media.Content); m != nil {
		return m.Stream.Direction
	}
	return media.Inactive
}

func TestPresentation(t *testing.T) {
	p := presenting(t)
	for _, who := range []struct{ from, to *side }{{p.a, p.b}, {p.b, p.a}} {
		if err := who.from.RequestToken(p.now); err != nil {
			t.Fatal(err)
		}
		p.settle()
		if who.from.content() != media.SendOnly || who.to.content() != media.RecvOnly {
			t.Fatalf("%s presents: %s, %s", who.from.name, who.from.content(), who.to.content())
		}
		m := who.from.Medium(media.Content)
		if m.SendChannel.Session < sessionOthers || m.SendChannel.Session != who.to.Medium(media.Content).RecvChannel.Session {
			t.Errorf("sessions %d, %d", m.SendChannel.Session, who.to.Medium(media.Content).RecvChannel.Session)
		}
		if m.RTP != who.to.local[media.Content].RTP || m.Stream.MaxSend != 1_000_000 {
			t.Errorf("%+v", m)
		}
		who.from.ReleaseToken(p.now)
		p.settle()
		if who.from.content() != media.Inactive || who.to.content() != media.Inactive {
			t.Errorf("%s presented: %s, %s", who.from.name, who.from.content(), who.to.content())
		}
		if count[TokenGranted](who.from) != 1 || count[TokenTaken](who.to) != 1 || count[TokenReleased](who.to) != 1 {
			t.Errorf("granted %d, taken %d, released %d", count[TokenGranted](who.from), count[TokenTaken](who.to), count[TokenReleased](who.to))
		}
	}
}

// TestTakeOver: who asks gets the token from who has it.
func TestTakeOver(t *testing.T) {
	p := presenting(t)
	for _, s := range []*side{p.a, p.b, p.a} {
		if err := s.RequestToken(p.now); err != nil {
			t.Fatal(err)
		}
		p.settle()
	}
	if p.a.content() != media.SendOnly || p.b.content() != media.RecvOnly {
		t.Errorf("%s, %s", p.a.content(), p.b.content())
	}
	if count[TokenLost](p.a) != 1 || count[TokenLost](p.b) != 1 {
		t.Errorf("lost %d, %d", count[TokenLost](p.a), count[TokenLost](p.b))
	}
}

func TestTokenRefused(t *testing.T) {
	p := presenting(t)
	p.b.granting(&p.now, false)
	if err := p.a.RequestToken(p.now); err != nil {
		t.Fatal(err)
	}
	p.settle()
	if count[TokenDenied](p.a) != 1 || p.a.content() != media.Inactive || p.a.token.state != tokenFree {
		t.Errorf("denied %d, %s", count[TokenDenied](p.a), p.a.content())
	}
}

// TestTokenCollision: both ask at once. The greater number wins; equal ones are thrown again.
func TestTokenCollision(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []byte
	}{
		{"a throws more", []byte{1, 50}, []byte{2, 40}},
		{"b throws more", []byte{1, 40}, []byte{2, 50}},
		{"equal, then a throws more", []byte{1, 40, 60}, []byte{2, 40, 50}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, Config{Capabilities: everything(), Rand: dice(c.a...)}, Config{Capabilities: everything(), Rand: dice(c.b...)}).start()
			p.a.granting(&p.now, true)
			p.b.granting(&p.now, true)
			for _, s := range []*side{p.a, p.b} {
				if err := s.RequestToken(p.now); err != nil {
					t.Fatal(err)
				}
			}
			p.settle()
			a, b := p.a.content(), p.b.content()
			if a == b || a == media.Inactive || b == media.Inactive {
				t.Errorf("%s, %s", a, b)
			}
			if c.name != "b throws more" && a != media.SendOnly || c.name == "b throws more" && b != media.SendOnly {
				t.Errorf("the wrong one presents: %s, %s", a, b)
			}
		})
	}
}

func TestNoPresentation(t *testing.T) {
	less := everything()
	less.Content = nil
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: less}).start()
	for _, s := range []*side{p.a, p.b} {
		if err := s.RequestToken(p.now); !errors.Is(err, ErrNoPresentation) || s.Presents() {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	// Asked all the same, we say that we do not know it.
	p.b.hears(p.now, &h245.RequestMessage{GenericRequest: h239Message(presentRequest, unsignedMin(h239Terminal, 0), unsignedMin(h239Channel, 9), unsignedMin(h239Symmetry, 9))})
	if m := p.b.out[len(p.b.out)-1]; m.Indication == nil || m.Indication.FunctionNotSupported == nil {
		t.Errorf("%+v", m)
	}
}

// TestTokenUnanswered: silence, and "not understood", are a refusal.
func TestTokenUnanswered(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	if err := s.RequestToken(now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * defaultTimeout)
	s.Tick(now)
	if count[TokenDenied](s) != 1 {
		t.Error("silence is no refusal")
	}
	if err := s.RequestToken(now); err != nil {
		t.Fatal(err)
	}
	s.hears(now, &h245.IndicationMessage{FunctionNotSupported: &h245.FunctionNotSupported{Cause: h245.FunctionNotSupportedCause{UnknownFunction: true}}})
	if count[TokenDenied](s) != 2 {
		t.Error("not understood is no refusal")
	}
	// The grant comes after all: it is given back.
	s.hears(now, &h245.ResponseMessage{GenericResponse: h239Message(presentResponse, logical(h239Acknowledge), unsignedMin(h239Terminal, 0), unsignedMin(h239Channel, 103))})
	if m := s.sent[len(s.sent)-1]; m.Command == nil || m.Command.GenericCommand == nil || *m.Command.GenericCommand.SubMessageIdentifier != presentRelease {
		t.Errorf("%+v", m)
	}
	if count[TokenGranted](s) != 0 {
		t.Error("granted")
	}
}

// TestContentUnasked: an MCU sends content without a word about the token.
func TestContentUnasked(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), false)
	e := videoOf(media.H264)
	e.role = media.Content
	s.hears(now, asks(openOf(9, 33, e)))
	if s.content() != media.RecvOnly || count[TokenTaken](s) != 1 {
		t.Errorf("%s, taken %d", s.content(), count[TokenTaken](s))
	}
	s.hears(now, &h245.IndicationMessage{GenericIndication: h239Message(presentOwner, unsignedMin(h239Terminal, 1), unsignedMin(h239Channel, 9))})
	s.hears(now, &h245.RequestMessage{CloseLogicalChannel: &h245.CloseLogicalChannel{ForwardLogicalChannelNumber: 9, Source: h245.CloseLogicalChannelSource{User: true}}})
	if s.content() != media.Inactive || count[TokenTaken](s) != 1 || count[TokenReleased](s) != 1 {
		t.Errorf("%s, taken %d, released %d", s.content(), count[TokenTaken](s), count[TokenReleased](s))
	}
}

// TestTokenReturned: who asks us to close the channel of content, and whoever takes the
// content from us, ends the presentation.
func TestTokenReturned(t *testing.T) {
	for name, end := range map[string]func(*pair){
		"asked to close": func(p *pair) {
			p.a.hears(p.now, &h245.RequestMessage{RequestChannelClose: &h245.RequestChannelClose{ForwardLogicalChannelNumber: p.a.Medium(media.Content).SendChannel.Number}})
		},
		"no content any more": func(p *pair) {
			less := everything()
			less.Content = nil
			if err := p.a.Update(p.now, less); err != nil {
				t.Error(err)
			}
		},
	} {
		p := presenting(t)
		if err := p.a.RequestToken(p.now); err != nil {
			t.Fatal(err)
		}
		p.settle()
		end(p)
		p.settle()
		if count[TokenLost](p.a) != 1 || count[TokenReleased](p.b) != 1 || p.a.content() != media.Inactive || p.b.content() != media.Inactive {
			t.Errorf("%s: lost %d, released %d, %s, %s", name, count[TokenLost](p.a), count[TokenReleased](p.b), p.a.content(), p.b.content())
		}
	}
}

func TestReleaseFlow(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	s.hears(now, asks(openOf(9, 2, videoOf(media.H264))))
	for _, limited := range []bool{false, true} {
		if limited {
			s.LimitReceive(now, media.Main, 300_000)
		}
		s.hears(now, &h245.RequestMessage{GenericRequest: h239Message(flowReleaseRequest, unsignedMin(h239Channel, 9), unsignedMin(41, 6400))})
		r := s.response().GenericResponse
		if r == nil || *r.SubMessageIdentifier != flowReleaseResponse {
			t.Fatalf("%+v", s.response())
		}
		if _, granted := find(r.MessageContent, h239Acknowledge); granted == limited {
			t.Errorf("limited %v: granted %v", limited, granted)
		}
	}
}

// TestYielding: a gateway that wants to show something loses to a person who presses a key
// at the same time, and does not ask while it is asked.
func TestYielding(t *testing.T) {
	gateway := Config{Capabilities: everything(), Yields: true, Rand: dice(1, 127)}
	p := newPair(t, gateway, Config{Capabilities: everything(), Rand: dice(2, 2)}).start()
	p.a.granting(&p.now, true)
	p.b.granting(&p.now, true)
	for _, s := range []*side{p.a, p.b} {
		if err := s.RequestToken(p.now); err != nil {
			t.Fatal(err)
		}
	}
	p.settle()
	if a, b := p.a.content(), p.b.content(); a != media.RecvOnly || b != media.SendOnly {
		t.Errorf("%s, %s", a, b)
	}

	p = newPair(t, gateway, Config{Capabilities: everything()}).start()
	if err := p.b.RequestToken(p.now); err != nil {
		t.Fatal(err)
	}
	p.settle() // nobody has answered yet
	if err := p.a.RequestToken(p.now); err != nil {
		t.Fatal(err)
	}
	if count[TokenDenied](p.a) != 1 {
		t.Error("the gateway asks whom it owes an answer")
	}
	p.a.AnswerToken(p.now, true)
	p.settle()
	if b := p.b.content(); b != media.SendOnly {
		t.Errorf("who asked first: %s", b)
	}
}

// TestAskingBackAtOnce: who has just given the token away asks for it before the other one
// has said that it owns it now. That word is no answer.
func TestAskingBackAtOnce(t *testing.T) {
	p := presenting(t)
	if err := p.a.RequestToken(p.now); err != nil {
		t.Fatal(err)
	}
	p.a.granting(&p.now, true)
	asked := false
	grant := p.b.onEvent
	p.b.onEvent = func(e Event) {
		if grant != nil {
			grant(e)
		}
		if _, ok := e.(TokenRequested); ok && !asked {
			asked = true
			if err := p.b.RequestToken(p.now); err != nil {
				t.Error(err)
			}
		}
	}
	p.settle()
	if a, b := p.a.content(), p.b.content(); a != media.RecvOnly || b != media.SendOnly {
		t.Errorf("%s, %s; denied %d", a, b, count[TokenDenied](p.b))
	}
}

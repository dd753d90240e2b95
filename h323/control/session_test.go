package control

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
)

// TestUnknown: what is not known is answered, unless it only informs.
func TestUnknown(t *testing.T) {
	s := newSide(t, "ours", 1, Config{Capabilities: everything()})
	now := time.Unix(1000, 0)
	s.Start(now)
	unknown := &per.Alternative{Index: 60, Raw: []byte{1, 2, 3}}
	for _, c := range []struct {
		name   string
		m      h245.MultimediaSystemControlMessage
		answer bool
	}{
		{"a request", h245.MultimediaSystemControlMessage{Request: &h245.RequestMessage{Other: unknown}}, true},
		{"a request of other systems", h245.MultimediaSystemControlMessage{Request: &h245.RequestMessage{CommunicationModeRequest: &h245.CommunicationModeRequest{}}}, true},
		{"a command", h245.MultimediaSystemControlMessage{Command: &h245.CommandMessage{Other: unknown}}, true},
		{"a response", h245.MultimediaSystemControlMessage{Response: &h245.ResponseMessage{Other: unknown}}, false},
		{"an indication", h245.MultimediaSystemControlMessage{Indication: &h245.IndicationMessage{Other: unknown}}, false},
		{"jitter", h245.MultimediaSystemControlMessage{Indication: &h245.IndicationMessage{JitterIndication: &h245.JitterIndication{Scope: h245.JitterIndicationScope{WholeMultiplex: true}}}}, false},
		{"a command of no concern", h245.MultimediaSystemControlMessage{Command: &h245.CommandMessage{ConferenceCommand: &h245.ConferenceCommand{DropConference: true}}}, false},
	} {
		before := len(s.sent)
		s.Receive(now, &c.m)
		answered := len(s.sent) > before
		if answered != c.answer {
			t.Errorf("%s: answered %v", c.name, answered)
		}
		if answered {
			f := s.sent[len(s.sent)-1].Indication
			if f == nil || f.FunctionNotSupported == nil || !f.FunctionNotSupported.Cause.UnknownFunction || len(f.FunctionNotSupported.ReturnedFunction) == 0 {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
	}
	s.hears(now, &h245.RequestMessage{MaintenanceLoopRequest: &h245.MaintenanceLoopRequest{Type: h245.MaintenanceLoopRequestType{SystemLoop: true}}})
	if r := s.response(); r.MaintenanceLoopReject == nil || !r.MaintenanceLoopReject.Cause.CanNotPerformLoop || !r.MaintenanceLoopReject.Type.SystemLoop {
		t.Errorf("%+v", r)
	}
}

func TestEnd(t *testing.T) {
	p := picture(t)
	p.a.Close(p.now)
	if n := len(p.a.out); n != 1 {
		t.Errorf("%d messages", n)
	}
	p.settle()
	if count[Disconnected](p.b) != 1 {
		t.Error("b does not know")
	}
	for _, s := range []*side{p.a, p.b} {
		before := len(s.sent)
		s.Tick(p.now.Add(time.Hour))
		s.Receive(p.now, emptySet(3))
		s.Close(p.now)
		if len(s.sent) != before || !s.Next().IsZero() {
			t.Errorf("%s speaks on", s.name)
		}
	}
	silent := newSide(t, "never started", 1, Config{Capabilities: everything()})
	silent.Close(p.now)
	if len(silent.sent) != 0 {
		t.Error("ends what was not begun")
	}
	gstn := newSide(t, "ours", 1, Config{Capabilities: everything()})
	gstn.hears(p.now, &h245.CommandMessage{EndSessionCommand: &h245.EndSessionCommand{GstnOptions: &h245.EndSessionCommandGstnOptions{V8bis: true}}})
	if count[Disconnected](gstn) != 1 {
		t.Error("options keep the call up")
	}
}

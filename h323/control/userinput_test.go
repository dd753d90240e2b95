package control

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
)

// digitsOf lists the keys that were told.
func digitsOf(s *side) (text string) {
	for _, e := range s.events {
		if d, ok := e.(Digit); ok {
			text += string(d.Digit)
		}
	}
	return text
}

func TestUserInput(t *testing.T) {
	said := func(u h245.UserInputIndication) *h245.IndicationMessage {
		return &h245.IndicationMessage{UserInput: &u}
	}
	signal := func(key string, rtp bool) *h245.IndicationMessage {
		return said(h245.UserInputIndication{Signal: &h245.UserInputIndicationSignal{SignalType: key, Duration: ptr(uint16(200)), RTPPayloadIndication: rtp}})
	}
	for _, c := range []struct {
		name string
		said *h245.IndicationMessage
		want string
	}{
		{"a string", said(h245.UserInputIndication{Alphanumeric: ptr("12#")}), "12#"},
		{"the empty string keeps alive", said(h245.UserInputIndication{Alphanumeric: ptr("")}), ""},
		{"what is no key is left out", said(h245.UserInputIndication{Alphanumeric: ptr("1 x\x00a!")}), "1A"},
		{"extended", said(h245.UserInputIndication{ExtendedAlphanumeric: &h245.UserInputIndicationExtendedAlphanumeric{Alphanumeric: "7*"}}), "7*"},
		{"extended, also in RTP", said(h245.UserInputIndication{ExtendedAlphanumeric: &h245.UserInputIndicationExtendedAlphanumeric{Alphanumeric: "7", RTPPayloadIndication: true}}), ""},
		{"a signal", signal("D", false), "D"},
		{"the hook flash", signal("!", false), ""},
		{"a signal, also in RTP", signal("5", true), ""},
		{"an update is no new key", said(h245.UserInputIndication{SignalUpdate: &h245.UserInputIndicationSignalUpdate{Duration: 500}}), ""},
		{"what is supported", said(h245.UserInputIndication{UserInputSupportIndication: &h245.UserInputIndicationUserInputSupportIndication{BasicString: true}}), ""},
	} {
		s := newSide(t, "ours", 1, Config{Capabilities: everything()})
		s.hears(time.Unix(1000, 0), c.said)
		if got := digitsOf(s); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	s := newSide(t, "ours", 1, Config{Capabilities: everything()})
	s.hears(time.Unix(1000, 0), signal("5", false))
	if d, _ := last[Digit](s); d.Duration != 200*time.Millisecond {
		t.Errorf("%+v", d)
	}
}

func TestSendDigits(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()})
	if err := p.a.SendDigits(p.now, "1", 0); err == nil {
		t.Error("sent to who said nothing yet")
	}
	p.start()
	if err := p.a.SendDigits(p.now, "12x", 0); err == nil {
		t.Error("x is no key")
	}
	if err := p.a.SendDigits(p.now, "19#A", 150*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if len(p.a.out) != 4 {
		t.Errorf("%d messages", len(p.a.out))
	}
	p.settle()
	p.a.remote.signal = false // one that takes strings only
	if err := p.a.SendDigits(p.now, "55", 0); err != nil || len(p.a.out) != 1 {
		t.Errorf("%v, %d messages", err, len(p.a.out))
	}
	p.settle()
	if got := digitsOf(p.b); got != "19#A55" {
		t.Errorf("arrived: %q", got)
	}
}

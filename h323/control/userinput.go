package control

import (
	"errors"
	"strings"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
)

// ErrDigits is returned for what is no key of a keypad, and before the session is
// established.
var ErrDigits = errors.New("control: digits cannot be sent")

const keypad = "0123456789*#ABCD"

// maxDigits bounds what is taken out of one userInput.
const maxDigits = 64

// userInput takes keys pressed (H.245 clause 8.12.5). An empty string keeps the connection
// alive, and means nothing.
func (s *Session) userInput(u *h245.UserInputIndication) {
	switch {
	case u.Alphanumeric != nil:
		s.digits(*u.Alphanumeric)
	case u.ExtendedAlphanumeric != nil:
		if !u.ExtendedAlphanumeric.RTPPayloadIndication {
			s.digits(u.ExtendedAlphanumeric.Alphanumeric)
		}
	case u.Signal != nil:
		s.signal(u.Signal)
	}
	// signalUpdate only tells that the key is still down.
}

// digits tells the keys in a string.
func (s *Session) digits(text string) {
	count := 0
	for _, r := range strings.ToUpper(text) {
		if strings.ContainsRune(keypad, r) && count < maxDigits {
			s.emit(Digit{Digit: r})
			count++
		}
	}
}

// signal tells one key; "!" is the hook flash. With rtpPayloadIndication the key comes as
// a telephone event, too, which is the one that counts.
func (s *Session) signal(u *h245.UserInputIndicationSignal) {
	if u.RTPPayloadIndication && s.can.Keypad || !strings.Contains(keypad, u.SignalType) || u.SignalType == "" {
		return
	}
	d := Digit{Digit: rune(u.SignalType[0])}
	if u.Duration != nil {
		d.Duration = time.Duration(*u.Duration) * time.Millisecond
	}
	s.emit(d)
}

// SendDigits sends keys (0-9 A-D * #) by userInput: as signals where the far side takes
// them, otherwise as a string. Where Medium.SendEvents is agreed, events in RTP are better.
func (s *Session) SendDigits(now time.Time, digits string, duration time.Duration) error {
	for _, r := range digits {
		if !strings.ContainsRune(keypad, r) {
			return ErrDigits
		}
	}
	if s.ended || s.remote == nil || digits == "" {
		return ErrDigits
	}
	s.do(now, func() {
		if !s.remote.signal {
			s.sendUserInput(&h245.UserInputIndication{Alphanumeric: &digits})
			return
		}
		length := uint16(min(max(duration.Milliseconds(), 1), 0xffff))
		for _, r := range digits {
			s.sendUserInput(&h245.UserInputIndication{Signal: &h245.UserInputIndicationSignal{SignalType: string(r), Duration: &length}})
		}
	})
	return nil
}

func (s *Session) sendUserInput(u *h245.UserInputIndication) {
	s.sendIndication(&h245.IndicationMessage{UserInput: u})
}

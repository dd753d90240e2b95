package dtmf

import (
	"errors"
	"time"
)

// Form is one of the ways a digit travels in a SIP INFO body.
type Form uint8

// The forms seen on terminals.
const (
	Relay          Form = iota // application/dtmf-relay: "Signal=5\r\nDuration=160"
	Bare                       // application/dtmf: "5"
	TelephoneEvent             // audio/telephone-event: "5", or an event number "Event=11"
)

// ErrNotInfo is returned for a body that carries no digit.
var ErrNotInfo = errors.New("dtmf: no digit in the body")

// ParseInfo reads the digit (0-9 A-D * #) and its duration (zero when not
// stated) out of a SIP INFO body.
func ParseInfo(contentType string, body []byte) (digit rune, duration time.Duration, err error) {
	return 0, 0, ErrNotInfo
}

// FormatInfo writes the body of a SIP INFO request that carries a digit.
func FormatInfo(form Form, digit rune, duration time.Duration) (contentType string, body []byte, err error) {
	return "", nil, ErrNotInfo
}

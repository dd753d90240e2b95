package dtmf

import (
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"time"
)

// Form is one of the ways a digit travels in a SIP INFO body.
type Form uint8

// The forms seen on terminals.
const (
	Relay          Form = iota // application/dtmf-relay: "Signal=5\r\nDuration=160\r\n"
	Bare                       // application/dtmf: "5"
	TelephoneEvent             // audio/telephone-event: an RFC 4733 event as text, "d=5" or "11"
)

// ErrNotInfo is returned for a body that carries no digit.
var ErrNotInfo = errors.New("dtmf: no digit in the body")

// maxInfo bounds the body looked at, in bytes.
const maxInfo = 256

// maxDuration bounds a stated duration; what is longer is cut to it.
const maxDuration = 10 * time.Second

// ParseInfo reads the digit (0-9 A-D * #) and its duration (zero when not
// stated) out of a SIP INFO body. It is lenient in what terminals differ in:
// spaces around the equals sign, line ends, upper and lower case, a bare digit
// under any of the types, and event numbers 10 and 11 for * and #.
func ParseInfo(contentType string, body []byte) (digit rune, duration time.Duration, err error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return 0, 0, fmt.Errorf("%w: content type: %w", ErrNotInfo, err)
	}
	switch kind {
	case "application/dtmf-relay", "application/dtmf", "audio/telephone-event":
	default:
		return 0, 0, fmt.Errorf("%w: content type %q", ErrNotInfo, kind)
	}
	if len(body) > maxInfo {
		return 0, 0, fmt.Errorf("%w: %d bytes", ErrNotInfo, len(body))
	}
	for line := range strings.FieldsFuncSeq(string(body), func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, named := strings.Cut(line, "=")
		if !named {
			name, value = "signal", name
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "signal", "event", "d", "digit":
			if value == "" {
				continue
			}
			if digit != 0 {
				return 0, 0, fmt.Errorf("%w: more than one", ErrNotInfo)
			}
			if digit = signal(value); digit == 0 {
				return 0, 0, fmt.Errorf("%w: signal %q", ErrNotInfo, value)
			}
		case "duration":
			ms, err := strconv.ParseUint(value, 10, 32)
			if err == nil { // a duration that is no number says nothing
				duration = min(time.Duration(ms)*time.Millisecond, maxDuration)
			}
		}
	}
	if digit == 0 {
		return 0, 0, ErrNotInfo
	}
	return digit, duration, nil
}

// signal reads a digit or an RFC 4733 event number.
func signal(value string) rune {
	value = strings.ToUpper(value)
	if len(value) == 1 && strings.Contains(keys, value) {
		return rune(value[0])
	}
	switch value {
	case "10":
		return '*'
	case "11":
		return '#'
	case "12", "13", "14", "15":
		return rune('A' + value[1] - '2')
	}
	return 0
}

// FormatInfo writes the body of a SIP INFO request that carries a digit.
func FormatInfo(form Form, digit rune, duration time.Duration) (contentType string, body []byte, err error) {
	if _, _, ok := frequencies(digit); !ok {
		return "", nil, fmt.Errorf("dtmf: %q is no digit", digit)
	}
	switch form {
	case Relay:
		return "application/dtmf-relay", fmt.Appendf(nil, "Signal=%c\r\nDuration=%d\r\n", digit, duration.Milliseconds()), nil
	case Bare:
		return "application/dtmf", []byte(string(digit)), nil
	case TelephoneEvent:
		return "audio/telephone-event", []byte(string(digit)), nil
	}
	return "", nil, fmt.Errorf("dtmf: unknown form %d", form)
}

// Package event is the payload format for telephone events (RFC 4733): keypad
// digits as RTP packets beside the audio.
//
// The payload (RFC 4733 §2.3):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     event     |E|R| volume    |          duration             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Size is the length of a payload in octets.
const Size = 4

// ErrShort is returned for a payload of fewer than Size octets.
var ErrShort = errors.New("telephone event: payload too short")

// Event is one payload.
type Event struct {
	Code     uint8
	End      bool
	Volume   uint8  // 0..63, power below 0 dBm0
	Duration uint16 // so far, in units of the clock rate
}

// Unmarshal reads the first event of a payload; what follows it is ignored.
func (e *Event) Unmarshal(payload []byte) error {
	if len(payload) < Size {
		return fmt.Errorf("%w: %d octets", ErrShort, len(payload))
	}
	e.Code = payload[0]
	e.End = payload[1]&0x80 != 0
	e.Volume = payload[1] & 0x3f
	e.Duration = binary.BigEndian.Uint16(payload[2:])
	return nil
}

// AppendTo appends the payload to b.
func (e Event) AppendTo(b []byte) []byte {
	flags := e.Volume & 0x3f
	if e.End {
		flags |= 0x80
	}
	b = append(b, e.Code, flags)
	return binary.BigEndian.AppendUint16(b, e.Duration)
}

// keys are the digits in the order of their codes (RFC 4733 §3.2, table 3);
// code 16 is a hook flash.
const keys = "0123456789*#ABCD!"

// Digit is the key of a code; ok is false for events that are not keys.
func Digit(code uint8) (digit rune, ok bool) {
	if int(code) >= len(keys) {
		return 0, false
	}
	return rune(keys[code]), true
}

// Code is the code of a key, in either case of letters.
func Code(digit rune) (code uint8, ok bool) {
	if digit >= 'a' && digit <= 'd' {
		digit += 'A' - 'a'
	}
	i := strings.IndexRune(keys, digit)
	return uint8(i), i >= 0
}

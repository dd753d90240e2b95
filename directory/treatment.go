package directory

import (
	"regexp"
	"slices"
	"strings"
)

// Treatment is what is special about calls of an endpoint.
type Treatment struct {
	// MCU marks a unit that joins several itself: it is never shown its own picture,
	// which fills the screens of others.
	MCU bool `json:"mcu,omitempty"`
	// TerminalType of H.245 in calls to it (H.323 table 1); 0 = by ContentMaster.
	TerminalType int `json:"terminal_type,omitempty"`
	// ContentMaster says whose presenter stays when both sides of an MCU present: here
	// or there; "" = whoever came last.
	ContentMaster string `json:"content_master,omitempty"`
	// Digits are sent when it has answered; a comma waits for a second.
	Digits string `json:"digits,omitempty"`
	// Redials bounds how often it is called again when the network lost the call.
	Redials int `json:"redials,omitempty"`
	// Longest is how many seconds a call lasts at most; 0 = any.
	Longest int `json:"longest_seconds,omitempty"`
	// Forbidden is what it may not do in meetings.
	Forbidden []Deed `json:"forbidden,omitempty"`
}

// Deed is something done in a meeting.
type Deed string

// Deeds.
const (
	Presents Deed = "present"
	Moves    Deed = "cameras" // of others
	Commands Deed = "keys"    // commands by the keypad
)

// Deeds are all of them.
var Deeds = []Deed{Presents, Moves, Commands}

// Sides of a call to an MCU.
const (
	Here  = "here"
	There = "there"
)

// Bounds of what can be asked for.
const (
	MostRedials = 20
	MostDigits  = 128
	LeastRate   = 64 // kbit/s
	MostRate    = 100_000
)

var digits = regexp.MustCompile(`^[0-9*#A-D,]{0,128}$`)

// Forbids reports whether something may not be done.
func (t *Treatment) Forbids(d Deed) bool { return slices.Contains(t.Forbidden, d) }

// ParseDigits checks a sequence of digits and pauses.
func ParseDigits(text string) bool { return digits.MatchString(text) }

func (t *Treatment) check() error {
	switch {
	case t.TerminalType < 0 || t.TerminalType > 255:
		return bad("terminal_type", "%d is not between 0 and 255", t.TerminalType)
	case t.ContentMaster != "" && t.ContentMaster != Here && t.ContentMaster != There:
		return bad("content_master", "%q is neither here nor there", t.ContentMaster)
	case !ParseDigits(t.Digits):
		return bad("digits", "are not up to %d of 0-9, *, #, A-D and the comma", MostDigits)
	case t.Redials < 0 || t.Redials > MostRedials:
		return bad("redials", "%d is not between 0 and %d", t.Redials, MostRedials)
	case t.Longest < 0 || t.Longest > 1_000_000:
		return bad("longest_seconds", "%d is not between 0 and 1000000", t.Longest)
	}
	for i, d := range t.Forbidden {
		if !slices.Contains(Deeds, d) {
			return bad(indexed("forbidden", i), "%q is none of present, cameras, keys", d)
		}
	}
	return nil
}

// CutDigits splits digits off a target that are to be sent after the answer: they
// follow its first comma, as in sip:mcu@10.0.0.1,,1234#.
func CutDigits(target string) (address, digits string) {
	at := strings.IndexByte(target, ',')
	if at <= 0 || !ParseDigits(target[at:]) {
		return target, ""
	}
	return target[:at], target[at:]
}

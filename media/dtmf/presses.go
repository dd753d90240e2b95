package dtmf

import "time"

// Presses removes digits that come both ways: some terminals report one key press
// in the media and in signalling.
type Presses struct {
	last   rune
	source Source
	at     time.Time
}

// Source is how a key press was reported.
type Source uint8

// Sources of key presses.
const (
	FromMedia Source = iota + 1
	FromSignalling
)

// echo is how late the second report of one key press may come.
const echo = 800 * time.Millisecond

// Press reports whether a digit is a new key press.
func (p *Presses) Press(digit rune, from Source, now time.Time) bool {
	if digit == p.last && from != p.source && now.Sub(p.at) < echo {
		p.last = 0 // the pair is complete: the next one counts again
		return false
	}
	p.last, p.source, p.at = digit, from, now
	return true
}

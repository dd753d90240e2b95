package control

import (
	"time"

	"github.com/roomgate/roomgate/media"
)

// Event is something that happened in the control channel.
type Event interface{ event() }

// Established: capabilities are exchanged and it is known who is master. It comes again
// when the far side was replaced (H.323 clause 8.4.6).
type Established struct{ Master bool }

// MediaChanged: what Media returns has changed.
type MediaChanged struct{}

// Paused: the far side sent the empty capability set and takes nothing (true), or a full
// one again.
type Paused struct{ Paused bool }

// KeyframeRequested: the far side asks for a fresh picture of what we send.
type KeyframeRequested struct{ Role media.Role }

// Frozen: the far side was told to, or asks to, freeze its picture until the next
// complete one.
type Frozen struct{ Role media.Role }

// Digit is a key pressed (0-9 A-D * #), told by UserInput. The same key may also come as
// a telephone event in RTP from terminals that send both.
type Digit struct {
	Digit    rune
	Duration time.Duration // zero: not told
}

// Muted: the far side says that its channel carries nothing for now, or does again.
type Muted struct {
	Role  media.Role
	Muted bool
}

// TokenRequested: the far side wants to present (H.239). AnswerToken is due.
type TokenRequested struct{}

// TokenGranted: we may present; the content channel is being opened.
type TokenGranted struct{}

// TokenDenied: our request was refused, or not answered.
type TokenDenied struct{}

// TokenLost: we may present no longer.
type TokenLost struct{}

// TokenTaken: the far side presents.
type TokenTaken struct{}

// TokenReleased: the far side presents no longer.
type TokenReleased struct{}

// Product is how the far side calls itself (vendorIdentification).
type Product struct{ Product, Version string }

// RoundTrip is the time a roundTripDelayRequest took.
type RoundTrip struct{ Delay time.Duration }

// Silent: the far side, which answered roundTripDelayRequest before, does so no longer.
type Silent struct{}

// Seen: others in the far side's conference see our picture, or no longer do.
type Seen struct{ Seen bool }

// Numbered: the far side's conference gave us this number.
type Numbered struct{ MCU, Terminal uint8 }

// Disconnected: the far side ended the session. The call is to be released.
type Disconnected struct{}

// Failed: the session cannot go on.
type Failed struct{ Err error }

func (Established) event()       {}
func (MediaChanged) event()      {}
func (Paused) event()            {}
func (KeyframeRequested) event() {}
func (Frozen) event()            {}
func (Digit) event()             {}
func (Muted) event()             {}
func (TokenRequested) event()    {}
func (TokenGranted) event()      {}
func (TokenDenied) event()       {}
func (TokenLost) event()         {}
func (TokenTaken) event()        {}
func (TokenReleased) event()     {}
func (Product) event()           {}
func (RoundTrip) event()         {}
func (Silent) event()            {}
func (Seen) event()              {}
func (Numbered) event()          {}
func (Disconnected) event()      {}
func (Failed) event()            {}

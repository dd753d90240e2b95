package bfcp

import "time"

// Event is something that happened in a session. It names the floor's holder as
// we see it: ours or the far side.
type Event uint8

// Events.
const (
	Connected Event = iota + 1 // the far side speaks
	Requested                  // it wants the floor: Answer is due (Server only)
	OursIs                     // we hold the floor
	Refused                    // we do not get it
	Lost                       // we hold it no longer
	Taken                      // the far side, or somebody behind it, holds it
	Freed                      // and no longer
	Broken                     // it does not answer any more
)

func (e Event) String() string {
	names := [...]string{"", "connected", "requested", "ours", "refused", "lost", "taken", "freed", "broken"}
	if int(e) < len(names) {
		return names[e]
	}
	return "event"
}

// Config is what both sides are made of.
type Config struct {
	Conference uint32
	// User is the participant whose messages go over this association: theirs for a
	// Server, ours for a Client.
	User uint16
	// Floors are the floors we know; the first is that of the slides.
	Floors []uint16
	// Version to begin with, 1 or 2; the far side's is taken from its first message.
	Version uint8
	// Unreliable: messages may get lost, so they are repeated (RFC 8855 §8.3).
	Unreliable bool
	// Name is shown to the far side where others hold the floor (Server only).
	Name string
	// Send hands a message to the transport, and must not call back.
	Send func(*Message)
	// Emit tells what happened, and may call back.
	Emit func(Event)
	// First is the transaction to begin with; random in life.
	First uint16
}

// Session is one side of an association: a Server or a Client. It is not safe for
// concurrent use. Time comes with every call; Next says when Tick is due.
type Session interface {
	Start(now time.Time)
	Receive(now time.Time, m *Message)
	// Malformed takes what Parse could not read.
	Malformed(now time.Time, m *Message, err error)
	// Disconnected says that the connection underneath is gone, with all that was
	// under way; Start begins anew.
	Disconnected(now time.Time)
	Tick(now time.Time)
	Next() time.Time // zero: nothing is due
	// Request asks for the floor, for us: OursIs or Refused follows. A Server takes
	// it from the far side, if that holds it.
	Request(now time.Time)
	// Release gives it up, or the wish for it.
	Release(now time.Time)
	// Answer answers Requested.
	Answer(now time.Time, grant bool)
	// Close says farewell.
	Close(now time.Time)
}

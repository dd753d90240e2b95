// Package keypad is what the keys of a telephone, or of a terminal that has no remote
// control, do in a meeting: * and another key are a command. A key alone is none, so that
// nobody is muted by a pocket.
//
//	** what there is   *2 layout   *3 present   *4 chat   *5 lock   *6 mute
//
// A Menu has no clock and no sound: it is told keys and when they came.
package keypad

import "time"

// Command is what keys come to.
type Command uint8

// Commands.
const (
	None    Command = iota // a key alone
	Begun                  // * was pressed: another key follows
	Help                   // say what there is
	Layout                 // the next one
	Present                // or stop
	Chat                   // read the last of it
	Lock                   // the meeting, or unlock it
	Mute                   // oneself, or unmute
	Unknown                // * and a key that has no meaning
)

var commands = map[rune]Command{'*': Help, '2': Layout, '3': Present, '4': Chat, '5': Lock, '6': Mute}

// Patience is how long * waits for the key after it.
const Patience = 5 * time.Second

// Menu is what one leg has keyed. Its zero value is ready.
type Menu struct{ begun time.Time }

// Press takes a key.
func (m *Menu) Press(key rune, now time.Time) Command {
	begun := !m.begun.IsZero() && now.Sub(m.begun) <= Patience
	m.begun = time.Time{}
	switch {
	case !begun && key == '*':
		m.begun = now
		return Begun
	case !begun:
		return None
	}
	if c, ok := commands[key]; ok {
		return c
	}
	return Unknown
}

package keypad_test

import (
	"slices"
	"testing"
	"time"

	"github.com/roomgate/roomgate/gateway/keypad"
)

func TestKeysComeToCommands(t *testing.T) {
	const pause = ' ' // longer than * waits
	for keys, want := range map[string][]keypad.Command{
		"6":      {keypad.None},
		"123#":   {keypad.None, keypad.None, keypad.None, keypad.None},
		"*6":     {keypad.Begun, keypad.Mute},
		"*66":    {keypad.Begun, keypad.Mute, keypad.None},
		"**":     {keypad.Begun, keypad.Help},
		"***6":   {keypad.Begun, keypad.Help, keypad.Begun, keypad.Mute},
		"*2*3*5": {keypad.Begun, keypad.Layout, keypad.Begun, keypad.Present, keypad.Begun, keypad.Lock},
		"*4":     {keypad.Begun, keypad.Chat},
		"*9*6":   {keypad.Begun, keypad.Unknown, keypad.Begun, keypad.Mute},
		"*#6":    {keypad.Begun, keypad.Unknown, keypad.None},
		"* 6":    {keypad.Begun, keypad.None},
		"* *6":   {keypad.Begun, keypad.Begun, keypad.Mute},
	} {
		var m keypad.Menu
		now := time.Unix(1000, 0)
		var got []keypad.Command
		for _, k := range keys {
			if k == pause {
				now = now.Add(keypad.Patience + time.Millisecond)
				continue
			}
			now = now.Add(time.Second)
			got = append(got, m.Press(k, now))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", keys, got, want)
		}
	}
}

package event

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// packet is a telephone event as it arrives.
type packet struct {
	ts       uint32
	code     uint8
	end      bool
	duration uint16
}

// press is a key held for 80 ms at 8 kHz: four packets, the end three times.
func press(ts uint32, code uint8) []packet {
	return []packet{
		{ts, code, false, 160}, {ts, code, false, 320}, {ts, code, false, 480},
		{ts, code, true, 640}, {ts, code, true, 640}, {ts, code, true, 640},
	}
}

func join(runs ...[]packet) (all []packet) {
	for _, r := range runs {
		all = append(all, r...)
	}
	return all
}

func TestReceiver(t *testing.T) {
	one, two := press(1000, 1), press(5000, 2)
	for _, tc := range []struct {
		name string
		in   []packet
		want string
	}{
		{"two keys", join(one, two), "12"},
		{"the same key twice", join(one, press(3000, 1)), "11"},
		{"start lost", join(one[3:], two), "12"},
		{"all ends lost", join(one[:3], two), "12"},
		{"ends lost, the same key again", join(one[:3], press(1000+640+400, 1)), "11"},
		{"only one end arrives", one[5:], "1"},
		{"every packet twice", join(one, one, two, two), "12"},
		{"an old end overtaken by the next key", join(one[:3], two[:1], one[3:], two[1:]), "12"},
		{"timestamps wrap", join(press(0xffffff00, 9), press(0x800, 9)), "99"},
		{"a long press in two segments", []packet{
			{1000, 5, false, 0xff00}, {1000, 5, false, 0xffff}, {1000 + 0xffff, 5, false, 160}, {1000 + 0xffff, 5, true, 400},
		}, "5"},
		{"each packet stamped anew", []packet{{1000, 5, false, 160}, {1160, 5, false, 320}, {1320, 5, true, 480}}, "5"},
		{"another key before the end of the first", []packet{{1000, 5, false, 400}, {1100, 6, false, 160}}, "56"},
		{"an answer tone is no key", []packet{{1000, 32, false, 160}, {1000, 32, true, 320}}, ""},
		{"a clock that starts over", join(press(0x70000000, 1), press(100, 2)), "12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r Receiver
			got := ""
			for _, p := range tc.in {
				digit, ok, err := r.Push(p.ts, Event{Code: p.code, End: p.end, Duration: p.duration}.AppendTo(nil))
				require.NoError(t, err)
				if ok {
					got += string(digit)
				}
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestReceiverRefusesShortPayloads(t *testing.T) {
	var r Receiver
	_, ok, err := r.Push(1, []byte{1, 2, 3})
	require.False(t, ok)
	require.ErrorIs(t, err, ErrShort)
}

func TestReceiverReset(t *testing.T) {
	var r Receiver
	wire := Event{Code: 7, Duration: 160}.AppendTo(nil)
	_, ok, _ := r.Push(1, wire)
	require.True(t, ok)
	r.Reset()
	_, ok, _ = r.Push(1, wire)
	require.True(t, ok, "a new source may use the same timestamp")
}

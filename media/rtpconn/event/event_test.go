package event

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEventBothWays(t *testing.T) {
	for _, tc := range []struct {
		name string
		e    Event
		wire []byte
	}{
		{"digit 1 begins", Event{Code: 1, Volume: 10, Duration: 160}, []byte{1, 0x0a, 0, 160}},
		{"pound ends", Event{Code: 11, End: true, Volume: 63, Duration: 0xffff}, []byte{11, 0xbf, 0xff, 0xff}},
		{"zero", Event{}, []byte{0, 0, 0, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.wire, tc.e.AppendTo(nil))
			var got Event
			require.NoError(t, got.Unmarshal(tc.wire))
			require.Equal(t, tc.e, got)
			require.NoError(t, got.Unmarshal(append(tc.wire, 1, 2, 3)), "what follows is ignored")
			require.Equal(t, tc.e, got)
			for n := range tc.wire {
				require.True(t, errors.Is(got.Unmarshal(tc.wire[:n]), ErrShort), "prefix of %d octets", n)
			}
		})
	}
}

func TestReservedBitIsIgnored(t *testing.T) {
	var e Event
	require.NoError(t, e.Unmarshal([]byte{5, 0x4a, 0, 1}))
	require.Equal(t, Event{Code: 5, Volume: 10, Duration: 1}, e)
}

func TestDigitBothWays(t *testing.T) {
	for code, digit := range []rune(keys) {
		got, ok := Digit(uint8(code))
		require.True(t, ok)
		require.Equal(t, digit, got)
		back, ok := Code(digit)
		require.True(t, ok)
		require.Equal(t, uint8(code), back)
	}
	_, ok := Digit(17)
	require.False(t, ok)
	_, ok = Code('x')
	require.False(t, ok)
	code, ok := Code('b')
	require.True(t, ok)
	require.Equal(t, uint8(13), code)
}

func FuzzReceiver(f *testing.F) {
	f.Add(uint32(0), []byte{1, 0, 0, 160}, uint32(160), []byte{1, 0x80, 1, 0})
	f.Add(uint32(0xffffff00), []byte{16, 0xff, 0xff, 0xff}, uint32(5), []byte{})
	f.Fuzz(func(t *testing.T, ts1 uint32, p1 []byte, ts2 uint32, p2 []byte) {
		var r Receiver
		for _, p := range []struct {
			ts   uint32
			data []byte
		}{{ts1, p1}, {ts2, p2}, {ts1, p1}} {
			digit, ok, err := r.Push(p.ts, p.data)
			if ok && (err != nil || len(p.data) < Size) {
				t.Fatalf("digit %c from %x, error %v", digit, p.data, err)
			}
			// The same packet once more never counts twice.
			if _, again, _ := r.Push(p.ts, p.data); again {
				t.Fatalf("%x pressed twice at %d", p.data, p.ts)
			}
		}
	})
}

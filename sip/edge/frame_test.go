package edge

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNextFrame(t *testing.T) {
	good := "OPTIONS sip:a SIP/2.0\r\nVia: x\r\nl : 5\r\n\r\nhello"
	for _, c := range []struct {
		name, in string
		want     frame
	}{
		{"whole", good, frame{length: len(good)}},
		{"with the next", good + "OPTIONS", frame{length: len(good)}},
		{"no length", "A\r\nB: c\r\n\r\nrest", frame{length: 11, lost: true}},
		{"bad length", "A\r\nl: x\r\n\r\nrest", frame{length: 11, lost: true}},
		{"negative", "A\r\nl: -1\r\n\r\n", frame{length: 12, lost: true}},
		{"two lengths", "A\r\nl: 1\r\nl: 2\r\n\r\n", frame{length: 17, lost: true}},
		{"twice the same", "A\r\nl: 1\r\nl: 1\r\n\r\nx", frame{length: 18}},
		{"too large", "A\r\nl: 500\r\n\r\n", frame{length: 13, lost: true, over: true}},
		{"endless header", string(bytes.Repeat([]byte("x"), 101)), frame{length: 101, lost: true, over: true}},
		{"folded", "A\r\nContent-Length:\r\n 2\r\n\r\nxy", frame{length: 28}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, nextFrame([]byte(c.in), 0, 100)) })
	}
	for i := range len(good) { // every strict prefix waits for more, wherever the search goes on
		f := nextFrame([]byte(good[:i]), 0, 100)
		require.Zero(t, f.length, i)
		require.Equal(t, len(good), nextFrame([]byte(good), f.from, 100).length)
	}
}

package h264

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Cutting units off one by one finds what splitting finds.
func TestNextAnnexB(t *testing.T) {
	for _, stream := range []string{
		"", "abc", "\x00\x00\x01", "\x00\x00\x00\x01\x65abc", "x\x00\x00\x01\x67a\x00\x00\x00\x01\x68b\x00\x00\x01\x65c\x00\x00",
		"\x00\x00\x01\x65\x00\x00\x01\x00\x00\x01\x41",
	} {
		var got [][]byte
		for rest := []byte(stream); len(rest) > 0; {
			var nal []byte
			if nal, rest = NextAnnexB(rest); len(nal) > 0 {
				got = append(got, nal)
			}
		}
		assert.Equal(t, SplitAnnexB([]byte(stream)), got, "%q", stream)
	}
	data := []byte("\x00\x00\x00\x01\x65abc\x00\x00\x01\x41def")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for rest := data; len(rest) > 0; {
			_, rest = NextAnnexB(rest)
		}
	}))
}

package dtmf_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/dtmf"
)

func TestKeypadEcho(t *testing.T) {
	at := time.Unix(0, 0)
	var k dtmf.Presses
	for i, press := range []struct {
		digit rune
		from  dtmf.Source
		after time.Duration
		want  bool
	}{
		{'1', dtmf.FromMedia, 0, true}, {'1', dtmf.FromSignalling, 50 * time.Millisecond, false}, // one key, told twice
		{'1', dtmf.FromMedia, 300 * time.Millisecond, true}, {'1', dtmf.FromSignalling, 50 * time.Millisecond, false}, // pressed again
		{'2', dtmf.FromSignalling, 10 * time.Millisecond, true}, {'2', dtmf.FromMedia, 10 * time.Millisecond, false}, // the other way round
		{'3', dtmf.FromMedia, time.Second, true}, {'3', dtmf.FromMedia, 200 * time.Millisecond, true}, // two presses, one way
		{'3', dtmf.FromSignalling, 2 * time.Second, true}, // too late to be an echo
	} {
		at = at.Add(press.after)
		require.Equal(t, press.want, k.Press(press.digit, press.from, at), "press %d", i)
	}
}

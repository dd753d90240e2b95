package h323

import (
	"testing"

	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/media"
)

// TestEitherLaw: Asterisk opens a channel of µ-law, and sends A-law when it hears
// A-law. Both must come through, and a payload type that means something else stays.
func TestEitherLaw(t *testing.T) {
	pcmu := media.Format{Codec: media.PCMU, ClockRate: 8000, PayloadType: 0}
	pcma := media.Format{Codec: media.PCMA, ClockRate: 8000, PayloadType: 8}
	opus := media.Format{Codec: media.Opus, ClockRate: 48000, PayloadType: 8}
	for _, tc := range []struct {
		name    string
		receive []media.Format
		want    map[uint8]media.Codec
	}{
		{"µ-law", []media.Format{pcmu}, map[uint8]media.Codec{0: media.PCMU, 8: media.PCMA}},
		{"A-law", []media.Format{pcma}, map[uint8]media.Codec{0: media.PCMU, 8: media.PCMA}},
		{"taken", []media.Format{opus, pcmu}, map[uint8]media.Codec{0: media.PCMU, 8: media.Opus}},
		{"neither", []media.Format{opus}, map[uint8]media.Codec{8: media.Opus}},
		{"no channel", nil, map[uint8]media.Codec{}},
	} {
		m := control.Medium{Stream: media.Stream{Role: media.Audio}, Receive: tc.receive}
		got := (&sessions{traversal: new(h460.Media)}).params(&m, false).Receive
		if len(got) != len(tc.want) {
			t.Errorf("%s: %v", tc.name, got)
		}
		for pt, codec := range tc.want {
			if f := got[pt]; f.Codec != codec || f.PayloadType != pt {
				t.Errorf("%s: payload type %d is %v, want %s", tc.name, pt, f, codec)
			}
		}
	}
}

package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/testcard"
)

// What is coded to be read can be: each picture that comes out is legible, from the first
// on, and those that would not be are left out.
func TestTextStaysLegible(t *testing.T) {
	const w, h, fps, bps, frames = 640, 360, 7.5, 400_000, 20
	for name, codec := range map[string]Codec{"H264": H264, "VP8": VP8} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := NewEncoder(Encoding{Codec: codec, Width: w, Height: h, Bitrate: bps, FPS: fps, MaxUnit: 1188, Level: 31, Text: true})
			require.NoError(t, err)
			defer e.Close()
			d, err := NewDecoder(codec)
			require.NoError(t, err)
			defer d.Close()
			var raw []byte
			shown, last, total := 0, -1, 0
			for i := range frames {
				p, err := NewPicture(w, h)
				require.NoError(t, err)
				raw = testcard.DrawPage(raw, w, h, testcard.Card{Identity: i / 10, Counter: i}) // the page is turned once
				require.NoError(t, p.Import(raw))
				coded, err := e.Encode(p, time.Duration(float64(i)*float64(time.Second)/fps), false)
				p.Release()
				require.NoError(t, err)
				if len(coded.Data) == 0 {
					continue
				}
				total += len(coded.Data)
				out, err := d.Decode(padded(coded.Data), len(coded.Data))
				require.NoError(t, err, "frame %d", i)
				require.NotNil(t, out, "frame %d", i)
				page, ok := testcard.ReadPage(out.Export(), w, h)
				out.Release()
				assert.True(t, ok && page.Legible(), "frame %d: %d of %d letters, %q", i, page.Right, page.Letters, page.Text)
				shown, last = shown+1, page.Counter
			}
			assert.Greater(t, shown, 6, "pictures")
			assert.Greater(t, last, frames-5, "the last is fresh")
			t.Logf("%d pictures, %d bytes", shown, total)
		})
	}
}

package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/testcard"
)

// What is coded to be read can be: each picture that comes out is legible, from the first
// on, and those that would not be are left out. Large pages are, too, at the bit rates that
// terminals take for them.
func TestTextStaysLegible(t *testing.T) {
	const fps, frames = 7.5, 20
	for _, row := range []struct {
		codec     Codec
		w, h, bps int
		level     uint8
		least     int // pictures that come out
	}{
		{H264, 640, 360, 400_000, 31, 7},
		{VP8, 640, 360, 400_000, 31, 7},
		{H264, 1280, 720, 1_000_000, 31, 10},
		{H264, 1920, 1080, 2_000_000, 40, 10},
		{H264, 1920, 1080, 768_000, 40, 3},
	} {
		t.Run(fmt.Sprintf("%v %dx%d at %d", row.codec, row.w, row.h, row.bps), func(t *testing.T) {
			t.Parallel()
			e, err := NewEncoder(Encoding{Codec: row.codec, Width: row.w, Height: row.h, Bitrate: row.bps, FPS: fps, MaxUnit: 1188, Level: row.level, Text: true})
			require.NoError(t, err)
			defer e.Close()
			d, err := NewDecoder(row.codec)
			require.NoError(t, err)
			defer d.Close()
			var raw []byte
			shown, last, total := 0, -1, 0
			for i := range frames {
				p, err := NewPicture(row.w, row.h)
				require.NoError(t, err)
				raw = testcard.DrawPage(raw, row.w, row.h, testcard.Card{Identity: i / 10, Counter: i}) // the page is turned once
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
				page, ok := testcard.ReadPage(out.Export(), row.w, row.h)
				out.Release()
				assert.True(t, ok && page.Legible(), "frame %d: %d of %d letters, %q", i, page.Right, page.Letters, page.Text)
				shown, last = shown+1, page.Counter
			}
			assert.GreaterOrEqual(t, shown, row.least, "pictures")
			assert.Greater(t, last, frames-5, "the last is fresh")
			t.Logf("%d pictures, %d bytes", shown, total)
		})
	}
}

package engine

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/media/testcard"
)

// card is a test card as a picture.
func card(t testing.TB, width, height int, c testcard.Card) *Picture {
	t.Helper()
	p, err := NewPicture(width, height)
	require.NoError(t, err)
	require.NoError(t, p.Import(testcard.Draw(nil, width, height, c)))
	return p
}

func padded(data []byte) []byte { return append(bytes.Clone(data), make([]byte, Padding)...) }

// What is encoded decodes to what it was, at the rate asked for.
func TestCoders(t *testing.T) {
	for _, tc := range []struct {
		name   string
		codec  Codec
		w, h   int
		bps    int
		unit   int
		psnr   float64
		frames int
	}{
		{"H264 720p", H264, 1280, 720, 1_500_000, 1188, 33, 40},
		{"H264 CIF", H264, 352, 288, 384_000, 0, 33, 40},
		{"VP8", VP8, 640, 360, 800_000, 0, 33, 40},
		{"H263", H263, 352, 288, 384_000, 1180, 28, 40},
		{"H263 4CIF", H263, 704, 576, 1_000_000, 1180, 28, 40},
		{"H261", H261, 352, 288, 384_000, 0, 28, 40},
		{"H261 QCIF", H261, 176, 144, 128_000, 0, 28, 40},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := NewEncoder(Encoding{Codec: tc.codec, Width: tc.w, Height: tc.h, Bitrate: tc.bps, FPS: 30, MaxUnit: tc.unit, Level: 31})
			require.NoError(t, err)
			defer e.Close()
			d, err := NewDecoder(tc.codec)
			require.NoError(t, err)
			defer d.Close()
			total, keys, shown, worst := 0, 0, 0, 100.0
			for i := range tc.frames {
				c := testcard.Card{Identity: 9, Counter: i}
				p := card(t, tc.w, tc.h, c)
				coded, err := e.Encode(p, time.Duration(i)*time.Second/30, i == 20)
				p.Release()
				require.NoError(t, err)
				if len(coded.Data) == 0 {
					continue
				}
				total += len(coded.Data)
				if coded.Keyframe {
					keys++
				}
				if tc.codec == H264 {
					checkUnits(t, coded.Data, tc.unit)
				}
				out, err := d.Decode(padded(coded.Data), len(coded.Data))
				require.NoError(t, err, "frame %d", i)
				if out == nil {
					continue
				}
				data := out.Export()
				seen := testcard.Read(data, tc.w, tc.h)
				if assert.Len(t, seen, 1, "frame %d", i) {
					assert.Equal(t, c, seen[0].Card)
				}
				if i > 10 {
					worst = min(worst, testcard.PSNR(data, testcard.Draw(nil, tc.w, tc.h, c), tc.w, tc.h))
				}
				shown++
				out.Release()
			}
			bps := total * 8 * 30 / tc.frames
			t.Logf("%d of %d frames, %d keyframes, %d kbit/s, worst PSNR %.1f dB", shown, tc.frames, keys, bps/1000, worst)
			assert.Greater(t, shown, tc.frames*9/10)
			assert.GreaterOrEqual(t, keys, 2)
			assert.Greater(t, worst, tc.psnr)
			assert.Less(t, bps, tc.bps*13/10)
		})
	}
}

// checkUnits: slices short enough, parameter sets of Constrained Baseline.
func checkUnits(t *testing.T, data []byte, most int) {
	t.Helper()
	for _, nal := range h264.SplitAnnexB(data) {
		if most > 0 {
			assert.LessOrEqual(t, len(nal), most)
		}
		if h264.TypeOf(nal) == h264.SPSUnit {
			sps, err := h264.ParseSPS(nal)
			require.NoError(t, err)
			assert.True(t, sps.ConstrainedBaseline(), "%+v", sps)
			assert.Equal(t, uint8(31), sps.LevelIDC)
		}
	}
}

// The rate follows a change at once.
func TestRateChanges(t *testing.T) {
	for _, codec := range []Codec{H264, VP8, H263, H261} {
		t.Run(fmt.Sprint(codec), func(t *testing.T) {
			e, err := NewEncoder(Encoding{Codec: codec, Width: 352, Height: 288, Bitrate: 600_000, FPS: 30, Level: 30})
			require.NoError(t, err)
			defer e.Close()
			noise := make([]byte, testcard.Bytes(352, 288))
			seed := uint32(1)
			rate := func(from, to int) int {
				n := 0
				for i := from; i < to; i++ {
					for k := range noise { // hard to code
						seed = seed*1664525 + 1013904223
						noise[k] = 100 + byte(seed>>28)
					}
					p, err := NewPicture(352, 288)
					require.NoError(t, err)
					require.NoError(t, p.Import(noise))
					coded, err := e.Encode(p, time.Duration(i)*time.Second/30, false)
					require.NoError(t, err)
					n += len(coded.Data)
					p.Release()
				}
				return n * 8 * 30 / (to - from)
			}
			before := rate(0, 60)
			require.NoError(t, e.Change(200_000, 30))
			rate(60, 90)
			after := rate(90, 150)
			t.Logf("%d, then %d kbit/s", before/1000, after/1000)
			assert.Less(t, after, before*6/10)
		})
	}
}

func TestDrawKeepsShapes(t *testing.T) {
	canvas, err := NewPicture(640, 360)
	require.NoError(t, err)
	defer canvas.Release()
	for _, tc := range []struct {
		w, h int
		fit  Fit
		want Rect // of the card, in a tile of 320x180 at 320,180
	}{
		{1280, 720, Contain, Rect{320, 180, 320, 180}},
		{640, 480, Contain, Rect{360, 180, 240, 180}},
		{360, 640, Contain, Rect{428, 180, 100, 180}},
		{640, 480, Cover, Rect{320, 150, 320, 240}},
		{640, 480, Stretch, Rect{320, 180, 320, 180}},
	} {
		canvas.Fill(Rect{0, 0, 640, 360}, Black)
		p := card(t, tc.w, tc.h, testcard.Card{Identity: 7, Counter: 8})
		canvas.Draw(Rect{320, 180, 320, 180}, p, tc.fit)
		p.Release()
		seen := testcard.Read(canvas.Export(), 640, 360)
		require.Len(t, seen, 1)
		got := seen[0].Rect
		for _, d := range []struct{ want, got int }{{tc.want.X, got.Min.X}, {tc.want.Y, got.Min.Y}, {tc.want.W, got.Dx()}, {tc.want.H, got.Dy()}} {
			assert.InDelta(t, d.want, d.got, 6, "%dx%d fit %d: %v", tc.w, tc.h, tc.fit, got)
		}
	}
}

func TestBlend(t *testing.T) {
	canvas, err := NewPicture(64, 64)
	require.NoError(t, err)
	defer canvas.Release()
	canvas.Fill(Rect{0, 0, 64, 64}, Black)
	b := &Bitmap{Width: 16, Height: 16, Data: bytes.Repeat([]byte{128}, BitmapBytes(16, 16))}
	for i := range 256 {
		b.Data[i] = 235
		b.Data[Bytes(16, 16)+i] = 255
	}
	canvas.Blend(16, 16, b)
	canvas.Blend(60, 60, b) // sticks out: left out
	data := canvas.Export()
	assert.Equal(t, byte(16), data[15*64+15])
	assert.InDelta(t, 235, int(data[20*64+20]), 1)
	assert.Equal(t, byte(16), data[63*64+63])
}

// Pictures beyond the bound are refused, whatever a stream says.
func TestHugePicturesAreRefused(t *testing.T) {
	_, err := NewPicture(8192, 8192)
	assert.Error(t, err)
	_, err = NewEncoder(Encoding{Codec: VP8, Width: 16384, Height: 16384, Bitrate: 1e6, FPS: 30})
	assert.Error(t, err)
	d, err := NewDecoder(VP8)
	require.NoError(t, err)
	defer d.Close()
	// A keyframe header of VP8 that announces 16383x16383 (RFC 6386 §9.1).
	frame := append([]byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f}, make([]byte, 4000)...)
	p, err := d.Decode(padded(frame), len(frame))
	assert.Error(t, err)
	assert.Nil(t, p)
}

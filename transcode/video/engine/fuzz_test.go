package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecoder feeds a decoder with two frames, and what comes of them to a
// canvas: nothing that is decoded is larger than the bound, and nothing crashes.
func FuzzDecoder(f *testing.F) {
	for codec := H264; codec <= H261; codec++ {
		if !codec.Encodes() {
			f.Add(byte(codec), []byte{0x82, 0x49, 0x83, 0x42, 0, 1, 2, 3}, []byte{0x12, 0, 0x0a, 0x0a})
			continue
		}
		e, err := NewEncoder(Encoding{Codec: codec, Width: 176, Height: 144, Bitrate: 64_000, FPS: 30, Level: 11})
		require.NoError(f, err)
		p, err := NewPicture(176, 144)
		require.NoError(f, err)
		p.Fill(Rect{W: 176, H: 144}, Black)
		p.Fill(Rect{X: 40, Y: 40, W: 20, H: 30}, 0xc04060)
		var frames [2][]byte
		for i := range frames {
			coded, err := e.Encode(p, 0, i == 0)
			require.NoError(f, err)
			frames[i] = append(frames[i], coded.Data...)
			p.Fill(Rect{X: 60, Y: 20, W: 20, H: 30}, 0x804060)
		}
		p.Release()
		e.Close()
		f.Add(byte(codec), frames[0], frames[1])
	}
	canvas, err := NewPicture(320, 180)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, codec byte, one, two []byte) {
		d, err := NewDecoder(Codec(codec%byte(H261)) + 1)
		if err != nil {
			return
		}
		defer d.Close()
		for _, frame := range [][]byte{one, two, one} {
			p, _ := d.Decode(padded(frame), len(frame))
			if p == nil {
				continue
			}
			w, h := p.Size()
			if w <= 0 || h <= 0 || w*h > 4096*2304 {
				t.Errorf("a picture of %dx%d", w, h)
			}
			canvas.Draw(Rect{W: 320, H: 180}, p, Cover)
			canvas.Draw(Rect{W: 320, H: 180}, p, Contain)
			p.Release()
		}
	})
}

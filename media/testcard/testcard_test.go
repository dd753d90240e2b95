package testcard

import (
	"image"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCardsAreReadBack(t *testing.T) {
	for _, size := range [][2]int{{1280, 720}, {640, 360}, {352, 288}, {176, 144}, {360, 640}, {64, 36}} {
		var data []byte
		for _, c := range []Card{{0, 0}, {63, 1023}, {5, 512}, {42, 77}} {
			data = Draw(data, size[0], size[1], c)
			seen := Read(data, size[0], size[1])
			require.Len(t, seen, 1, "%v", size)
			assert.Equal(t, c, seen[0].Card, "%v", size)
			assert.InDelta(t, size[0], seen[0].Rect.Dx(), 4)
			assert.InDelta(t, size[1], seen[0].Rect.Dy(), 6)
		}
	}
}

// A picture that is not a card, or a damaged one, says nothing.
func TestNothingIsRead(t *testing.T) {
	data := make([]byte, Bytes(320, 180))
	assert.Empty(t, Read(data, 320, 180))
	for i := range data {
		data[i] = byte(i * 7)
	}
	assert.Empty(t, Read(data, 320, 180))
	assert.Empty(t, Read(data[:100], 320, 180))
	data = Draw(data, 320, 180, Card{Identity: 3, Counter: 9})
	for y := 30; y < 60; y++ {
		for x := 32; x < 56; x++ {
			data[y*320+x] = 255 - data[y*320+x]
		}
	}
	assert.Empty(t, Read(data, 320, 180), "one cell turned over")
}

func TestCardsAreFoundWhereTheyLie(t *testing.T) {
	const w, h = 640, 360
	whole := make([]byte, Bytes(w, h))
	p := newPlanes(whole, w, h)
	for i := range p.u {
		p.u[i], p.v[i] = 128, 128
	}
	for i := range 4 {
		card := newPlanes(Draw(nil, w/2, h/2, Card{Identity: i, Counter: 100 + i}), w/2, h/2)
		dx, dy := i%2*w/2, i/2*h/2
		for y := range h / 2 {
			copy(p.y[(dy+y)*w+dx:], card.y[y*w/2:][:w/2])
		}
		for y := range h / 4 {
			copy(p.u[(dy/2+y)*p.half+dx/2:], card.u[y*card.half:][:card.half])
			copy(p.v[(dy/2+y)*p.half+dx/2:], card.v[y*card.half:][:card.half])
		}
	}
	seen := Read(whole, w, h)
	require.Len(t, seen, 4)
	for i, s := range seen {
		assert.Equal(t, Card{Identity: i, Counter: 100 + i}, s.Card)
		want := image.Rect(i%2*w/2, i/2*h/2, i%2*w/2+w/2, i/2*h/2+h/2)
		assert.InDelta(t, want.Min.X, s.Rect.Min.X, 4)
		assert.InDelta(t, want.Min.Y, s.Rect.Min.Y, 4)
	}
	assert.InDelta(t, 100, PSNR(whole, whole, w, h), 0)
}

func FuzzRead(f *testing.F) {
	f.Add(Draw(nil, 64, 36, Card{7, 9}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, s := range Read(data, 64, 36) {
			if s.Identity > 63 || s.Counter >= Counters {
				t.Fatal(s)
			}
		}
	})
}

func TestLips(t *testing.T) {
	var l Lips
	known := false
	const noon = uint64(0xea000000) << 32
	sound := func() (uint64, uint32, bool) { return noon, 8000, known }
	sight := func() (uint64, uint32, bool) { return noon + 1<<31, 90000, known } // half a second later
	for i := range uint32(5) {
		known = i > 1
		l.Flash(90000+i*180000, 90000, sight)
		l.Beep(8000+4000+i*16000+8*30, 8000, sound) // 30 ms late
	}
	l.Beep(8000+4000+8*1200, 8000, sound) // of something else
	got := l.Offsets()
	require.Len(t, got, 5)
	for _, d := range got {
		assert.InDelta(t, 30, d.Milliseconds(), 1)
	}
}

package testcard

import (
	"image"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPagesAreReadBack(t *testing.T) {
	for _, size := range []image.Point{{1920, 1080}, {1280, 720}, {640, 360}, {352, 288}} {
		data := DrawPage(nil, size.X, size.Y, Card{Identity: 17, Counter: 1023})
		page, ok := ReadPage(data, size.X, size.Y)
		require.True(t, ok, "%v", size)
		assert.True(t, page.Legible(), "%v: %+v", size, page)
		assert.Equal(t, page.Letters, page.Right, "%v", size)
		assert.Greater(t, page.Letters, 100, "%v", size)
		assert.Equal(t, Page{Card{17, 1023}, page.Letters, page.Letters, "page 1023"}, page)
	}
}

// A page that was scaled on its way, though it has its size again, is not legible; nor is
// one with another text.
func TestPagesThatAreNotLegible(t *testing.T) {
	const w, h = 1280, 720
	c := Card{Identity: 3, Counter: 77}
	sharp := DrawPage(nil, w, h, c)
	blurred := append([]byte(nil), sharp...)
	for y := 0; y < h; y += 2 {
		for x := 0; x < w; x += 2 {
			sum := 0
			for _, i := range []int{y*w + x, y*w + x + 1, (y+1)*w + x, (y+1)*w + x + 1} {
				sum += int(sharp[i])
			}
			for _, i := range []int{y*w + x, y*w + x + 1, (y+1)*w + x, (y+1)*w + x + 1} {
				blurred[i] = byte(sum / 4)
			}
		}
	}
	page, ok := ReadPage(blurred, w, h)
	require.True(t, ok, "the panel is")
	assert.Equal(t, c, page.Card)
	assert.False(t, page.Legible(), "%+v", page)
	page, ok = ReadPage(Draw(nil, w, h, c), w, h)
	assert.True(t, ok)
	assert.False(t, page.Legible(), "a card is no page")
	_, ok = ReadPage(make([]byte, Bytes(w, h)), w, h)
	assert.False(t, ok)
}

func FuzzReadPage(f *testing.F) {
	f.Add(DrawPage(nil, 64, 64, Card{7, 9}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if page, ok := ReadPage(data, 64, 64); ok && page.Right > page.Letters {
			t.Fatal(page)
		}
	})
}

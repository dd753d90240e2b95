// Package layout says where pictures stand on a screen, and whose. It is pure
// geometry and policy: it knows no pixels, no streams and no clock.
package layout

import (
	"image"
	"math"
)

// Kind is an arrangement of tiles.
type Kind string

// Kinds. Those of the API are what people choose; content is what auto and
// speaker become while something is shared.
const (
	Auto    Kind = "auto"    // by how many there are
	Single  Kind = "single"  // one picture, all of the screen
	Speaker Kind = "speaker" // one large, the others small around it
	Grid    Kind = "grid"    // all of a size, as large as their number allows
	Grid2   Kind = "2x2"
	Grid3   Kind = "3x3"
	Grid4   Kind = "4x4"
	Grid5   Kind = "5x5"
	// Lecture shows everybody who is pinned, else who speaks, on all of the screen; that
	// one sees the others in turn.
	Lecture Kind = "lecture"
	Content Kind = "content" // shared content large, people in a row below
)

// Parse reads what people choose.
func Parse(s string) (Kind, bool) {
	switch k := Kind(s); k {
	case Auto, Single, Speaker, Grid, Grid2, Grid3, Grid4, Grid5, Lecture:
		return k, true
	}
	return "", false
}

// side is how many tiles stand in a row of a fixed grid; 0 for other kinds.
func (k Kind) side() int {
	switch k {
	case Grid2:
		return 2
	case Grid3:
		return 3
	case Grid4:
		return 4
	case Grid5:
		return 5
	}
	return 0
}

// maxSide bounds grids.
const maxSide = 5

// Capacity is how many pictures a kind shows at most.
func (k Kind) Capacity() int {
	switch {
	case k == Single, k == Lecture:
		return 1
	case k == Speaker:
		return 8
	case k == Content:
		return 6
	case k.side() > 0:
		return k.side() * k.side()
	}
	return maxSide * maxSide
}

// Rect is a tile in fractions of the screen.
type Rect struct{ X, Y, W, H float64 }

// Pixels is the tile on a screen of w by h, with even edges.
func (r Rect) Pixels(w, h int) image.Rectangle {
	even := func(f float64, n int) int { return int(math.Round(f*float64(n)/2)) * 2 }
	return image.Rect(even(r.X, w), even(r.Y, h), even(r.X+r.W, w), even(r.Y+r.H, h))
}

// Arrange places n pictures, the first where it counts most. It gives fewer
// tiles where n is beyond the kind's capacity.
func Arrange(k Kind, n int) []Rect {
	if n = min(n, k.Capacity()); n <= 0 {
		return nil
	}
	switch {
	case n == 1 && k.side() == 0:
		return []Rect{{0, 0, 1, 1}}
	case k == Speaker:
		return around(n)
	case k == Content:
		return above(n)
	case k.side() > 0:
		return rows(k.side(), n, true)
	}
	return rows(int(math.Ceil(math.Sqrt(float64(n)))), n, false)
}

// rows fills lines of side tiles. Of a grid that is not fixed the lines stand
// in the middle of the screen, and the last one in the middle of its line.
func rows(side, n int, fixed bool) []Rect {
	size := 1 / float64(side)
	lines := (n + side - 1) / side
	top := 0.0
	if !fixed {
		top = (1 - float64(lines)*size) / 2
	}
	tiles := make([]Rect, 0, n)
	for i := range n {
		line, column := i/side, i%side
		left := 0.0
		if here := min(n-line*side, side); !fixed {
			left = (1 - float64(here)*size) / 2
		}
		tiles = append(tiles, Rect{left + float64(column)*size, top + float64(line)*size, size, size})
	}
	return tiles
}

// around is one large tile, and small ones at its right and below: five of a
// third, or seven of a quarter.
func around(n int) []Rect {
	side := 3
	if n > 6 {
		side = 4
	}
	size := 1 / float64(side)
	large := 1 - size
	tiles := []Rect{{0, 0, large, large}}
	for i := range side - 1 {
		tiles = append(tiles, Rect{large, float64(i) * size, size, size})
	}
	for i := range side {
		tiles = append(tiles, Rect{1 - float64(i+1)*size, large, size, size})
	}
	return tiles[:n]
}

// above is one large tile with up to five small ones in a row below it.
func above(n int) []Rect {
	const large, size = 0.8, 0.2
	tiles := []Rect{{(1 - large) / 2, 0, large, large}}
	left := (1 - float64(n-1)*size) / 2
	for i := range n - 1 {
		tiles = append(tiles, Rect{left + float64(i)*size, large, size, size})
	}
	return tiles
}

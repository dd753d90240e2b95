// Package testcard draws test pictures that say who shows them and when, and
// reads them back out of whatever became of them: coded, scaled, composed with
// others. So tests can prove which picture is where, how fresh it is and how
// good.
//
// A card is I420. Its panel has a colour nothing else has; the brightness of
// its cells are bits:
//
//	+----------------------------------------+
//	|        background, by identity         |
//	|   +--------------------------------+   |   columns 1/10 to 9/10,
//	|   | i i i i i i n n n n            |   |   rows 3/20 to 11/20
//	|   | n n n n n n s s s s            |   |
//	|   +--------------------------------+   |
//	|        moving stripes                  |
//	+----------------------------------------+
//
// i: identity 0..63, n: counter modulo 1024, s: check sum.
package testcard

import (
	"image"
	"math"
)

// Card is what a card says.
type Card struct {
	Identity int // 0..63
	Counter  int // modulo Counters
}

// Counters is where the counter begins anew.
const Counters = 1 << 10

// Geometry of the panel, in fractions of the card.
const (
	panelLeft, panelRight = 0.1, 0.9
	panelTop, panelBottom = 0.15, 0.55
	columns, rows         = 10, 2
)

// Colours of the panel; chroma as far from the other colours as there is.
const (
	panelU, panelV = 84, 220
	dark, bright   = 50, 200
)

// Seen is a card found in a picture.
type Seen struct {
	Card
	// Rect is where the card lies, as far as the panel tells.
	Rect image.Rectangle
}

// Bytes is the length of a picture.
func Bytes(width, height int) int { return width*height + 2*((width+1)/2)*((height+1)/2) }

// Draw paints the card into a picture of even size. dst is grown as needed.
func Draw(dst []byte, width, height int, c Card) []byte {
	n := Bytes(width, height)
	if cap(dst) < n {
		dst = make([]byte, n)
	}
	dst = dst[:n]
	p := newPlanes(dst, width, height)
	p.background(c)
	p.stripes(c)
	p.paint(c.bits())
	return dst
}

// paint draws the panel with its cells. Of lines that are alike, here and below, one is drawn and
// the others are copied.
func (p planes) paint(bits int) {
	l, t, r, b := panel(p.width, p.height)
	drawn, like := []byte(nil), -1
	for y := t; y < b; y++ {
		line, row := p.y[y*p.width+l:y*p.width+r], (y-t)*rows/(b-t)
		if row == like {
			copy(line, drawn)
			continue
		}
		for x := range line {
			line[x] = dark
			if bits>>(row*columns+x*columns/(r-l))&1 == 1 {
				line[x] = bright
			}
		}
		drawn, like = line, row
	}
	for y := t / 2; y < b/2; y++ {
		fill(p.u[y*p.half+l/2:y*p.half+r/2], panelU)
		fill(p.v[y*p.half+l/2:y*p.half+r/2], panelV)
	}
}

// fill sets all of b to v.
func fill(b []byte, v byte) {
	if len(b) == 0 {
		return
	}
	b[0] = v
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// panel is its rectangle on even lines.
func panel(width, height int) (l, t, r, b int) {
	even := func(f float64, n int) int { return int(math.Round(f*float64(n)/2)) * 2 }
	return even(panelLeft, width), even(panelTop, height), even(panelRight, width), even(panelBottom, height)
}

// bits are the cells, row by row.
func (c Card) bits() int {
	v := c.Identity&63 | (c.Counter%Counters)<<6
	return v | check(v)<<16
}

// check is a sum that catches any one wrong cell, and most of several.
func check(v int) int {
	sum := 5
	for v > 0 {
		sum = (sum*3 + v&15) & 15
		v >>= 4
	}
	return sum
}

type planes struct {
	y, u, v             []byte
	width, height, half int
}

func newPlanes(data []byte, width, height int) planes {
	half := (width + 1) / 2
	luma, chroma := width*height, half*((height+1)/2)
	return planes{data[:luma], data[luma : luma+chroma], data[luma+chroma : luma+2*chroma], width, height, half}
}

// background has a colour by identity and a slope of brightness.
func (p planes) background(c Card) {
	drawn, like := []byte(nil), -1
	for y := range p.height {
		line, slope := p.y[y*p.width:][:p.width], 60*y/p.height
		if slope == like {
			copy(line, drawn)
			continue
		}
		for x := range line {
			line[x] = byte(60 + 80*x/p.width + slope)
		}
		drawn, like = line, slope
	}
	fill(p.u, byte(96+8*(c.Identity%8)))
	fill(p.v, min(byte(96+8*(c.Identity/8%8)), 150))
}

// stripes move by the counter, below the panel.
func (p planes) stripes(c Card) {
	wide := max(p.width/20, 2)
	moved := c.Counter * wide / 4
	for y := p.height * 13 / 20; y < p.height*18/20; y++ {
		line := p.y[y*p.width:][:p.width]
		for x := 0; x < p.width; {
			end := min(x+wide-(x+moved)%wide, p.width) // of what is alike
			if (x+moved)/wide%2 == 0 {
				fill(line[x:end], 220)
			}
			x = end
		}
	}
}

// PSNR compares the brightness of two pictures of a size, in dB. Equal ones are
// at 100.
func PSNR(a, b []byte, width, height int) float64 {
	sum := 0.0
	for i := range width * height {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	if sum == 0 {
		return 100
	}
	return 10 * math.Log10(255*255*float64(width*height)/sum)
}

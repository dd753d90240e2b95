package testcard

import (
	"fmt"
	"strings"

	"golang.org/x/image/font/basicfont"
)

// A page is a card as slides are: the panel, and text around it in letters of 7x13 pixels,
// whatever the size of the picture. So what is read of it proves that the picture came at
// the size it was sent, and sharp: letters that were scaled, or coded badly, are misread.
//
//	above and below the panel   a text that the identity tells
//	the last line               the counter, in letters

// Letters stand in cells of this size, in pixels, on a bright page.
const (
	cellWidth, cellHeight = 8, 16
	ink, paper            = 24, 232
	margin                = 8
)

// pageLine is a line of text of a page: its place, and what it says.
type pageLine struct {
	y    int
	text string
}

// lines are those of a page, from the top to the bottom; the last tells the counter.
func lines(width, height int, c Card) (list []pageLine) {
	columns := (width - 2*margin) / cellWidth
	_, top, _, bottom := panel(width, height)
	add := func(from, to int) {
		for y := from; y+cellHeight <= to; y += cellHeight {
			list = append(list, pageLine{y, sentence(c.Identity, len(list), columns)})
		}
	}
	add(margin, top-cellHeight/2)
	add(bottom+cellHeight/2&^1, height-margin)
	if len(list) > 0 {
		list[len(list)-1].text = counterText(c.Counter)
	}
	return list
}

// counterText is how a page tells its counter.
func counterText(n int) string { return fmt.Sprintf("page %04d", n) }

// sentence is a line of so many letters.
func sentence(identity, line, columns int) string {
	words := fmt.Sprintf("%02d/%02d The quick brown fox jumps over the lazy dog; 0123456789 BCEFGHIKLMNOPRSUVWXYZ. ", identity, line)
	return strings.Repeat(words, columns/len(words)+1)[:columns]
}

// DrawPage paints a page into a picture of even size. dst is grown as needed.
func DrawPage(dst []byte, width, height int, c Card) []byte {
	dst = Draw(dst, width, height, c)
	p := newPlanes(dst, width, height)
	l, t, r, b := panel(width, height)
	for y := range height {
		for x := range width {
			if x < l || x >= r || y < t || y >= b {
				p.y[y*width+x] = paper
			}
		}
	}
	for y := range (height + 1) / 2 {
		for x := range p.half {
			if x < l/2 || x >= r/2 || y < t/2 || y >= b/2 {
				p.u[y*p.half+x], p.v[y*p.half+x] = 128, 128
			}
		}
	}
	for _, line := range lines(width, height, c) {
		for i, letter := range []byte(line.text) {
			at := line.y*width + margin + i*cellWidth
			for k, dark := range glyphs[letter] {
				if dark {
					p.y[at+k/cellWidth*width+k%cellWidth] = ink
				}
			}
		}
	}
	return dst
}

// glyph is a letter in its cell, row by row.
type glyph [cellWidth * cellHeight]bool

// glyphs are the letters of ASCII; space and what has no shape are empty.
var glyphs = func() (list [128]glyph) {
	face := basicfont.Face7x13
	for _, ranges := range face.Ranges {
		for r := max(ranges.Low, '!'); r < min(ranges.High, 127); r++ {
			top := (int(r-ranges.Low) + ranges.Offset) * (face.Ascent + face.Descent)
			for y := range face.Ascent + face.Descent {
				for x := range face.Width {
					_, _, _, alpha := face.Mask.At(x, top+y).RGBA()
					list[r][(y+1)*cellWidth+x] = alpha > 0
				}
			}
		}
	}
	return list
}()

// Page is what was read of one.
type Page struct {
	Card
	// Letters is how many were looked at, Right how many of them are those of the page,
	// Text what the last line says.
	Letters, Right int
	Text           string
}

// Legible reports whether the text is read as it was written, all but a few letters in a
// hundred, and tells the same counter as the panel.
func (p Page) Legible() bool {
	return p.Letters > 0 && p.Right*100 >= p.Letters*97 && p.Text == counterText(p.Counter)
}

// mostLines bounds the lines that are read of a page.
const mostLines = 10

// ReadPage reads a page that fills an I420 picture without padding. ok is false where
// there is none.
func ReadPage(data []byte, width, height int) (page Page, ok bool) {
	seen := Read(data, width, height)
	if len(seen) != 1 {
		return page, false
	}
	page.Card = seen[0].Card
	p := newPlanes(data, width, height)
	list := lines(width, height, page.Card)
	if len(list) == 0 {
		return page, false
	}
	step := max(len(list)/mostLines, 1)
	for i := 0; i < len(list)-1; i += step {
		for k, read := range []byte(p.text(list[i], len(list[i].text))) {
			page.Letters++
			if read == list[i].text[k] {
				page.Right++
			}
		}
	}
	last := list[len(list)-1]
	page.Text = p.text(last, len(last.text))
	return page, true
}

// alphabet are the letters that are told apart.
const alphabet = " 0123456789ABCDEFGHIKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/;."

// text reads so many letters of a line.
func (p planes) text(line pageLine, n int) string {
	text := make([]byte, 0, n)
	for i := range n {
		at := line.y*p.width + margin + i*cellWidth
		// What is to be there is looked at first: of the others most are given up at once.
		best := line.text[i]
		least := p.unlike(at, &glyphs[best], 1<<30)
		for _, letter := range []byte(alphabet) {
			if d := p.unlike(at, &glyphs[letter], least); d < least {
				best, least = letter, d
			}
		}
		text = append(text, best)
	}
	return string(text)
}

// unlike is how far a cell is from a letter; it gives up beyond most.
func (p planes) unlike(at int, g *glyph, most int) (sum int) {
	for y := range cellHeight {
		row := p.y[at+y*p.width:][:cellWidth]
		for x, v := range row {
			want := paper
			if g[y*cellWidth+x] {
				want = ink
			}
			d := int(v) - want
			sum += max(d, -d)
		}
		if sum >= most {
			return sum
		}
	}
	return sum
}

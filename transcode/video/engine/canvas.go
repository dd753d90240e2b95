package engine

/*
#include "picture.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Rect is a part of a picture, in pixels.
type Rect struct{ X, Y, W, H int }

// Even moves the edges to even numbers, since chroma planes have half the
// lines.
func (r Rect) Even() Rect {
	x, y := r.X&^1, r.Y&^1
	return Rect{x, y, (r.X+r.W+1)&^1 - x, (r.Y+r.H+1)&^1 - y}
}

// in cuts r to a picture of w by h.
func (r Rect) in(w, h int) Rect {
	x, y := min(max(r.X, 0), w), min(max(r.Y, 0), h)
	return Rect{x, y, max(min(r.X+r.W, w)-x, 0), max(min(r.Y+r.H, h)-y, 0)}
}

// YUV is a colour, 0xYYUUVV.
type YUV uint32

// Black as video has it.
const Black YUV = 0x108080

// NewPicture makes one to draw on, of even size and undefined content.
func NewPicture(width, height int) (*Picture, error) {
	if width < 2 || height < 2 || width%2 != 0 || height%2 != 0 || width > C.RG_MAX_SIDE || height > C.RG_MAX_SIDE {
		return nil, fmt.Errorf("engine: picture of %dx%d", width, height)
	}
	p := &Picture{free: func(p *Picture) { C.rg_picture_free(&p.c) }}
	if C.rg_picture_alloc(&p.c, C.int(width), C.int(height)) != 0 {
		return nil, ErrMemory
	}
	p.refs.Store(1)
	return p, nil
}

// Import fills the picture from I420 without padding.
func (p *Picture) Import(data []byte) error {
	if len(data) != Bytes(p.Size()) {
		return fmt.Errorf("engine: %d bytes for a picture of %d", len(data), Bytes(p.Size()))
	}
	C.rg_picture_import(&p.c, (*C.uint8_t)(unsafe.Pointer(&data[0])))
	return nil
}

// Fill paints a rectangle.
func (p *Picture) Fill(r Rect, colour YUV) {
	w, h := p.Size()
	if r = r.Even().in(w, h); r.W > 0 && r.H > 0 {
		C.rg_picture_fill(&p.c, C.int(r.X), C.int(r.Y), C.int(r.W), C.int(r.H), C.int(colour))
	}
}

// Fit says how a picture goes into a tile of another shape.
type Fit uint8

// Fits.
const (
	Contain Fit = iota // all of it, with bars
	Cover              // all of the tile, edges cut
	Stretch            // all of both
)

// Draw scales src into the tile r.
func (p *Picture) Draw(r Rect, src *Picture, fit Fit) {
	w, h := p.Size()
	if r = r.Even().in(w, h); r.W < 2 || r.H < 2 {
		return
	}
	sw, sh := src.Size()
	part, into := Rect{0, 0, sw, sh}, r
	tile := float64(r.W) / float64(r.H)
	switch aspect := src.Aspect() / p.pixelAspect(); {
	case sw < 2 || sh < 2:
		return
	case fit == Contain:
		into = within(r, aspect)
	case fit == Cover && aspect > tile:
		part.W = max(int(float64(sw)*tile/aspect)&^1, 2)
		part.X = (sw - part.W) / 2 &^ 1
	case fit == Cover:
		part.H = max(int(float64(sh)*aspect/tile)&^1, 2)
		part.Y = (sh - part.H) / 2 &^ 1
	}
	p.bars(r, into)
	C.rg_picture_draw(&p.c, C.int(into.X), C.int(into.Y), C.int(into.W), C.int(into.H),
		&src.c, C.int(part.X), C.int(part.Y), C.int(part.W), C.int(part.H))
}

// within is the largest rectangle of a shape in the middle of r. A difference
// of less than three pixels in a hundred is not worth a bar.
func within(r Rect, aspect float64) Rect {
	tile := float64(r.W) / float64(r.H)
	if aspect/tile < 1.03 && tile/aspect < 1.03 {
		return r
	}
	w, h := r.W, r.H
	if aspect > tile {
		h = max(int(float64(w)/aspect)&^1, 2)
	} else {
		w = max(int(float64(h)*aspect)&^1, 2)
	}
	return Rect{r.X + (r.W-w)/2&^1, r.Y + (r.H-h)/2&^1, w, h}
}

// bars blackens what of r is left around into.
func (p *Picture) bars(r, into Rect) {
	p.Fill(Rect{r.X, r.Y, r.W, into.Y - r.Y}, Black)
	p.Fill(Rect{r.X, into.Y + into.H, r.W, r.Y + r.H - into.Y - into.H}, Black)
	p.Fill(Rect{r.X, into.Y, into.X - r.X, into.H}, Black)
	p.Fill(Rect{into.X + into.W, into.Y, r.X + r.W - into.X - into.W, into.H}, Black)
}

// Bitmap is a small picture with transparency: planes Y, U, V of I420, then
// alpha of full size.
type Bitmap struct {
	Width, Height int // even
	Data          []byte
}

// BitmapBytes is the length of a bitmap's data.
func BitmapBytes(width, height int) int { return Bytes(width, height) + width*height }

// Check says whether the sizes agree.
func (b *Bitmap) Check() error {
	if b.Width < 2 || b.Height < 2 || b.Width%2 != 0 || b.Height%2 != 0 || b.Width > C.RG_MAX_SIDE || b.Height > C.RG_MAX_SIDE ||
		len(b.Data) != BitmapBytes(b.Width, b.Height) {
		return fmt.Errorf("engine: bitmap of %dx%d with %d bytes", b.Width, b.Height, len(b.Data))
	}
	return nil
}

// Blend lays a bitmap over the picture. One that would stick out is left out.
func (p *Picture) Blend(x, y int, b *Bitmap) {
	x, y = x&^1, y&^1
	w, h := p.Size()
	if x < 0 || y < 0 || x+b.Width > w || y+b.Height > h || b.Check() != nil {
		return
	}
	C.rg_picture_blend(&p.c, C.int(x), C.int(y), (*C.uint8_t)(unsafe.Pointer(&b.Data[0])), C.int(b.Width), C.int(b.Height))
}

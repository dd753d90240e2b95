package testcard

import (
	"image"
	"math"
)

// Read finds the cards in an I420 picture without padding, from the top left to
// the bottom right.
func Read(data []byte, width, height int) []Seen {
	if width < 16 || height < 16 || len(data) < Bytes(width, height) {
		return nil
	}
	p := newPlanes(data, width, height)
	var found []Seen
	for _, r := range p.panels() {
		if s, ok := p.read(r); ok {
			found = append(found, s)
		}
	}
	return found
}

// isPanel reports the panel's colour, as far as coding leaves it.
func isPanel(u, v byte) bool {
	const slackU, slackV = 26, 39
	return u > panelU-slackU && u < panelU+slackU && v > panelV-slackV
}

// patch is an area of the panel's colour, in pixels of chroma.
type patch struct {
	area   int
	bounds image.Rectangle
	part   int // of a patch before it that it touches; its own index: of none
}

// run is where a line crosses a patch.
type run struct{ from, to, patch int }

// panels finds the areas of the panel's colour: their bounds, in pixels.
func (p planes) panels() []image.Rectangle {
	var patches []patch
	var above, line []run
	for y := range len(p.u) / p.half {
		line = line[:0]
		us, vs := p.u[y*p.half:][:p.half], p.v[y*p.half:][:p.half]
		for x := 0; x < p.half; x++ {
			from := x
			for x < p.half && isPanel(us[x], vs[x]) {
				x++
			}
			if x == from {
				continue
			}
			patches = append(patches, patch{area: x - from, bounds: image.Rect(from, y, x, y+1), part: len(patches)})
			line = append(line, run{from, x, len(patches) - 1})
			for _, r := range above {
				if r.from < x && r.to > from {
					join(patches, r.patch, len(patches)-1)
				}
			}
		}
		above, line = line, above
	}
	var list []image.Rectangle
	for i, a := range patches {
		// A panel is a full rectangle, and large enough to hold its cells.
		if size := a.bounds.Size(); a.part == i && 2*size.X >= 2*columns && size.Y >= rows && 10*a.area > 8*size.X*size.Y {
			list = append(list, image.Rectangle{a.bounds.Min.Mul(2), a.bounds.Max.Mul(2)})
		}
	}
	return list
}

// join makes one patch of two that touch.
func join(patches []patch, i, j int) {
	whole := func(i int) int {
		for patches[i].part != i {
			i = patches[i].part
		}
		return i
	}
	i, j = whole(i), whole(j)
	if i == j {
		return
	}
	i, j = min(i, j), max(i, j)
	patches[j].part = i
	patches[i].area += patches[j].area
	patches[i].bounds = patches[i].bounds.Union(patches[j].bounds)
}

// read takes the cells out of a panel.
func (p planes) read(r image.Rectangle) (Seen, bool) {
	r = r.Intersect(image.Rect(0, 0, p.width, p.height))
	v := 0
	for row := range rows {
		for column := range columns {
			if p.cell(r, column, row) > (dark+bright)/2 {
				v |= 1 << (row*columns + column)
			}
		}
	}
	c := Card{Identity: v & 63, Counter: v >> 6 & (Counters - 1)}
	if v>>16 != check(v&0xffff) {
		return Seen{}, false
	}
	w, h := float64(r.Dx())/(panelRight-panelLeft), float64(r.Dy())/(panelBottom-panelTop)
	left, top := float64(r.Min.X)-panelLeft*w, float64(r.Min.Y)-panelTop*h
	round := func(f float64) int { return int(math.Round(f)) }
	return Seen{c, image.Rect(round(left), round(top), round(left+w), round(top+h))}, true
}

// cell is the brightness in the middle of one.
func (p planes) cell(r image.Rectangle, column, row int) int {
	wide, high := float64(r.Dx())/columns, float64(r.Dy())/rows
	x0, x1 := r.Min.X+int((float64(column)+0.3)*wide), r.Min.X+int((float64(column)+0.7)*wide)
	y0, y1 := r.Min.Y+int((float64(row)+0.3)*high), r.Min.Y+int((float64(row)+0.7)*high)
	sum, n := 0, 0
	for y := y0; y <= y1 && y < p.height; y++ {
		for x := x0; x <= x1 && x < p.width; x++ {
			sum += int(p.y[y*p.width+x])
			n++
		}
	}
	return sum / max(n, 1)
}

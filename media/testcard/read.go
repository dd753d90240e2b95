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
func (p planes) isPanel(i int) bool {
	const slack = 26
	return math.Abs(float64(p.u[i])-panelU) < slack && math.Abs(float64(p.v[i])-panelV) < 1.5*slack && p.v[i] > 180
}

// panels finds the areas of the panel's colour: their bounds, in pixels.
func (p planes) panels() []image.Rectangle {
	high := len(p.u) / p.half
	seen := make([]bool, len(p.u))
	var list []image.Rectangle
	var stack []int
	for start := range p.u {
		if seen[start] || !p.isPanel(start) {
			continue
		}
		area, bounds := 0, image.Rectangle{}
		stack = append(stack[:0], start)
		seen[start] = true
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := i%p.half, i/p.half
			bounds = bounds.Union(image.Rect(x, y, x+1, y+1))
			area++
			for _, n := range [...]struct{ x, y int }{{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}} {
				if k := n.y*p.half + n.x; n.x >= 0 && n.x < p.half && n.y >= 0 && n.y < high && !seen[k] && p.isPanel(k) {
					seen[k] = true
					stack = append(stack, k)
				}
			}
		}
		// A panel is a full rectangle, and large enough to hold its cells.
		if size := bounds.Size(); 2*size.X >= 2*columns && size.Y >= rows && 10*area > 8*size.X*size.Y {
			list = append(list, image.Rectangle{bounds.Min.Mul(2), bounds.Max.Mul(2)})
		}
	}
	return list
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

package label

import (
	"image"
	"image/color"
)

// bitmap turns a picture into planes. Chroma is the mean of the four pixels it
// stands for, weighed by how much they show.
func bitmap(img *image.NRGBA) *Bitmap {
	w, h := img.Rect.Dx()&^1, img.Rect.Dy()&^1
	luma, chroma := w*h, w*h/4
	data := make([]byte, 2*luma+2*chroma)
	y, u, v, a := data[:luma], data[luma:luma+chroma], data[luma+chroma:luma+2*chroma], data[luma+2*chroma:]
	for row := range h {
		for column := range w {
			c := img.NRGBAAt(column, row)
			y[row*w+column] = lumaOf(c)
			a[row*w+column] = c.A
		}
	}
	for row := range h / 2 {
		for column := range w / 2 {
			u[row*w/2+column], v[row*w/2+column] = chromaOf(img, 2*column, 2*row)
		}
	}
	return &Bitmap{w, h, data}
}

// lumaOf is BT.601 in video range.
func lumaOf(c color.NRGBA) byte {
	return byte((66*int(c.R)+129*int(c.G)+25*int(c.B)+128)>>8 + 16)
}

func chromaOf(img *image.NRGBA, x, y int) (u, v byte) {
	r, g, b, sum := 0, 0, 0, 0
	for _, d := range [...]image.Point{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 0, Y: 1}, {X: 1, Y: 1}} {
		c := img.NRGBAAt(x+d.X, y+d.Y)
		a := int(c.A)
		r, g, b, sum = r+a*int(c.R), g+a*int(c.G), b+a*int(c.B), sum+a
	}
	if sum == 0 {
		return 128, 128
	}
	r, g, b = r/sum, g/sum, b/sum
	return byte((-38*r-74*g+112*b+128)>>8 + 128), byte((112*r-94*g-18*b+128)>>8 + 128)
}

// Package label draws names, initials and marks that lie over pictures: text in
// every language written with Latin, Greek or Cyrillic letters, Vietnamese with
// all its marks among them.
//
// A Bitmap is what the video worker blends: planes Y, U and V of 4:2:0, then
// transparency of full size.
package label

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// Bitmap is a small picture with transparency; its sides are even.
type Bitmap struct {
	Width, Height int
	Data          []byte
}

// Weight of the letters.
type Weight uint8

// Weights.
const (
	Regular Weight = iota
	Bold
)

var fonts = sync.OnceValues(func() ([2]*opentype.Font, error) {
	var list [2]*opentype.Font
	for i, data := range [][]byte{liberationsansregular.TTF, liberationsansbold.TTF} {
		f, err := opentype.Parse(data)
		if err != nil {
			return list, err
		}
		list[i] = f
	}
	return list, nil
})

// face is a font in a size, in pixels of an em.
func face(w Weight, size float64) (font.Face, error) {
	all, err := fonts()
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(all[w], &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
}

// Clean makes a name that was sent by a stranger fit to be drawn: one line,
// composed letters (so that marks stand where they belong), nothing that
// cannot be seen or turns the line around.
func Clean(s string) string {
	s = norm.NFC.String(s)
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.C, r), unicode.Is(unicode.Zs, r) && r != ' ', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// Colours of a name: white on a dark band that lets the picture through.
var (
	white = color.NRGBA{245, 245, 245, 255}
	band  = color.NRGBA{16, 18, 24, 150}
	red   = color.NRGBA{220, 60, 50, 255}
)

// Name draws a name on a band, height pixels high and at most width wide; what
// is too long ends in an ellipsis. muted puts a mark before it.
func Name(name string, height, width int, muted bool) (*Bitmap, error) {
	height, width = max(height&^1, 10), max(width&^1, 10)
	f, err := face(Regular, float64(height)*0.62)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pad := height / 3
	left := pad
	if muted {
		left += height
	}
	text := shorten(f, Clean(name), width-left-pad)
	w := min(left+font.MeasureString(f, text).Ceil()+pad, width)
	img := image.NewNRGBA(image.Rect(0, 0, (w+1)&^1, height))
	draw.Draw(img, img.Bounds(), image.NewUniform(band), image.Point{}, draw.Src)
	if muted {
		drawMuted(img, image.Rect(pad, height/6, pad+height*2/3, height*5/6))
	}
	write(img, f, text, left, baseline(f, height))
	return bitmap(img), nil
}

// Recording draws the mark of what is recorded: a red dot and REC, which is read in every
// language.
func Recording(height int) (*Bitmap, error) {
	height = max(height&^1, 10)
	f, err := face(Bold, float64(height)*0.62)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const text = "REC"
	pad := height / 3
	left := 2*pad + height/2
	img := image.NewNRGBA(image.Rect(0, 0, (left+font.MeasureString(f, text).Ceil()+pad+1)&^1, height))
	draw.Draw(img, img.Bounds(), image.NewUniform(band), image.Point{}, draw.Src)
	disc(img, pad+height/4, height/2, height/4, red)
	write(img, f, text, left, baseline(f, height))
	return bitmap(img), nil
}

// Line draws text on nothing, height pixels high and at most width wide; what is too long
// ends in an ellipsis.
func Line(text string, height, width int, w Weight) (*Bitmap, error) {
	height, width = max(height&^1, 10), max(width&^1, 10)
	f, err := face(w, float64(height)*0.62)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text = shorten(f, Clean(text), width)
	img := image.NewNRGBA(image.Rect(0, 0, max(2, (min(font.MeasureString(f, text).Ceil(), width)+1)&^1), height))
	write(img, f, text, 0, baseline(f, height))
	return bitmap(img), nil
}

// Wrap breaks text into lines of so many letters at most, where words allow.
func Wrap(text string, letters int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(Clean(text)) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > letters:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// Initials draws the first letters of a name's first and last word, which in
// Vietnamese are family name and given name, within size pixels.
func Initials(name string, size int) (*Bitmap, error) {
	size = max(size&^1, 10)
	f, err := face(Bold, float64(size)*0.5)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := initials(name)
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	disc(img, size/2, size/2, size/2, color.NRGBA{70, 100, 150, 255})
	write(img, f, text, (size-font.MeasureString(f, text).Ceil())/2, baseline(f, size))
	return bitmap(img), nil
}

func initials(name string) string {
	words := strings.Fields(Clean(name))
	var out []rune
	for i, w := range words {
		if i > 0 && i < len(words)-1 {
			continue
		}
		for _, r := range w {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				out = append(out, unicode.ToUpper(r))
				break
			}
		}
	}
	return string(out)
}

// Text draws lines on a band, such as a notice in the middle of a screen.
func Text(lines []string, height, width int) (*Bitmap, error) {
	height, width = max(height&^1, 10), max(width&^1, 10)
	f, err := face(Regular, float64(height)*0.62)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pad, most := height/2, 0
	short := make([]string, len(lines))
	for i, l := range lines {
		short[i] = shorten(f, Clean(l), width-2*pad)
		most = max(most, font.MeasureString(f, short[i]).Ceil())
	}
	img := image.NewNRGBA(image.Rect(0, 0, (most+2*pad+1)&^1, height*len(lines)+pad&^1))
	draw.Draw(img, img.Bounds(), image.NewUniform(band), image.Point{}, draw.Src)
	for i, l := range short {
		write(img, f, l, (img.Rect.Dx()-font.MeasureString(f, l).Ceil())/2, pad/2+i*height+baseline(f, height))
	}
	return bitmap(img), nil
}

func baseline(f font.Face, height int) int {
	m := f.Metrics()
	return (height*64 + m.Ascent.Round()*64 - m.Descent.Round()*64) / 2 / 64
}

// shorten cuts text to width with an ellipsis.
func shorten(f font.Face, text string, width int) string {
	if font.MeasureString(f, text).Ceil() <= width {
		return text
	}
	letters := []rune(text)
	for n := len(letters) - 1; n > 0; n-- {
		if s := strings.TrimRight(string(letters[:n]), " ") + "…"; font.MeasureString(f, s).Ceil() <= width {
			return s
		}
	}
	return ""
}

func write(img draw.Image, f font.Face, text string, x, y int) {
	d := font.Drawer{Dst: img, Src: image.NewUniform(white), Face: f, Dot: fixed.P(x, y)}
	d.DrawString(text)
}

// drawMuted draws a microphone that is struck through.
func drawMuted(img *image.NRGBA, r image.Rectangle) {
	w, h := r.Dx(), r.Dy()
	x := r.Min.X + w/2
	fill(img, image.Rect(x-w/6, r.Min.Y, x+w/6+1, r.Min.Y+h*6/10), white)
	fill(img, image.Rect(x-w*2/7, r.Min.Y+h*4/10, x-w/5, r.Min.Y+h*7/10), white)
	fill(img, image.Rect(x+w/5+1, r.Min.Y+h*4/10, x+w*2/7+1, r.Min.Y+h*7/10), white)
	fill(img, image.Rect(x-w*2/7, r.Min.Y+h*7/10, x+w*2/7+1, r.Min.Y+h*8/10), white)
	fill(img, image.Rect(x, r.Min.Y+h*8/10, x+1, r.Max.Y), white)
	for i := range h {
		px := r.Min.X + i*w/h
		fill(img, image.Rect(px-1, r.Min.Y+i, px+max(w/8, 2), r.Min.Y+i+1), red)
	}
}

func fill(img *image.NRGBA, r image.Rectangle, c color.NRGBA) {
	draw.Draw(img, r.Intersect(img.Rect), image.NewUniform(c), image.Point{}, draw.Src)
}

func disc(img *image.NRGBA, cx, cy, radius int, c color.NRGBA) {
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if dx, dy := x-cx, y-cy; dx*dx+dy*dy <= radius*radius {
				img.SetNRGBA(x, y, c)
			}
		}
	}
}

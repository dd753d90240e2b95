package wire

import "fmt"

// Frame is the body of Coded, and of Encoded with Delay and Side.
type Frame struct {
	Timestamp uint32 // 90 kHz
	Flags     uint8
	Delay     uint32 // microseconds from when the picture was due to when it was coded
	Side      []byte
	Data      []byte
}

// AppendCoded writes the body of Coded.
func (f *Frame) AppendCoded(dst []byte) []byte {
	return append(append(put32(dst, f.Timestamp), f.Flags), f.Data...)
}

// ReadCoded reads it. Data is a part of body.
func ReadCoded(body []byte) (f Frame, err error) {
	c := cursor{data: body}
	f.Timestamp, f.Flags, f.Data = c.u32("timestamp"), c.u8("flags"), c.rest()
	return f, c.end()
}

// AppendEncoded writes the body of Encoded.
func (f *Frame) AppendEncoded(dst []byte) []byte {
	dst = put32(append(put32(dst, f.Timestamp), f.Flags), f.Delay)
	dst = append(put32(dst, uint32(len(f.Side))), f.Side...)
	return append(dst, f.Data...)
}

// ReadEncoded reads it. Side and Data are parts of body.
func ReadEncoded(body []byte) (f Frame, err error) {
	c := cursor{data: body}
	f.Timestamp, f.Flags, f.Delay = c.u32("timestamp"), c.u8("flags"), c.u32("delay")
	f.Side = c.take("side", int(c.u32("side length")))
	f.Data = c.rest()
	return f, c.end()
}

// Tile is a place for a source on a canvas; one without a source is painted in
// its colour.
type Tile struct {
	Source     uint32 // 0 = none
	X, Y, W, H int
	Fit        uint8
	Colour     uint32 // 0xYYUUVV, until the source has a picture
}

// Place is where a bitmap lies.
type Place struct {
	Bitmap uint32
	X, Y   int
}

// Scene is the body of Canvas.
type Scene struct {
	Width, Height int
	FPS           float64
	Follow        uint32 // source whose pictures set the pace; 0 = FPS does
	Background    uint32
	Tiles         []Tile
	Bitmaps       []Place
}

// Limits of a scene: a grid of 5x5 and the bitmaps on it.
const (
	MaxTiles   = 64
	MaxBitmaps = 255
)

// Append writes the body.
func (s *Scene) Append(dst []byte) []byte {
	dst = put16(put16(put16(dst, s.Width), s.Height), int(100*s.FPS))
	dst = append(put24(put32(dst, s.Follow), s.Background), byte(len(s.Tiles)))
	for _, t := range s.Tiles {
		dst = put16(put16(put16(put16(put32(dst, t.Source), t.X), t.Y), t.W), t.H)
		dst = put24(append(dst, t.Fit), t.Colour)
	}
	dst = append(dst, byte(len(s.Bitmaps)))
	for _, p := range s.Bitmaps {
		dst = put16(put16(put32(dst, p.Bitmap), p.X), p.Y)
	}
	return dst
}

// ReadScene reads it.
func ReadScene(body []byte) (s Scene, err error) {
	c := cursor{data: body}
	s.Width, s.Height, s.FPS = int(c.u16("width")), int(c.u16("height")), float64(c.u16("fps"))/100
	s.Follow, s.Background = c.u32("follow"), c.u24("background")
	n := int(c.u8("tiles"))
	if n > MaxTiles {
		return s, fmt.Errorf("wire: %d tiles", n)
	}
	for i := range n {
		f := fmt.Sprintf("tile %d", i)
		s.Tiles = append(s.Tiles, Tile{
			c.u32(f), int(c.u16(f)), int(c.u16(f)), int(c.u16(f)), int(c.u16(f)), c.u8(f), c.u24(f),
		})
	}
	for i := range int(c.u8("bitmaps")) {
		f := fmt.Sprintf("bitmap %d", i)
		s.Bitmaps = append(s.Bitmaps, Place{c.u32(f), int(c.u16(f)), int(c.u16(f))})
	}
	return s, c.end()
}

// Encoder is the body of OpenEncoder.
type Encoder struct {
	Canvas  uint32
	Codec   uint8
	Level   uint8 // level_idc of H.264
	Bitrate int
	FPS     float64
	MaxUnit int // bytes of a slice or piece; 0 = no limit
	Text    bool
}

// Append writes the body.
func (e *Encoder) Append(dst []byte) []byte {
	dst = append(put32(dst, e.Canvas), e.Codec, e.Level)
	text := byte(0)
	if e.Text {
		text = 1
	}
	return append(put16(AppendRate(dst, e.Bitrate, e.FPS), e.MaxUnit), text)
}

// ReadEncoder reads it.
func ReadEncoder(body []byte) (e Encoder, err error) {
	c := cursor{data: body}
	e.Canvas, e.Codec, e.Level = c.u32("canvas"), c.u8("codec"), c.u8("level")
	e.Bitrate, e.FPS = int(c.u32("bitrate")), float64(c.u16("fps"))/100
	e.MaxUnit, e.Text = int(c.u16("unit")), c.u8("text")&1 == 1
	return e, c.end()
}

// AppendRate writes the body of ChangeRate.
func AppendRate(dst []byte, bitrate int, fps float64) []byte {
	return put16(put32(dst, uint32(bitrate)), int(100*fps))
}

// ReadRate reads it.
func ReadRate(body []byte) (bitrate int, fps float64, err error) {
	c := cursor{data: body}
	bitrate, fps = int(c.u32("bitrate")), float64(c.u16("fps"))/100
	return bitrate, fps, c.end()
}

// Image is the body of Bitmap and, with Timestamp, of Viewed.
type Image struct {
	Timestamp     uint32
	Width, Height int
	Data          []byte
}

// AppendBitmap writes the body of Bitmap.
func (i *Image) AppendBitmap(dst []byte) []byte {
	return append(put16(put16(dst, i.Width), i.Height), i.Data...)
}

// ReadBitmap reads it. Data is a part of body.
func ReadBitmap(body []byte) (i Image, err error) {
	c := cursor{data: body}
	i.Width, i.Height, i.Data = int(c.u16("width")), int(c.u16("height")), c.rest()
	return i, c.end()
}

// AppendViewed writes the body of Viewed.
func (i *Image) AppendViewed(dst []byte) []byte { return i.AppendBitmap(put32(dst, i.Timestamp)) }

// ReadViewed reads it. Data is a part of body.
func ReadViewed(body []byte) (i Image, err error) {
	c := cursor{data: body}
	stamp := c.u32("timestamp")
	i.Width, i.Height, i.Data = int(c.u16("width")), int(c.u16("height")), c.rest()
	i.Timestamp = stamp
	return i, c.end()
}

// Size is the body of Shape, and of View with Every.
type Size struct {
	Width, Height int
	Every         bool // View: each picture, not only the next
}

// AppendShape writes the body of Shape.
func (s Size) AppendShape(dst []byte) []byte { return put16(put16(dst, s.Width), s.Height) }

// ReadShape reads it.
func ReadShape(body []byte) (s Size, err error) {
	c := cursor{data: body}
	s.Width, s.Height = int(c.u16("width")), int(c.u16("height"))
	return s, c.end()
}

// AppendView writes the body of View.
func (s Size) AppendView(dst []byte) []byte {
	every := byte(0)
	if s.Every {
		every = 1
	}
	return append(s.AppendShape(dst), every)
}

// ReadView reads it.
func ReadView(body []byte) (s Size, err error) {
	c := cursor{data: body}
	s.Width, s.Height, s.Every = int(c.u16("width")), int(c.u16("height")), c.u8("every") != 0
	return s, c.end()
}

// Abilities is the body of Hello.
type Abilities struct{ Decodes, Encodes uint8 } // bit codec-1

// Append writes the body.
func (a Abilities) Append(dst []byte) []byte { return append(dst, a.Decodes, a.Encodes) }

// ReadAbilities reads it.
func ReadAbilities(body []byte) (a Abilities, err error) {
	c := cursor{data: body}
	a.Decodes, a.Encodes = c.u8("decodes"), c.u8("encodes")
	return a, c.end()
}

// Load is the body of Pong.
type Load struct {
	Frames uint32 // decoded and encoded since the start
	Busy   uint64 // microseconds of work since the start
}

// Append writes the body.
func (l Load) Append(dst []byte) []byte {
	return put32(put32(put32(dst, l.Frames), uint32(l.Busy>>32)), uint32(l.Busy))
}

// ReadLoad reads it.
func ReadLoad(body []byte) (l Load, err error) {
	c := cursor{data: body}
	l.Frames, l.Busy = c.u32("frames"), c.number("busy", 8)
	return l, c.end()
}

// Failure is the body of Failed.
type Failure struct {
	Of   Kind
	Text string
}

// Append writes the body.
func (f Failure) Append(dst []byte) []byte { return append(append(dst, byte(f.Of)), f.Text...) }

// ReadFailure reads it.
func ReadFailure(body []byte) (f Failure, err error) {
	c := cursor{data: body}
	f.Of = Kind(c.u8("kind"))
	f.Text = string(c.rest())
	return f, c.end()
}

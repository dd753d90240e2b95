// Package engine is the C side of the video worker: decoders, encoders and the
// drawing between them. Only the worker links it. Everything a stranger's
// bytes touch happens here, so nothing outside of the worker's process may call
// it.
//
//	coded frame -> Decoder -> Picture -> Canvas.Draw -> Encoder -> coded frame
//
// libavcodec decodes everything and encodes H.263 and H.261; OpenH264 and
// libvpx are called directly for H.264 and VP8, since changes of the bit rate
// do not reach them through libavcodec; libyuv scales and blends.
package engine

/*
#cgo CFLAGS: -O2
#cgo pkg-config: libavcodec libavutil openh264 vpx
#cgo LDFLAGS: -lyuv
#include <stdlib.h>
#include "picture.h"

#cgo noescape rg_decoder_decode
#cgo nocallback rg_decoder_decode
#cgo noescape rg_encoder_encode
#cgo nocallback rg_encoder_encode
#cgo noescape rg_picture_draw
#cgo nocallback rg_picture_draw
#cgo noescape rg_picture_blend
#cgo nocallback rg_picture_blend
*/
import "C"

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// Codec is a video codec by its number on the wire.
type Codec uint8

// Codecs.
const (
	H264 Codec = C.RG_H264
	VP8  Codec = C.RG_VP8
	VP9  Codec = C.RG_VP9
	AV1  Codec = C.RG_AV1
	H263 Codec = C.RG_H263
	H261 Codec = C.RG_H261
)

// Decodes reports whether the libraries at hand decode c.
func (c Codec) Decodes() bool { return C.rg_can_decode(C.int(c)) != 0 }

// Encodes reports whether the libraries at hand encode c.
func (c Codec) Encodes() bool { return C.rg_can_encode(C.int(c)) != 0 }

// Padding is how many zero bytes must follow what a Decoder is given.
const Padding = C.RG_PADDING

// Errors of coders; what libraries say besides goes nowhere, as strangers
// decide on it.
var (
	ErrDecode = errors.New("engine: not decodable")
	ErrEncode = errors.New("engine: not encodable")
	ErrMemory = errors.New("engine: no memory")
)

// Picture is a raw picture, shared by counting: every Hold needs a Release.
type Picture struct {
	c    C.rg_picture
	refs atomic.Int32
	free func(*Picture)
}

// Size is in pixels.
func (p *Picture) Size() (width, height int) { return int(p.c.width), int(p.c.height) }

// Aspect is width to height as the picture is to be shown; pixels that are not
// square count.
func (p *Picture) Aspect() float64 {
	return float64(p.c.width) / float64(p.c.height) * p.pixelAspect()
}

// pixelAspect is the shape of a pixel: as the stream states it, else 12:11 for
// the CIF family, whose pictures are 4:3 by definition (H.261 §3.1, H.263 §4.1),
// also when they come as H.264 that states nothing.
func (p *Picture) pixelAspect() float64 {
	if p.c.sar_num > 0 && p.c.sar_den > 0 && p.c.sar_num != p.c.sar_den {
		if sar := float64(p.c.sar_num) / float64(p.c.sar_den); sar > 0.25 && sar < 4 {
			return sar
		}
	}
	if w, h := p.Size(); w*9 == h*11 && w <= 1408 || w == 128 && h == 96 {
		return 12.0 / 11
	}
	return 1
}

// Hold keeps the picture for one more owner.
func (p *Picture) Hold() *Picture {
	p.refs.Add(1)
	return p
}

// Alone reports whether nobody else holds the picture; nil is nobody's.
func (p *Picture) Alone() bool { return p != nil && p.refs.Load() == 1 }

// Release gives it up; the last one frees it.
func (p *Picture) Release() {
	if p.refs.Add(-1) == 0 {
		p.free(p)
	}
}

// Export copies the picture as I420 without padding.
func (p *Picture) Export() []byte {
	out := make([]byte, Bytes(p.Size()))
	C.rg_picture_export(&p.c, (*C.uint8_t)(unsafe.Pointer(&out[0])))
	return out
}

// Bytes is the length of an exported picture.
func Bytes(width, height int) int {
	return width*height + 2*((width+1)/2)*((height+1)/2)
}

// Decoder decodes one stream. Not for concurrent use.
type Decoder struct{ c *C.rg_decoder }

// NewDecoder opens a decoder of one thread. Close it.
func NewDecoder(codec Codec) (*Decoder, error) {
	d := C.rg_decoder_open(C.int(codec))
	if d == nil {
		return nil, fmt.Errorf("engine: no decoder of codec %d", codec)
	}
	return &Decoder{d}, nil
}

// Decode takes one frame with Padding zero bytes behind it, which size does not
// count. It gives nil without an error when no picture is due.
func (d *Decoder) Decode(data []byte, size int) (*Picture, error) {
	if size <= 0 || len(data) < size+Padding {
		return nil, ErrDecode
	}
	p := &Picture{free: func(p *Picture) { C.rg_picture_release(&p.c) }}
	switch C.rg_decoder_decode(d.c, (*C.uint8_t)(unsafe.Pointer(&data[0])), C.int(size), &p.c) {
	case 0:
		return nil, nil
	case 1:
		p.refs.Store(1)
		return p, nil
	}
	return nil, ErrDecode
}

// Flush forgets what was decoded.
func (d *Decoder) Flush() { C.rg_decoder_flush(d.c) }

// Close frees the decoder; pictures it gave stay valid.
func (d *Decoder) Close() { C.rg_decoder_close(d.c) }

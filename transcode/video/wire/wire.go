// Package wire is what the gateway and a video worker say to each other over a
// socketpair. Compressed frames cross it, raw pictures do not, but for small
// views that somebody asked for.
//
// Every message is a frame of the stream, numbers big-endian:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| length of what follows                                        |
//	+---------------+-----------------------------------------------+
//	| kind          | object: the number of a source, canvas, ...   |
//	+---------------+---------------+-------------------------------+
//	| ...           | body ...
//	+---------------+
//
// to the worker                     | body
//
//	1 OpenSource   source          | codec:8
//	2 Coded        source          | timestamp:32 flags:8 data
//	3 CloseSource  source          |
//	4 Canvas       canvas          | width:16 height:16 fps/100:16 follow:32 background:24
//	                               | tiles:8 { source:32 x:16 y:16 w:16 h:16 fit:8 colour:24 }
//	                               | bitmaps:8 { bitmap:32 x:16 y:16 }
//	5 CloseCanvas  canvas          |
//	6 OpenEncoder  encoder         | canvas:32 codec:8 level:8 bitrate:32 fps/100:16 unit:16 text:8
//	7 ChangeRate   encoder         | bitrate:32 fps/100:16
//	8 Keyframe     encoder         |
//	9 CloseEncoder encoder         |
//	10 Bitmap      bitmap          | width:16 height:16 I420 planes, alpha plane
//	11 DropBitmap  bitmap          |
//	12 View        source          | width:16 height:16 every:8
//	13 Ping        number          |
//
// from the worker
//
//	128 Hello      version         | decodes:8 encodes:8 (bit codec-1)
//	129 Encoded    encoder         | timestamp:32 flags:8 delay/us:32 side:32 side-data data
//	130 NeedKey    source          |
//	131 Shape      source          | width:16 height:16
//	132 Viewed     source          | timestamp:32 width:16 height:16 I420 planes
//	133 Pong       number          | frames of the pool:32 busy/us:64
//	134 Failed     object          | kind:8 of what failed, text
//
// A canvas with follow is drawn when that source has a new picture, and bears
// its timestamp; otherwise it is drawn fps times a second, as far as something
// has changed, and timestamps are of the worker's own 90 kHz clock.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Version of the protocol; both sides must have the same.
const Version = 1

// Kind tells messages apart.
type Kind uint8

// Messages to the worker.
const (
	OpenSource Kind = iota + 1
	Coded
	CloseSource
	Canvas
	CloseCanvas
	OpenEncoder
	ChangeRate
	Keyframe
	CloseEncoder
	Bitmap
	DropBitmap
	View
	Ping
)

// Messages from the worker.
const (
	Hello Kind = iota + 128
	Encoded
	NeedKey
	Shape
	Viewed
	Pong
	Failed
)

// Flags of frames.
const (
	FlagKey = 1 << iota
)

// Codec numbers; those of engine.
const (
	H264 uint8 = iota + 1
	VP8
	VP9
	AV1
	H263
	H261
)

// Limits of a message: the largest is a view or a coded picture.
const (
	MaxBody   = 16 << 20
	headerLen = 4 + 1 + 4
)

// ErrTooLong is returned for a message beyond MaxBody.
var ErrTooLong = errors.New("wire: message too long")

// Message is one message. Body is valid until the next Read.
type Message struct {
	Kind   Kind
	Object uint32
	Body   []byte
}

// Reader takes messages off a stream.
type Reader struct {
	from io.Reader
	head [headerLen]byte
	body []byte
	pad  int
}

// NewReader reads from r. Each body is followed by padding zero bytes within
// its capacity, as decoders want it.
func NewReader(r io.Reader, padding int) *Reader { return &Reader{from: r, pad: padding} }

// Read waits for the next message.
func (r *Reader) Read() (Message, error) {
	if _, err := io.ReadFull(r.from, r.head[:]); err != nil {
		return Message{}, err
	}
	n := int(binary.BigEndian.Uint32(r.head[:])) - (headerLen - 4)
	if n < 0 || n > MaxBody {
		return Message{}, fmt.Errorf("wire: message of %d bytes", n)
	}
	if cap(r.body) < n+r.pad {
		r.body = make([]byte, n+r.pad+n/4)
	}
	body := r.body[:n+r.pad]
	if _, err := io.ReadFull(r.from, body[:n]); err != nil {
		return Message{}, err
	}
	clear(body[n:])
	return Message{Kind(r.head[4]), binary.BigEndian.Uint32(r.head[5:]), body[:n]}, nil
}

// Append adds a message whose body is made by body, which may be nil.
func Append(dst []byte, kind Kind, object uint32, body func(dst []byte) []byte) ([]byte, error) {
	start := len(dst)
	dst = begin(dst, kind, object)
	if body != nil {
		dst = body(dst)
	}
	return finish(dst, start)
}

// AppendFrame adds a Coded message; it does not allocate where dst has room.
func AppendFrame(dst []byte, object uint32, f *Frame) ([]byte, error) {
	start := len(dst)
	return finish(f.AppendCoded(begin(dst, Coded, object)), start)
}

func begin(dst []byte, kind Kind, object uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 0, byte(kind)), object)
}

// finish writes the length of a message that begins at start.
func finish(dst []byte, start int) ([]byte, error) {
	n := len(dst) - start - 4
	if n-(headerLen-4) > MaxBody {
		return dst[:start], ErrTooLong
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(n))
	return dst, nil
}

// cursor reads a body. After the first error it gives zeros.
type cursor struct {
	data []byte
	err  error
}

func (c *cursor) take(field string, n int) []byte {
	if c.err == nil && n > len(c.data) {
		c.err = fmt.Errorf("wire: %s: truncated", field)
	}
	if c.err != nil {
		return nil
	}
	b := c.data[:n]
	c.data = c.data[n:]
	return b
}

func (c *cursor) number(field string, bytes int) (v uint64) {
	for _, b := range c.take(field, bytes) {
		v = v<<8 | uint64(b)
	}
	return v
}

func (c *cursor) u8(field string) uint8   { return uint8(c.number(field, 1)) }
func (c *cursor) u16(field string) uint16 { return uint16(c.number(field, 2)) }
func (c *cursor) u24(field string) uint32 { return uint32(c.number(field, 3)) }
func (c *cursor) u32(field string) uint32 { return uint32(c.number(field, 4)) }

// rest is what is left.
func (c *cursor) rest() []byte { return c.take("rest", len(c.data)) }

// end refuses bytes that nobody reads.
func (c *cursor) end() error {
	if c.err == nil && len(c.data) > 0 {
		c.err = fmt.Errorf("wire: %d bytes too many", len(c.data))
	}
	return c.err
}

func put16(dst []byte, v int) []byte { return binary.BigEndian.AppendUint16(dst, uint16(v)) }

func put24(dst []byte, v uint32) []byte { return append(dst, byte(v>>16), byte(v>>8), byte(v)) }

func put32(dst []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(dst, v) }

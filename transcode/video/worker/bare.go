package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roomgate/roomgate/transcode/video/engine"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// Bare is the baseline of benchmarks: it decodes, scales and encodes in a plain
// loop what in holds, at the pace of a camera, without sockets or goroutines, and
// prints the processor time that took.
//
// in begins with an OpenSource, a Canvas and an OpenEncoder, whose objects do
// not matter, and goes on with Coded messages.
func Bare(in io.Reader, out io.Writer) error {
	b, err := readBare(in)
	if err != nil {
		return err
	}
	d, err := engine.NewDecoder(b.codec)
	if err != nil {
		return err
	}
	defer d.Close()
	e, err := engine.NewEncoder(b.encoding)
	if err != nil {
		return err
	}
	defer e.Close()
	canvas, err := engine.NewPicture(b.encoding.Width, b.encoding.Height)
	if err != nil {
		return err
	}
	defer canvas.Release()
	began, err := processorTime()
	if err != nil {
		return err
	}
	coded := 0
	pace := time.NewTicker(time.Second / 30) // with caches as cold as a camera finds them
	defer pace.Stop()
	for i, f := range b.frames {
		<-pace.C
		p, err := d.Decode(f, len(f)-engine.Padding)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		canvas.Draw(engine.Rect{W: b.encoding.Width, H: b.encoding.Height}, p, engine.Contain)
		p.Release()
		c, err := e.Encode(canvas, time.Duration(i)*time.Second/30, i == 0)
		if err != nil {
			return err
		}
		if len(c.Data) > 0 {
			coded++
		}
	}
	ended, err := processorTime()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, (ended - began).Microseconds(), coded)
	return err
}

type bare struct {
	codec    engine.Codec
	encoding engine.Encoding
	frames   [][]byte // with padding
}

func readBare(in io.Reader) (*bare, error) {
	b := &bare{}
	r := wire.NewReader(in, engine.Padding)
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) && len(b.frames) > 0 {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		switch m.Kind {
		case wire.OpenSource:
			if len(m.Body) == 1 {
				b.codec = engine.Codec(m.Body[0])
			}
		case wire.Canvas:
			s, err := wire.ReadScene(m.Body)
			if err != nil {
				return nil, err
			}
			b.encoding.Width, b.encoding.Height = s.Width, s.Height
		case wire.OpenEncoder:
			e, err := wire.ReadEncoder(m.Body)
			if err != nil {
				return nil, err
			}
			b.encoding.Codec, b.encoding.Bitrate, b.encoding.FPS = engine.Codec(e.Codec), e.Bitrate, e.FPS
			b.encoding.Level, b.encoding.MaxUnit, b.encoding.Text = e.Level, e.MaxUnit, e.Text
		case wire.Coded:
			f, err := wire.ReadCoded(m.Body)
			if err != nil {
				return nil, err
			}
			b.frames = append(b.frames, append(bytes.Clone(f.Data), make([]byte, engine.Padding)...))
		}
	}
}

// processorTime is what the process has used so far.
func processorTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

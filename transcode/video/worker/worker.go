// Package worker is the process that touches strangers' pictures: it decodes,
// scales, composes and encodes what a gateway tells it over a socketpair, see
// package wire. One process serves several meetings.
//
//	Coded -> source (decode) -> canvas (draw) -> encoder (encode) -> Encoded
//	                       \--> canvas ...   \--> encoder ...
//
// Each source, canvas and encoder has a goroutine of its own; C code runs on as
// many threads at once as there are processors, one thread per coder. What
// cannot be done in time is left out: a source that is behind waits for its next
// keyframe, an encoder that is behind skips pictures.
//
// The process bounds itself before it reads a byte (see sandbox.go); what goes
// wrong beyond that ends it, and the gateway starts another.
package worker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/roomgate/roomgate/transcode/video/engine"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// Worker serves one gateway.
type Worker struct {
	cores *cores
	out   chan []byte
	done  chan struct{} // closed when nothing is to be sent any more
	start time.Time
	wait  sync.WaitGroup

	// Owned by Serve's goroutine.
	sources  map[uint32]*source
	canvases map[uint32]*canvas
	encoders map[uint32]*encoder
	bitmaps  map[uint32]*engine.Bitmap
}

// Limits of what a gateway may open.
const (
	maxObjects = 1024
	outDepth   = 256
)

// Serve works until the gateway closes conn.
func Serve(conn io.ReadWriter) error {
	w := &Worker{
		cores: newCores(), out: make(chan []byte, outDepth), done: make(chan struct{}), start: time.Now(),
		sources: map[uint32]*source{}, canvases: map[uint32]*canvas{},
		encoders: map[uint32]*encoder{}, bitmaps: map[uint32]*engine.Bitmap{},
	}
	sent := make(chan struct{})
	go w.send(conn, sent)
	w.tell(wire.Hello, wire.Version, abilities().Append)
	err := w.serve(wire.NewReader(bufio.NewReaderSize(conn, 1<<18), engine.Padding))
	w.close()
	<-sent
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return err
}

func (w *Worker) serve(in *wire.Reader) error {
	for {
		m, err := in.Read()
		if err != nil {
			return err
		}
		if err := w.handle(m); err != nil {
			w.tell(wire.Failed, m.Object, wire.Failure{Of: m.Kind, Text: err.Error()}.Append)
		}
	}
}

// close ends all objects, those first that others feed on.
func (w *Worker) close() {
	close(w.done)
	for _, e := range w.encoders {
		e.close()
	}
	for _, c := range w.canvases {
		c.close()
	}
	for _, s := range w.sources {
		s.close()
	}
	w.wait.Wait()
	w.cores.close()
	close(w.out)
}

// send writes what is to be told, several messages at once where they queue.
func (w *Worker) send(to io.Writer, done chan<- struct{}) {
	defer close(done)
	buffered := bufio.NewWriterSize(to, 1<<16)
	for m := range w.out {
		_, err := buffered.Write(m)
		if len(w.out) == 0 && err == nil {
			err = buffered.Flush()
		}
		if err != nil { // the gateway is gone; so will be the reader
			for range w.out { // nobody must wait for us
			}
			return
		}
	}
}

func (w *Worker) tell(kind wire.Kind, object uint32, body func([]byte) []byte) {
	m, err := wire.Append(nil, kind, object, body)
	if err != nil {
		return // only a view can be too long, and those are bounded
	}
	select {
	case w.out <- m:
	case <-w.done:
	}
}

func abilities() wire.Abilities {
	var a wire.Abilities
	for c := engine.H264; c <= engine.H261; c++ {
		if c.Decodes() {
			a.Decodes |= 1 << (c - 1)
		}
		if c.Encodes() {
			a.Encodes |= 1 << (c - 1)
		}
	}
	return a
}

// handle does what a message asks for. Messages about what is not there are
// late, not wrong.
func (w *Worker) handle(m wire.Message) error {
	switch m.Kind {
	case wire.OpenSource:
		return w.openSource(m)
	case wire.Coded:
		if s := w.sources[m.Object]; s != nil {
			return s.take(m.Body)
		}
	case wire.CloseSource:
		if s := w.sources[m.Object]; s != nil {
			delete(w.sources, m.Object)
			s.close()
		}
	case wire.View:
		return w.view(m)
	case wire.Canvas:
		return w.setCanvas(m)
	case wire.CloseCanvas:
		if c := w.canvases[m.Object]; c != nil {
			delete(w.canvases, m.Object)
			c.close()
		}
	case wire.OpenEncoder:
		return w.openEncoder(m)
	case wire.ChangeRate, wire.Keyframe, wire.CloseEncoder:
		return w.changeEncoder(m)
	case wire.Bitmap:
		return w.setBitmap(m)
	case wire.DropBitmap:
		delete(w.bitmaps, m.Object)
	case wire.Ping:
		w.tell(wire.Pong, m.Object, w.cores.load().Append)
	default:
		return fmt.Errorf("unknown message %d", m.Kind)
	}
	return nil
}

func (w *Worker) openSource(m wire.Message) error {
	if len(m.Body) != 1 || w.sources[m.Object] != nil || len(w.sources) >= maxObjects {
		return errors.New("source cannot be opened")
	}
	s, err := newSource(w, m.Object, engine.Codec(m.Body[0]))
	if err != nil {
		return err
	}
	w.sources[m.Object] = s
	return nil
}

func (w *Worker) view(m wire.Message) error {
	size, err := wire.ReadView(m.Body)
	if err != nil {
		return err
	}
	if s := w.sources[m.Object]; s != nil {
		return s.view(size)
	}
	return nil
}

func (w *Worker) setBitmap(m wire.Message) error {
	image, err := wire.ReadBitmap(m.Body)
	if err != nil {
		return err
	}
	b := &engine.Bitmap{Width: image.Width, Height: image.Height, Data: append([]byte(nil), image.Data...)}
	if err := b.Check(); err != nil {
		return err
	}
	if w.bitmaps[m.Object] == nil && len(w.bitmaps) >= maxObjects {
		return errors.New("too many bitmaps")
	}
	w.bitmaps[m.Object] = b
	return nil
}

// setCanvas makes a canvas or changes what it shows.
func (w *Worker) setCanvas(m wire.Message) error {
	s, err := wire.ReadScene(m.Body)
	if err != nil {
		return err
	}
	next, err := w.scene(&s)
	if err != nil {
		return err
	}
	c := w.canvases[m.Object]
	if c == nil {
		if len(w.canvases) >= maxObjects {
			return errors.New("too many canvases")
		}
		c = newCanvas(w, next)
		w.canvases[m.Object] = c
		return nil
	}
	if c.width != next.width || c.height != next.height {
		return errors.New("a canvas cannot change its size")
	}
	c.show(next)
	return nil
}

func (w *Worker) openEncoder(m wire.Message) error {
	spec, err := wire.ReadEncoder(m.Body)
	if err != nil {
		return err
	}
	c := w.canvases[spec.Canvas]
	if c == nil || w.encoders[m.Object] != nil || len(w.encoders) >= maxObjects {
		return errors.New("encoder cannot be opened")
	}
	e, err := newEncoder(w, m.Object, engine.Encoding{
		Codec: engine.Codec(spec.Codec), Width: c.width, Height: c.height,
		Bitrate: spec.Bitrate, FPS: spec.FPS, MaxUnit: spec.MaxUnit, Level: spec.Level, Text: spec.Text,
	})
	if err != nil {
		return err
	}
	w.encoders[m.Object] = e
	e.from = c
	c.add(e)
	return nil
}

func (w *Worker) changeEncoder(m wire.Message) error {
	e := w.encoders[m.Object]
	if e == nil {
		return nil
	}
	switch m.Kind {
	case wire.Keyframe:
		e.wantKey()
	case wire.CloseEncoder:
		delete(w.encoders, m.Object)
		e.from.remove(e)
		e.close()
	case wire.ChangeRate:
		bitrate, fps, err := wire.ReadRate(m.Body)
		if err != nil {
			return err
		}
		e.change(bitrate, fps)
	}
	return nil
}

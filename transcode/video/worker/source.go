package worker

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/roomgate/roomgate/transcode/video/engine"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// source decodes one stream and keeps its latest picture.
type source struct {
	w      *Worker
	id     uint32
	codec  engine.Codec
	queue  chan codedFrame
	spare  chan []byte // buffers that come back
	behind bool        // frames are left out until a keyframe; of Serve's goroutine

	mu        sync.Mutex
	latest    *engine.Picture
	stamp     uint32
	followers []*canvas
	viewing   wire.Size
	serial    atomic.Uint64 // counts pictures
}

type codedFrame struct {
	data      []byte // with padding
	size      int
	timestamp uint32
	key       bool
}

// smallest is the least width and height of a picture; media servers send
// smaller ones to say that nothing comes.
const smallest = 16

// queueDepth is how many frames may wait; more than that is half a second.
const queueDepth = 16

// Limits of a view, which somebody looks at in small.
const (
	maxViewWidth  = 1920
	maxViewHeight = 1088
)

func newSource(w *Worker, id uint32, codec engine.Codec) (*source, error) {
	d, err := engine.NewDecoder(codec)
	if err != nil {
		return nil, err
	}
	s := &source{w: w, id: id, codec: codec, queue: make(chan codedFrame, queueDepth), spare: make(chan []byte, queueDepth)}
	w.wait.Add(1)
	go s.run(d)
	return s, nil
}

// take queues a frame, or leaves it out when there are too many.
func (s *source) take(body []byte) error {
	f, err := wire.ReadCoded(body)
	if err != nil {
		return err
	}
	if s.behind && f.Flags&wire.FlagKey == 0 && s.codec != engine.H261 {
		return nil
	}
	next := codedFrame{s.buffer(len(f.Data)), len(f.Data), f.Timestamp, f.Flags&wire.FlagKey != 0}
	copy(next.data, f.Data)
	clear(next.data[next.size:])
	select {
	case s.queue <- next:
		s.behind = false
	default:
		s.behind = true
		s.w.tell(wire.NeedKey, s.id, nil)
	}
	return nil
}

func (s *source) buffer(size int) []byte {
	var b []byte
	select {
	case b = <-s.spare:
	default:
	}
	if n := size + engine.Padding; cap(b) < n {
		b = make([]byte, n+n/2)
	}
	return b[:size+engine.Padding]
}

// run decodes until the queue is closed.
func (s *source) run(d *engine.Decoder) {
	defer s.w.wait.Done()
	defer func() { d.Close() }()
	var width, height int
	for f := range s.queue {
		var p *engine.Picture
		var err error
		s.w.cores.work(func() {
			if p, err = d.Decode(f.data, f.size); err != nil && f.key {
				d, p, err = s.renew(d, &f)
			}
		})
		select {
		case s.spare <- f.data:
		default:
		}
		if err != nil {
			s.w.tell(wire.NeedKey, s.id, nil)
			continue
		}
		if p == nil {
			continue
		}
		w, h := p.Size()
		if w < smallest || h < smallest {
			p.Release()
			continue
		}
		if w != width || h != height {
			width, height = w, h
			s.w.tell(wire.Shape, s.id, wire.Size{Width: w, Height: h}.AppendShape)
		}
		s.publish(p, f.timestamp)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest != nil {
		s.latest.Release()
		s.latest = nil
		s.serial.Add(1) // its tiles go blank
	}
}

// renew decodes a keyframe with a decoder that knows nothing of what came before:
// some that were told of a size beyond the bound take no picture ever after.
func (s *source) renew(old *engine.Decoder, f *codedFrame) (*engine.Decoder, *engine.Picture, error) {
	d, err := engine.NewDecoder(s.codec)
	if err != nil {
		return old, nil, err
	}
	old.Close()
	p, err := d.Decode(f.data, f.size)
	return d, p, err
}

// publish makes p the latest picture and wakes who follows.
func (s *source) publish(p *engine.Picture, timestamp uint32) {
	s.mu.Lock()
	old := s.latest
	s.latest, s.stamp = p, timestamp
	s.serial.Add(1)
	followers := s.followers
	viewing := s.viewing
	if !viewing.Every {
		s.viewing = wire.Size{}
	}
	if viewing.Width > 0 {
		p.Hold()
	}
	s.mu.Unlock()
	if old != nil {
		old.Release()
	}
	for _, c := range followers {
		c.nudge()
	}
	if viewing.Width > 0 {
		s.sendView(p, timestamp, viewing)
	}
}

// hold gives the latest picture, held for the caller, or nil.
func (s *source) hold() (p *engine.Picture, serial uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest == nil {
		return nil, s.serial.Load()
	}
	return s.latest.Hold(), s.serial.Load()
}

// position is where the source is in its stream.
func (s *source) position() (timestamp uint32, serial uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stamp, s.serial.Load()
}

func (s *source) view(size wire.Size) error {
	if size.Width > maxViewWidth || size.Height > maxViewHeight || (size.Width == 0) != (size.Height == 0) {
		return errors.New("view too large")
	}
	size.Width, size.Height = size.Width&^1, size.Height&^1
	s.mu.Lock()
	s.viewing = size
	s.mu.Unlock()
	return nil
}

// sendView scales p to what was asked for and releases it.
func (s *source) sendView(p *engine.Picture, timestamp uint32, size wire.Size) {
	defer p.Release()
	small, err := engine.NewPicture(size.Width, size.Height)
	if err != nil {
		return // one that cannot be had is not sent
	}
	defer small.Release()
	image := wire.Image{Timestamp: timestamp, Width: size.Width, Height: size.Height}
	s.w.cores.work(func() {
		small.Draw(engine.Rect{W: size.Width, H: size.Height}, p, engine.Stretch)
		image.Data = small.Export()
	})
	s.w.tell(wire.Viewed, s.id, image.AppendViewed)
}

func (s *source) follow(c *canvas) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followers = append(append([]*canvas(nil), s.followers...), c)
}

func (s *source) unfollow(c *canvas) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []*canvas
	for _, f := range s.followers {
		if f != c {
			rest = append(rest, f)
		}
	}
	s.followers = rest
}

// close ends the source; its tiles go blank.
func (s *source) close() { close(s.queue) }

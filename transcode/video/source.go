package video

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// Source is a track whose pictures are decoded.
type Source struct {
	process *process
	id      uint32
	codec   uint8
	track   media.Track
	keys    *h264.Throttle
	detach  func()
	told    atomic.Int32 // counts the workers that know the source

	mu      sync.Mutex
	frames  *frame.Assembler
	known   int32 // value of told when the last frame was sent
	waiting bool  // frames are left out until a keyframe
	width   int
	height  int
	shaped  func(width, height int)
	view    wire.Size
	viewed  func(Image)
	refused uint64
}

// keyframeInterval is how often a track is asked for a keyframe.
const keyframeInterval = 500 * time.Millisecond

// Open decodes a track. Close the source.
func (s *Stage) Open(t media.Track) (*Source, error) {
	src := &Source{process: s.process, codec: codecNumber(t.Format().Codec), track: t, waiting: true}
	if can, err := s.process.abilities(startTimeout); err != nil {
		return nil, err
	} else if !has(can.decodes, src.codec) {
		return nil, fmt.Errorf("%w: %s", ErrCodec, t.Format().Codec)
	}
	src.keys = h264.NewThrottle(keyframeInterval, t.RequestKeyframe)
	var err error
	if src.frames, err = frame.NewAssembler(t.Format(), src.whole, src.keys.Request); err != nil {
		src.keys.Close()
		return nil, err
	}
	s.process.add(func(id uint32) object {
		src.id = id
		return src
	})
	src.detach = t.Attach(src)
	return src, nil
}

// Track is what is decoded.
func (s *Source) Track() media.Track { return s.track }

// Size is that of the last picture; zero until there was one.
func (s *Source) Size() (width, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width, s.height
}

// OnSize calls f when the size of the pictures changes. f must not block.
func (s *Source) OnSize(f func(width, height int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shaped = f
}

// View shows the pictures scaled to a size: the next one, or each of them.
// Image.Data is f's to keep; f must not block. Without f, viewing ends.
func (s *Source) View(width, height int, every bool, f func(Image)) {
	size := wire.Size{Width: width &^ 1, Height: height &^ 1, Every: every}
	if f == nil {
		size = wire.Size{}
	}
	s.mu.Lock()
	s.view, s.viewed = size, f
	s.mu.Unlock()
	s.process.tell(wire.View, s.id, size.AppendView)
}

// WriteRTP implements media.Writer for the track.
func (s *Source) WriteRTP(p *rtp.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frames.WriteRTP(p)
}

// whole sends a frame to the worker. It is called with mu held.
func (s *Source) whole(f frame.Frame) {
	if told := s.told.Load(); told != s.known {
		s.known, s.waiting = told, true
	}
	if s.waiting && !f.Keyframe {
		s.keys.Request()
		return
	}
	out := wire.Frame{Timestamp: f.Timestamp, Data: f.Data}
	if f.Keyframe {
		out.Flags = wire.FlagKey
		s.keys.Answered()
	}
	if s.waiting = s.known == 0 || !s.process.out.frame(s.id, &out); s.waiting {
		s.refused++
		s.keys.Request()
	}
}

// restore implements object.
func (s *Source) restore(p *process) {
	p.out.put(wire.OpenSource, s.id, func(dst []byte) []byte { return append(dst, s.codec) })
	s.told.Add(1)
}

// restored implements object: a worker that knows nothing of the pictures so
// far needs a keyframe.
func (s *Source) restored() {
	s.mu.Lock()
	view := s.view
	s.mu.Unlock()
	if view.Width > 0 {
		s.process.tell(wire.View, s.id, view.AppendView)
	}
	s.keys.Request()
}

// receive implements object.
func (s *Source) receive(m wire.Message) {
	switch m.Kind {
	case wire.NeedKey:
		s.keys.Request()
	case wire.Shape:
		size, err := wire.ReadShape(m.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.width, s.height = size.Width, size.Height
		f := s.shaped
		s.mu.Unlock()
		if f != nil {
			f(size.Width, size.Height)
		}
	case wire.Viewed:
		i, err := wire.ReadViewed(m.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		f := s.viewed
		s.mu.Unlock()
		if f != nil {
			f(Image{i.Timestamp, i.Width, i.Height, append([]byte(nil), i.Data...)})
		}
	}
}

// Close ends decoding; tiles that show the source go blank. It is idempotent.
func (s *Source) Close() {
	s.detach()
	s.keys.Close()
	s.process.remove(s.id, wire.CloseSource)
}

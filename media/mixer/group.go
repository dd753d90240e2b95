package mixer

import (
	"fmt"
	"time"

	"github.com/roomgate/roomgate/media"
)

// stream is an encoder and the samples that wait for it.
type stream struct {
	encoder Encoder
	pcm     []int16
	n       int
}

func (s *stream) push(pcm []int16) {
	copy(s.pcm[s.n:], pcm)
	s.n += len(pcm)
}

func (s *stream) pop(frame int) {
	copy(s.pcm, s.pcm[frame:s.n])
	s.n -= frame
}

func (s *stream) copy(from *stream) error {
	copy(s.pcm, from.pcm[:from.n])
	s.n = from.n
	return s.encoder.CopyState(from.encoder)
}

// encoded is a packet's payload.
type encoded struct {
	payload [1500]byte
	size    int
	level   uint8
}

// group are the outputs of one format. Those that hear the same share one
// encoder; the others have a private one. Only a tick touches it.
type group struct {
	mixer *Mixer
	key   media.Format
	bus   *bus
	frame int    // samples in a packet, at the rate of the bus
	step  uint32 // RTP timestamp units in a packet

	members []*Output // of this tick
	sharers []*Output
	shared  *stream
	free    []*stream // encoders that were private
	quiet   int       // ticks since the shared sound was heard
	packets []encoded // of this tick
	ready   int
}

// quietLevel and quietTicks say when a private stream may end unheard.
const (
	quietLevel = -60.0 // dBov
	quietTicks = 3
)

// memoryless is an Encoder whose payloads depend on nothing before them, so
// that streams can be exchanged at any packet.
type memoryless interface{ Memoryless() }

func (m *Mixer) newGroup(key media.Format) (*group, error) {
	switch key.Ptime {
	case 10 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond:
	default:
		return nil, fmt.Errorf("packets of %v are not supported", key.Ptime)
	}
	g := &group{mixer: m, key: key}
	e, err := m.config.Codecs.NewEncoder(key, wish(key))
	if err != nil {
		return nil, err
	}
	index := rateIndex(e.Rate())
	if index < 0 {
		return nil, fmt.Errorf("%s wants %d Hz, which is not mixed", key, e.Rate())
	}
	g.bus = m.buses[index]
	g.frame = int(key.Ptime * time.Duration(e.Rate()) / time.Second)
	g.step = uint32(key.Ptime * time.Duration(key.ClockRate) / time.Second)
	g.shared = g.newStream(e)
	g.packets = make([]encoded, max(1, int(Tick/key.Ptime)))
	return g, nil
}

// wish is the sampling rate to encode a format at.
func wish(f media.Format) int {
	if f.Codec.Is(string(media.Opus)) && f.Opus.MaxPlaybackRate > 0 {
		return f.Opus.MaxPlaybackRate
	}
	return int(f.ClockRate)
}

func (g *group) newStream(e Encoder) *stream {
	return &stream{encoder: e, pcm: make([]int16, g.frame+g.bus.rate/50)}
}

// tick is the second part of a tick's work: who shares, and the shared packet.
func (g *group) tick(c *Clock) {
	if g.bus.level > quietLevel {
		g.quiet = 0
	} else {
		g.quiet++
	}
	g.sharers = g.sharers[:0]
	for _, o := range g.members {
		o.own = o.exclude.Load()
		switch {
		case !o.attached():
			g.release(o)
		case o.apart():
			g.fork(o)
		case o.private == nil:
			g.sharers = append(g.sharers, o)
		}
	}
	for _, o := range g.members {
		if o.private != nil && !o.apart() {
			g.rejoin(o)
		}
	}
	// Private streams are off on their own from here.
	for _, o := range g.members {
		if o.private != nil {
			c.spawn(job{output: o})
		}
	}
	g.encodeShared()
	const chunk = 32
	for from := 0; g.ready > 0 && from < len(g.sharers); from += chunk {
		c.spawn(job{group: g, from: from, to: min(from+chunk, len(g.sharers))})
	}
}

// fork gives an output its own stream, which goes on where the shared one is.
func (g *group) fork(o *Output) {
	if o.private != nil {
		return
	}
	var s *stream
	if n := len(g.free); n > 0 {
		s, g.free = g.free[n-1], g.free[:n-1]
	} else {
		e, err := g.mixer.config.Codecs.NewEncoder(g.key, g.bus.rate)
		if err != nil { // the same call made the shared one
			return
		}
		s = g.newStream(e)
	}
	if err := s.copy(g.shared); err != nil {
		return
	}
	o.private = s
}

// rejoin ends a private stream when nobody can hear it: when there is no other
// to join (the shared stream then goes on where the private one is), when the
// codec has no memory, or in silence.
func (g *group) rejoin(o *Output) {
	_, forgetful := g.shared.encoder.(memoryless)
	atEdge := o.private.n == 0 && g.shared.n == 0
	switch {
	case len(g.sharers) == 0:
		if g.shared.copy(o.private) != nil {
			return
		}
	case atEdge && forgetful:
	case atEdge && g.quiet >= quietTicks:
	default:
		return
	}
	g.release(o)
	g.sharers = append(g.sharers, o)
}

// release takes an output's private stream away.
func (g *group) release(o *Output) {
	if o.private != nil {
		g.free = append(g.free, o.private)
		o.private = nil
	}
}

// encodeShared makes the packets that sharers get. Without any it only keeps
// in step.
func (g *group) encodeShared() {
	g.ready = 0
	s := g.shared
	s.push(g.bus.shared)
	for s.n >= g.frame {
		if len(g.sharers) > 0 {
			g.packets[g.ready].encode(s, g.frame)
			g.ready++
			g.mixer.counts.shared.Add(1)
		}
		s.pop(g.frame)
	}
}

// deliver sends the shared packets of this tick to some of the sharers.
func (g *group) deliver(from, to int) {
	for _, o := range g.sharers[from:to] {
		for i := range g.packets[:g.ready] {
			o.send(&g.packets[i], g.step)
		}
	}
}

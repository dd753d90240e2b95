package h224

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// Format is H.224 over RTP (RFC 4573 §3).
var Format = media.Format{Codec: media.H224, ClockRate: 4800, PayloadType: 100}

// Config is what a Channel needs.
type Config struct {
	// Camera is what the camera on our side can do; nil: there is none, and nobody is
	// told of any. A gateway tells of those it passes commands on to.
	Camera *Abilities
	// OnMessage is told what the far end wants of our camera, in order; it must not
	// block.
	OnMessage func(Message)
}

// Channel is one conversation about cameras, over a stream of RTP: a media.Track of
// what we say, and a media.Writer of what we hear. It is safe for concurrent use.
type Channel struct {
	cfg    Config
	ops    chan func(*conversation)
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	sinks  map[int]media.Writer
	next   int
	packet rtp.Packet
}

var _ media.Track = (*Channel)(nil)

// NewChannel starts a conversation. Close ends it.
func NewChannel(cfg Config) *Channel {
	c := &Channel{
		cfg: cfg, ops: make(chan func(*conversation), 32), ended: make(chan struct{}), sinks: map[int]media.Writer{},
		packet: rtp.Packet{Header: rtp.Header{
			Version: 2, Marker: true, SequenceNumber: uint16(rand.Uint32N(1 << 15)), Timestamp: rand.Uint32(),
		}},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	go c.run()
	return c
}

// run owns the conversation.
func (c *Channel) run() {
	defer close(c.ended)
	began := time.Now()
	s := newConversation(c.cfg, func(f *Frame) { c.send(f, time.Since(began)) })
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		if at := s.due(); !at.IsZero() {
			wait = max(time.Until(at), 0)
		}
		timer.Reset(wait)
		select {
		case op := <-c.ops:
			op(s)
		case <-timer.C:
			s.tick(time.Now())
		case <-c.ctx.Done():
			s.halt()
			return
		}
	}
}

// do has run do something; what comes faster than it can is dropped.
func (c *Channel) do(op func(*conversation)) {
	select {
	case c.ops <- op:
	default:
	}
}

// Move moves the far camera until Move says otherwise, or nobody has said so for
// Hold: who holds a key down says so again and again.
func (c *Channel) Move(m Motion) { c.do(func(s *conversation) { s.move(time.Now(), m) }) }

// Preset stores the far camera's position under a number, or goes to it.
func (c *Channel) Preset(number uint8, store bool) {
	kind := ActivatePreset
	if store {
		kind = StorePreset
	}
	c.do(func(s *conversation) { s.say(Message{Kind: kind, Number: number}) })
}

// Pass says a message of somebody else's as it is.
func (c *Channel) Pass(m Message) { c.do(func(s *conversation) { s.say(m) }) }

// Abilities are what the far camera can do; ok is false while it has not said.
func (c *Channel) Abilities() (a Abilities, ok bool) {
	done := make(chan struct{})
	select {
	case c.ops <- func(s *conversation) {
		if s.far != nil {
			a, ok = *s.far, true
		}
		close(done)
	}:
	case <-c.ended:
		return a, false
	}
	select {
	case <-done:
	case <-c.ended:
		return Abilities{}, false
	}
	return a, ok
}

// Close stops what moves and ends the conversation.
func (c *Channel) Close() {
	c.cancel()
	<-c.ended
}

// WriteRTP implements media.Writer: what is heard.
func (c *Channel) WriteRTP(p *rtp.Packet) error {
	f, err := ParseFrame(append([]byte(nil), p.Payload...))
	if err != nil {
		return nil // an empty packet keeps a translator open
	}
	c.do(func(s *conversation) { s.hear(time.Now(), f) })
	return nil
}

func (c *Channel) send(f *Frame, since time.Duration) {
	data, err := f.Marshal()
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.packet.Payload = data
	c.packet.SequenceNumber++
	stamp := c.packet.Timestamp
	c.packet.Timestamp += uint32(since * 4800 / time.Second)
	for _, w := range c.sinks {
		p := c.packet
		_ = w.WriteRTP(&p) // what is lost is said again, or times out
	}
	c.packet.Timestamp = stamp
}

// ID implements media.Track.
func (c *Channel) ID() string { return "camera-control" }

// Role implements media.Track.
func (c *Channel) Role() media.Role { return media.Camera }

// Format implements media.Track.
func (c *Channel) Format() media.Format { return Format }

// RequestKeyframe implements media.Track.
func (c *Channel) RequestKeyframe() {}

// Done implements media.Track.
func (c *Channel) Done() <-chan struct{} { return c.ended }

// Attach implements media.Track. Who comes is told who we are.
func (c *Channel) Attach(w media.Writer) (detach func()) {
	c.mu.Lock()
	id := c.next
	c.next++
	c.sinks[id] = w
	c.mu.Unlock()
	c.do(func(s *conversation) { s.greet(time.Now()) })
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.sinks, id)
	}
}

package videotest

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video/engine"
)

// Frames is how many pictures a Clip has; the first is a keyframe, and the only
// one.
const Frames = 45

// Clip is coded pictures of the test cards 0, 1, 2, ... of one identity.
type Clip struct {
	Format        media.Format
	Width, Height int
	Identity      int
	Frames        [][]byte
	Side          [][]byte // what the encoder says about H.263
	// Payloader packetizes codecs that the gateway only decodes.
	Payloader func() rtp.Payloader
}

var coders = map[media.Codec]engine.Codec{
	media.H264: engine.H264, media.VP8: engine.VP8, media.H263: engine.H263, media.H263Plus: engine.H263, media.H261: engine.H261,
}

// Encode makes a clip with the worker's own encoders. unit bounds slices of
// H.264 and pieces of H.263, in bytes; 0 = no bound.
func Encode(t testing.TB, f media.Format, w, h, unit, identity int) *Clip {
	t.Helper()
	e, err := engine.NewEncoder(engine.Encoding{
		Codec: coders[f.Codec], Width: w, Height: h, Bitrate: max(600_000, w*h*2), FPS: 30, MaxUnit: unit, Level: 31,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p, err := engine.NewPicture(w, h)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	c := &Clip{Format: f, Width: w, Height: h, Identity: identity}
	var raw []byte
	for i := range Frames {
		raw = testcard.Draw(raw, w, h, testcard.Card{Identity: identity, Counter: i})
		if err := p.Import(raw); err != nil {
			t.Fatal(err)
		}
		coded, err := e.Encode(p, time.Duration(i)*time.Second/30, i == 0)
		if err != nil {
			t.Fatal(err)
		}
		c.Frames = append(c.Frames, bytes.Clone(coded.Data))
		c.Side = append(c.Side, bytes.Clone(coded.Side))
	}
	return c
}

// Camera plays a clip as a track, as fast as it is told. It begins anew when it
// is asked for a keyframe.
type Camera struct {
	id   string
	role media.Role
	clip *Clip
	done chan struct{}
	keys chan struct{}

	mu        sync.Mutex
	writers   map[*media.Writer]media.Writer
	packets   *frame.Packetizer
	payloader rtp.Payloader
	plain     rtp.Packet
	stamp     uint32
	step      uint32 // between two pictures
	next      int
	asked     int
	sent      map[int]time.Time
	damage    func(p *rtp.Packet) (drop bool)
	forge     func(frame []byte) []byte
}

// NewCamera makes one.
func NewCamera(t testing.TB, id string, role media.Role, c *Clip) *Camera {
	t.Helper()
	cam := &Camera{
		id: id, role: role, clip: c, done: make(chan struct{}), keys: make(chan struct{}, 1),
		writers: map[*media.Writer]media.Writer{}, sent: map[int]time.Time{},
		plain: rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 65500}}, stamp: 1000, step: 3000,
	}
	if c.Payloader != nil {
		cam.payloader = c.Payloader()
		return cam
	}
	var err error
	if cam.packets, err = frame.NewPacketizer(media.WriterFunc(cam.fan), c.Format, 0); err != nil {
		t.Fatal(err)
	}
	return cam
}

// ID implements media.Track.
func (c *Camera) ID() string { return c.id }

// Role implements media.Track.
func (c *Camera) Role() media.Role { return c.role }

// Format implements media.Track.
func (c *Camera) Format() media.Format { return c.clip.Format }

// Done implements media.Track.
func (c *Camera) Done() <-chan struct{} { return c.done }

// RequestKeyframe implements media.Track.
func (c *Camera) RequestKeyframe() {
	select {
	case c.keys <- struct{}{}:
	default:
	}
}

// Attach implements media.Track.
func (c *Camera) Attach(w media.Writer) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := &w
	c.writers[key] = w
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.writers, key)
	}
}

// Damage changes packets on their way, or drops them; nil ends that.
func (c *Camera) Damage(f func(p *rtp.Packet) (drop bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.damage = f
}

// Forge changes coded pictures before they become packets; the frame given may not
// be changed itself. nil ends that.
func (c *Camera) Forge(f func(frame []byte) []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forge = f
}

func (c *Camera) fan(p *rtp.Packet) error {
	if c.damage != nil && c.damage(p) {
		return nil
	}
	for _, w := range c.writers {
		_ = w.WriteRTP(p)
	}
	return nil
}

// Show sends the next picture.
func (c *Camera) Show() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.keys:
		c.next = 0
		c.asked++
	default:
	}
	i := c.next
	c.next = (i + 1) % len(c.clip.Frames)
	c.stamp += c.step
	c.sent[i] = time.Now()
	data := c.clip.Frames[i]
	if c.forge != nil {
		data = c.forge(data)
	}
	if c.packets != nil {
		var side []byte
		if c.clip.Side != nil {
			side = c.clip.Side[i]
		}
		_ = c.packets.Write(frame.Frame{Data: data, Timestamp: c.stamp}, side)
		return
	}
	payloads := c.payloader.Payload(1188, data)
	for k, payload := range payloads {
		c.plain.SequenceNumber++
		c.plain.Timestamp, c.plain.Marker, c.plain.Payload = c.stamp, k == len(payloads)-1, payload
		_ = c.fan(&c.plain)
	}
}

// Sent is when the card with a counter was sent last.
func (c *Camera) Sent(counter int) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent[counter]
}

// Asked is how many keyframes were asked for and given.
func (c *Camera) Asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// Roll plays cameras at 15 pictures a second, half as fast as they were made for, until the
// test ends.
func Roll(t testing.TB, cams ...*Camera) {
	const perSecond = 15
	for _, c := range cams {
		c.mu.Lock()
		c.step = 90_000 / perSecond
		c.mu.Unlock()
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for _, c := range cams {
				c.Show()
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		wait.Wait()
	})
}

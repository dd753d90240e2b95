package video

import (
	"fmt"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// Encoding says what an Output is.
type Encoding struct {
	ID        string
	Role      media.Role
	Format    media.Format // codec, and for H.264 packetization mode and level
	Bitrate   int          // bit/s
	FPS       float64      // of the pictures that will come
	MaxPacket int          // RTP header included; 0 = h264.DefaultPacket
}

// Output is a canvas as a track. It implements media.SenderReporter.
type Output struct {
	canvas *Canvas
	id     uint32
	in     Encoding
	keys   *h264.Throttle
	joins  *h264.Throttle // of those who come: they are not made to wait
	done   chan struct{}
	once   sync.Once

	specMu sync.Mutex
	spec   wire.Encoder

	mu      sync.Mutex
	writers []*writer
	packets *frame.Packetizer
	packet  rtp.Packet // handed to one writer
	begun   bool
	offset  uint32 // added to the worker's timestamps
	last    uint32 // timestamp sent last
	lastAt  time.Time
	shownAt time.Time // when the picture sent last was drawn
	frames  uint64
	keyed   uint64
	bytes   uint64
	delay   time.Duration // of the frame sent last
	failure string
}

type writer struct{ w media.Writer }

// Encode codes what the canvas shows. Close the output.
func (c *Canvas) Encode(e Encoding) (*Output, error) {
	number := codecNumber(e.Format.Codec)
	if can, err := c.process.abilities(startTimeout); err != nil {
		return nil, err
	} else if !has(can.encodes, number) {
		return nil, fmt.Errorf("%w: %s", ErrCodec, e.Format.Codec)
	}
	o := &Output{canvas: c, in: e, done: make(chan struct{})}
	var err error
	if o.packets, err = frame.NewPacketizer(media.WriterFunc(o.fan), e.Format, e.MaxPacket); err != nil {
		return nil, err
	}
	o.spec = wire.Encoder{Canvas: c.id, Codec: number, Bitrate: e.Bitrate, FPS: e.FPS, Text: e.Role == media.Content}
	switch {
	case number == wire.H264:
		limit, _ := h264.Limits(e.Format.H264)
		o.spec.Level = uint8(limit.Number)
		o.spec.MaxUnit = o.packets.Room()
	case number == wire.H263:
		o.spec.MaxUnit = o.packets.Room() - modeBHeader
	}
	key := func() { c.process.tell(wire.Keyframe, o.id, nil) }
	o.keys, o.joins = h264.NewThrottle(repairInterval, key), h264.NewThrottle(keyframeInterval, key)
	c.process.add(func(id uint32) object {
		o.id = id
		return o
	})
	return o, nil
}

// repairInterval is how often a keyframe mends what was lost on the way to somebody:
// soon enough for people, and not so often that keyframes fill the path themselves.
const repairInterval = 900 * time.Millisecond

// modeBHeader is that of RFC 2190 §5.2.
const modeBHeader = 8

// ID implements media.Track.
func (o *Output) ID() string { return o.in.ID }

// Role implements media.Track.
func (o *Output) Role() media.Role { return o.in.Role }

// Format implements media.Track.
func (o *Output) Format() media.Format { return o.in.Format }

// Done implements media.Track: closed by Close.
func (o *Output) Done() <-chan struct{} { return o.done }

// Canvas is what is coded.
func (o *Output) Canvas() *Canvas { return o.canvas }

// RequestKeyframe implements media.Track. Many requests make one keyframe.
func (o *Output) RequestKeyframe() { o.keys.Request() }

// Attach implements media.Track. Each new writer starts at a keyframe.
func (o *Output) Attach(w media.Writer) (detach func()) {
	a := &writer{w}
	o.mu.Lock()
	o.writers = append(o.writers, a)
	o.mu.Unlock()
	o.joins.Request()
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		for i, k := range o.writers {
			if k == a {
				o.writers = append(o.writers[:i], o.writers[i+1:]...)
				return
			}
		}
	}
}

// SetRate changes bit rate and frame rate from the next picture on.
func (o *Output) SetRate(bps int, fps float64) {
	o.specMu.Lock()
	o.spec.Bitrate, o.spec.FPS = bps, fps
	o.specMu.Unlock()
	o.canvas.process.tell(wire.ChangeRate, o.id, func(dst []byte) []byte { return wire.AppendRate(dst, bps, fps) })
}

// OutputStats count since the beginning.
type OutputStats struct {
	Frames, Keyframes, Bytes uint64
	Delay                    time.Duration // from drawing to coding, of the last frame
	Failure                  string        // why nothing is coded
}

// Stats gives the counters.
func (o *Output) Stats() OutputStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return OutputStats{o.frames, o.keyed, o.bytes, o.delay, o.failure}
}

// Delay implements media.Delayer: from drawing to coding.
func (o *Output) Delay() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.delay
}

// NTP implements media.SenderReporter: when pictures were drawn, by our own clock. What
// the sender's clock says would not agree with the sound, which has ours.
func (o *Output) NTP() (ntp uint64, rtpTime uint32, ok bool) {
	o.mu.Lock()
	last, at := o.last, o.shownAt
	o.mu.Unlock()
	if at.IsZero() {
		return 0, 0, false
	}
	return ntpTime(at), last, true
}

// ntpTime is RFC 3550 §4: seconds since 1900 and a fraction.
func ntpTime(t time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// restore implements object.
func (o *Output) restore(p *process) {
	o.specMu.Lock()
	spec := o.spec
	o.specMu.Unlock()
	p.out.put(wire.OpenEncoder, o.id, spec.Append)
}

// restored implements object.
func (o *Output) restored() {}

// receive implements object.
func (o *Output) receive(m wire.Message) {
	switch m.Kind {
	case wire.Encoded:
		if f, err := wire.ReadEncoded(m.Body); err == nil {
			o.send(&f)
		}
	case wire.Failed:
		if f, err := wire.ReadFailure(m.Body); err == nil {
			o.mu.Lock()
			o.failure = f.Text
			o.mu.Unlock()
		}
	}
}

// send makes packets of a frame.
func (o *Output) send(f *wire.Frame) {
	key := f.Flags&wire.FlagKey != 0
	if key {
		o.keys.Answered()
		o.joins.Answered()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	stamp := o.rebase(f.Timestamp, now)
	o.begun, o.last, o.lastAt = true, stamp, now
	o.delay = time.Duration(f.Delay) * time.Microsecond
	o.shownAt = now.Add(-o.delay)
	o.frames++
	o.bytes += uint64(len(f.Data))
	if key {
		o.keyed++
	}
	// A writer that fails is its owner's matter.
	_ = o.packets.Write(frame.Frame{Data: f.Data, Timestamp: stamp, Keyframe: key}, f.Side)
}

// rebase keeps timestamps running forward as time does, whatever source or
// worker they come from.
func (o *Output) rebase(stamp uint32, now time.Time) uint32 {
	const clockRate, jump = 90000, 10 * 90000
	if !o.begun {
		return stamp + o.offset
	}
	if ahead := int32(stamp + o.offset - o.last); ahead <= 0 || ahead > jump {
		elapsed := max(now.Sub(o.lastAt), time.Millisecond)
		o.offset = o.last + uint32(elapsed*clockRate/time.Second) - stamp
	}
	return stamp + o.offset
}

// fan hands a packet to every writer.
func (o *Output) fan(p *rtp.Packet) error {
	for _, a := range o.writers {
		o.packet = *p
		_ = a.w.WriteRTP(&o.packet)
	}
	return nil
}

// Close ends the track.
func (o *Output) Close() {
	o.once.Do(func() {
		o.canvas.process.remove(o.id, wire.CloseEncoder)
		o.keys.Close()
		o.joins.Close()
		o.mu.Lock()
		o.writers = nil
		o.mu.Unlock()
		close(o.done)
	})
}

package mixer

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/resample"
)

// OutputConfig describes one listener.
type OutputConfig struct {
	ID     string
	Format media.Format // of the packets made; Ptime of 10, 20, 30, 40 or 60 ms
	// Exclude is the listener's own input, which it does not hear. May be nil,
	// see also Output.Exclude.
	Exclude *Input
}

// ErrPlayFull is returned when more than a minute waits to be played.
var ErrPlayFull = errors.New("mixer: a minute of sound is queued")

// Output is what one listener hears. It implements media.Track. It costs
// nothing while no consumer is attached.
type Output struct {
	track
	mixer   *Mixer
	group   *group
	exclude atomic.Pointer[Input]

	playMu  sync.Mutex
	play    []int16 // at the rate of the group
	playing atomic.Bool

	// Of the tick.
	own     *Input  // what exclude holds in this tick
	private *stream // nil: shares the group's
	pcm     []int16
	packets encoded
	quiet   bool // the last packet was not sent (DTX)
}

// Delay implements media.Delayer: how long who speaks waited for the mix.
func (o *Output) Delay() time.Duration { return time.Duration(o.mixer.delay.Load()) }

func (m *Mixer) newOutput(c OutputConfig, g *group) (*Output, error) {
	o := &Output{mixer: m, group: g, pcm: make([]int16, g.bus.rate/50), quiet: true}
	if err := o.open(c.ID, c.Format); err != nil {
		return nil, err
	}
	o.exclude.Store(c.Exclude)
	return o, nil
}

// Exclude changes the listener's own input; nil lets it hear all.
func (o *Output) Exclude(in *Input) { o.exclude.Store(in) }

// String is the way the sound takes.
func (o *Output) String() string {
	return fmt.Sprintf("mixer(%d) -> %s(encode)", o.group.bus.rate, o.format.Codec)
}

// Play queues sound (a tone, an announcement) to be mixed into this output
// only. It does not block and copies pcm; rate is in Hz. With more than a
// minute waiting it returns ErrPlayFull.
func (o *Output) Play(pcm []int16, rate int) error {
	if o.ended() {
		return ErrClosed
	}
	want := o.group.bus.rate
	if rate != want {
		r, err := resample.New(rate, want)
		if err != nil {
			return err
		}
		out := make([]int16, r.Len(len(pcm)))
		pcm = out[:r.Write(out, pcm)]
	}
	o.playMu.Lock()
	defer o.playMu.Unlock()
	if len(o.play)+len(pcm) > 60*want {
		return ErrPlayFull
	}
	o.play = append(o.play, pcm...)
	o.playing.Store(len(o.play) > 0)
	return nil
}

// Playing reports whether queued sound is left.
func (o *Output) Playing() bool { return o.playing.Load() }

// StopPlaying drops what Play queued.
func (o *Output) StopPlaying() {
	o.playMu.Lock()
	defer o.playMu.Unlock()
	o.play = nil
	o.playing.Store(false)
}

// Close ends the track; idempotent.
func (o *Output) Close() {
	o.mixer.removeOutput(o)
	o.end()
}

// apart reports whether this output hears something else than the others.
func (o *Output) apart() bool {
	return o.playing.Load() || o.own != nil && o.own.inMix
}

// encodePrivate makes and sends this output's own packets.
func (o *Output) encodePrivate() {
	g, s := o.group, o.private
	g.bus.without(o.own, o.pcm)
	if o.playing.Load() {
		o.mixPlay()
	}
	s.push(o.pcm)
	for s.n >= g.frame {
		o.packets.encode(s, g.frame)
		s.pop(g.frame)
		o.mixer.counts.private.Add(1)
		o.send(&o.packets, g.step)
	}
}

func (o *Output) mixPlay() {
	o.playMu.Lock()
	defer o.playMu.Unlock()
	n := min(len(o.play), len(o.pcm))
	for i, s := range o.play[:n] {
		o.pcm[i] = limit(int32(o.pcm[i]) + int32(s))
	}
	o.play = o.play[n:]
	if len(o.play) == 0 {
		o.play = nil
		o.playing.Store(false)
	}
}

// encode fills e with the first frame of s. A frame that cannot be encoded is
// left out like one of DTX.
func (e *encoded) encode(s *stream, frame int) {
	e.level = level.Byte(level.DBov(s.pcm[:frame]))
	n, err := s.encoder.Encode(e.payload[:], s.pcm[:frame])
	if err != nil {
		n = 0
	}
	e.size = n
}

// send writes one packet, or passes over one that DTX leaves out.
func (o *Output) send(e *encoded, step uint32) {
	if e.size > 0 {
		o.packet.Marker = o.quiet // the first of a talkspurt, RFC 3551 §4.1
		o.packet.Payload = e.payload[:e.size]
		o.track.level[0] = e.level
		o.write()
		o.packet.SequenceNumber++
	}
	o.quiet = e.size == 0
	o.packet.Timestamp += step
}

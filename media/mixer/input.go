package mixer

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/jitter"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/noise"
)

// InputConfig describes one source of sound.
type InputConfig struct {
	ID string // unique among the inputs of the mixer
	// Format is the codec of the packets. Comfort noise (RFC 3389) may come
	// between them under its static payload type 13, or apart: see Input.Noise.
	Format media.Format
	// AGC levels the talker to about -26 dBov.
	AGC bool
	// InbandKeypad, when set, is told the DTMF digits heard in the sound. It is
	// called while a packet is written and must not block.
	InbandKeypad func(digit rune)
}

// voiceHold is how long an input stays open after the last loud frame.
const voiceHold = 400 * time.Millisecond

// Input is one source of sound: the packets of one track, in any order. It
// implements media.Writer.
type Input struct {
	mixer  *Mixer
	config InputConfig

	closed    atomic.Bool
	muted     atomic.Bool
	level     atomic.Uint64 // float64 bits, dBov
	lastVoice atomic.Int64  // Unix nanoseconds
	waiting   atomic.Bool   // packets are held for an earlier one
	uplinks   atomic.Pointer[[]*Uplink]
	tap       atomic.Pointer[Tap]

	// What is done to a packet, one at a time.
	pipeMu sync.Mutex
	pipe   pipeline

	playoutMu sync.Mutex
	playout   *jitter.Playout

	// Of the tick.
	buf   []int16 // at the highest rate
	frame []int16 // 20 ms at the rate of playout
	talks bool    // is to be heard
	heard bool    // was in the last tick
	inMix bool    // is part of the sum of this tick
	taps  [len(rates)]tap
	waits time.Duration // of what take has left; of the tick
}

func newInput(m *Mixer, c InputConfig) (*Input, error) {
	in := &Input{mixer: m, config: c, buf: make([]int16, rates[len(rates)-1]/50)}
	in.uplinks.Store(new([]*Uplink))
	in.setLevel(level.Silence)
	in.lastVoice.Store(math.MinInt64 / 2)
	if err := in.pipe.open(in, int(m.top.Load())); err != nil {
		return nil, err
	}
	return in, nil
}

// ID is the one given to AddInput.
func (in *Input) ID() string { return in.config.ID }

// String is the way the sound takes.
func (in *Input) String() string {
	in.pipeMu.Lock()
	defer in.pipeMu.Unlock()
	s := fmt.Sprintf("reorder -> %s(decode %d)", in.config.Format.Codec, in.pipe.decoder.Rate())
	if in.config.AGC {
		s += " -> level"
	}
	return s + " -> playout -> mixer"
}

// WriteRTP takes one packet. It implements media.Writer; packets of one input
// come from one goroutine at a time.
func (in *Input) WriteRTP(p *rtp.Packet) error {
	in.pipeMu.Lock()
	defer in.pipeMu.Unlock()
	return in.write(p)
}

func (in *Input) write(p *rtp.Packet) error {
	if in.closed.Load() {
		return ErrClosed
	}
	in.pipe.now = in.mixer.config.Now()
	in.pipe.reorder.Write(p, in.pipe.now)
	in.waiting.Store(in.pipe.reorder.Held() > 0)
	return nil
}

// Noise takes the comfort noise packets (RFC 3389) of the input's track where
// they come apart from it, whatever their payload type. They are numbered like
// the others.
func (in *Input) Noise() media.Writer { return noiseWriter{in} }

type noiseWriter struct{ in *Input }

func (w noiseWriter) WriteRTP(p *rtp.Packet) error {
	w.in.pipeMu.Lock()
	defer w.in.pipeMu.Unlock()
	k := &w.in.pipe.noise
	*k = *p
	k.PayloadType = noise.PayloadType
	return w.in.write(k)
}

// Tap is told the sound of an input as it comes, levelled, 20 ms or less at a time, and
// whether somebody speaks in it. Silence that is not decoded is left out. It is called while
// a packet is written and must neither block nor keep the samples.
type Tap func(pcm []int16, rate int, speech bool)

// Tap lets t listen in, in place of who did before; nil: nobody.
func (in *Input) Tap(t Tap) {
	if t == nil {
		in.tap.Store(nil)
		return
	}
	in.tap.Store(&t)
}

// Level is the smoothed level of the last sound in dBov, -127 for silence.
func (in *Input) Level() float64 { return math.Float64frombits(in.level.Load()) }

func (in *Input) setLevel(dbov float64) { in.level.Store(math.Float64bits(dbov)) }

// Speaking reports whether somebody talks, with hysteresis.
func (in *Input) Speaking() bool { return in.speaking(in.mixer.config.Now()) }

func (in *Input) speaking(now time.Time) bool {
	return !in.muted.Load() && now.UnixNano()-in.lastVoice.Load() < int64(voiceHold)
}

// Mute keeps the input out of the mix and its uplinks silent.
func (in *Input) Mute(muted bool) { in.muted.Store(muted) }

// Muted reports what Mute set.
func (in *Input) Muted() bool { return in.muted.Load() }

// InputStats say how the packets of an input arrived.
type InputStats struct {
	jitter.ReorderStats
	jitter.PlayoutStats
	Delay     time.Duration // sound waiting in the playout buffer
	Malformed uint64        // payloads that could not be decoded
	Asleep    uint64        // packets of silence that were not decoded
}

// Stats are the counts so far.
func (in *Input) Stats() InputStats {
	in.pipeMu.Lock()
	s := InputStats{ReorderStats: in.pipe.reorder.Stats(), Malformed: in.pipe.malformed, Asleep: in.pipe.slept}
	in.pipeMu.Unlock()
	in.playoutMu.Lock()
	s.PlayoutStats, s.Delay = in.playout.Stats(), in.playout.Delay()
	in.playoutMu.Unlock()
	return s
}

// Close ends the input and its uplinks; idempotent.
func (in *Input) Close() {
	if in.closed.Swap(true) {
		return
	}
	in.mixer.removeInput(in)
	for _, u := range *in.uplinks.Load() {
		u.Close()
	}
}

func (in *Input) addUplink(u *Uplink) {
	uplinks := append(slices.Clone(*in.uplinks.Load()), u)
	in.uplinks.Store(&uplinks)
}

func (in *Input) removeUplink(u *Uplink) {
	in.mixer.mu.Lock()
	defer in.mixer.mu.Unlock()
	uplinks := slices.DeleteFunc(slices.Clone(*in.uplinks.Load()), func(o *Uplink) bool { return o == u })
	in.uplinks.Store(&uplinks)
}

// take reads the 20 ms of this tick.
func (in *Input) take(now time.Time) {
	if in.waiting.Load() && in.pipeMu.TryLock() { // otherwise a packet is being written, which does the same
		in.pipe.now = now
		in.pipe.reorder.Expire(now)
		in.waiting.Store(in.pipe.reorder.Held() > 0)
		in.pipeMu.Unlock()
	}
	in.playoutMu.Lock()
	in.frame = in.buf[:in.playout.Rate()/50]
	in.playout.Read(in.frame, now.UnixNano())
	delay := in.playout.Delay()
	in.playoutMu.Unlock()
	in.waits = delay
	// What is still in the buffer was heard as speech when it was written.
	in.talks = in.speaking(now.Add(-delay)) && !in.closed.Load()
	if now.UnixNano()-in.lastVoice.Load() >= int64(voiceHold) {
		in.setLevel(level.Silence)
	}
}

func (in *Input) rank() float64 {
	if in.heard {
		return in.Level() + 3
	}
	return in.Level()
}

// rampMillis is how long an input takes to be faded in or out. The fade out
// ends as much before the end of its frame as the resampler's memory.
const rampMillis = 5

// ramp opens and closes the input without a click.
func (in *Input) ramp() {
	in.inMix = in.talks || in.heard
	n := len(in.frame) * rampMillis / 20
	switch {
	case in.talks && !in.heard:
		for i, s := range in.frame[:n] {
			in.frame[i] = int16(int(s) * i / n)
		}
	case !in.talks && in.heard:
		end := len(in.frame) - n
		for i, s := range in.frame[:end] {
			in.frame[i] = int16(int(s) * (end - i) / end)
		}
		clear(in.frame[end:])
	}
	in.heard = in.talks
}

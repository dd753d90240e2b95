// Package mixer makes the sound of one meeting: everybody hears everybody else
// but not himself (N-1).
package mixer

import (
	"errors"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
)

// ErrClosed is returned by a mixer, input or output that was closed.
var ErrClosed = errors.New("mixer: closed")

// Config is what a mixer needs. Only Codecs is required.
type Config struct {
	Codecs Codecs
	// Clock ticks this mixer; one per process serves all. Nil: its own.
	Clock *Clock
	// Now is the time of arrival of packets; nil means time.Now.
	Now    func() time.Time
	Logger *zap.Logger
	// MaxMixed bounds how many inputs are heard at once, the loudest first;
	// zero means 8.
	MaxMixed int
	// SpeakerHold is how long an active speaker stays before another takes
	// over; zero means 1.5 s.
	SpeakerHold time.Duration
	// OnSpeaker is told the ID of the input that became the active speaker. It
	// is called between ticks and must not block.
	OnSpeaker func(id string)
}

// Mixer is the sound of one meeting.
type Mixer struct{}

// New makes a mixer and puts it on its clock.
func New(c Config) *Mixer { return &Mixer{} }

// Close takes the mixer off its clock, ends all inputs and outputs, and waits.
func (m *Mixer) Close() {}

// Speakers are the IDs of the inputs that speak, the active speaker first, then
// by loudness.
func (m *Mixer) Speakers() []string { return nil }

// ActiveSpeaker is the ID of the input that has the floor; it stays after the
// speaker falls silent until somebody else speaks. "" when nobody spoke yet.
func (m *Mixer) ActiveSpeaker() string { return "" }

// InputConfig describes one source of sound.
type InputConfig struct {
	ID string // unique among the inputs of the mixer
	// Format is the codec of the packets. Comfort noise (RFC 3389) may come
	// between them under its static payload type 13.
	Format media.Format
	// AGC levels the talker to about -26 dBov.
	AGC bool
	// InbandKeypad, when set, is told the DTMF digits heard in the sound. It is
	// called while a packet is written and must not block.
	InbandKeypad func(digit rune)
}

// AddInput opens an input. It implements media.Writer.
func (m *Mixer) AddInput(c InputConfig) (*Input, error) { return nil, ErrClosed }

// Input is one source of sound: the packets of one track, in any order.
type Input struct{}

// ID is the one given to AddInput.
func (in *Input) ID() string { return "" }

// WriteRTP takes one packet. It implements media.Writer; packets of one input
// come from one goroutine at a time.
func (in *Input) WriteRTP(p *rtp.Packet) error { return nil }

// Level is the smoothed level of the last sound in dBov, -127 for silence.
func (in *Input) Level() float64 { return 0 }

// Speaking reports whether somebody talks, with hysteresis.
func (in *Input) Speaking() bool { return false }

// Mute keeps the input out of the mix and its uplinks silent.
func (in *Input) Mute(muted bool) {}

// Muted reports what Mute set.
func (in *Input) Muted() bool { return false }

// Close ends the input and its uplinks; idempotent.
func (in *Input) Close() {}

// Uplink opens the input's own sound as a track, for the SFU.
func (in *Input) Uplink(f media.Format) (*Uplink, error) { return nil, ErrClosed }

// Uplink is one input's sound, encoded packet by packet as it comes in. It
// implements media.Track. Each packet carries its RFC 6464 level.
type Uplink struct{ track }

// Close ends the track; idempotent.
func (u *Uplink) Close() {}

// OutputConfig describes one listener.
type OutputConfig struct {
	ID     string
	Format media.Format // of the packets made; Ptime of 10, 20, 30, 40 or 60 ms
	// Exclude is the listener's own input, which it does not hear. May be nil.
	Exclude *Input
}

// AddOutput opens an output.
func (m *Mixer) AddOutput(c OutputConfig) (*Output, error) { return nil, ErrClosed }

// Output is what one listener hears. It implements media.Track.
type Output struct{ track }

// Play queues sound (a tone, an announcement) to be mixed into this output
// only. It does not block and copies pcm; what exceeds a minute is refused.
func (o *Output) Play(pcm []int16, rate int) error { return nil }

// Playing reports whether queued sound is left.
func (o *Output) Playing() bool { return false }

// StopPlaying drops what Play queued.
func (o *Output) StopPlaying() {}

// Close ends the track; idempotent.
func (o *Output) Close() {}

type track struct{}

func (t *track) ID() string                            { return "" }
func (t *track) Role() media.Role                      { return media.Audio }
func (t *track) Format() media.Format                  { return media.Format{} }
func (t *track) Attach(w media.Writer) (detach func()) { return func() {} }
func (t *track) RequestKeyframe()                      {}
func (t *track) Done() <-chan struct{}                 { return nil }

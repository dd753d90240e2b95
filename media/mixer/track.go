package mixer

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// track is what Output and Uplink have in common: a media.Track of audio and
// its consumers.
type track struct {
	id     string
	format media.Format

	mu        sync.Mutex
	sinks     atomic.Pointer[[]*sink]
	done      chan struct{}
	closeOnce sync.Once

	packet rtp.Packet
	level  [1]byte // the audio level in packet
}

// sink is one consumer. Its lock is held while it is written to, so that
// detaching waits for the last write.
type sink struct {
	mu   sync.Mutex
	w    media.Writer
	gone bool
}

func (t *track) open(id string, f media.Format) error {
	t.id, t.format, t.done = id, f, make(chan struct{})
	t.sinks.Store(new([]*sink))
	t.packet.Version = 2
	t.packet.PayloadType = f.PayloadType
	t.packet.SSRC = rand.Uint32()
	t.packet.SequenceNumber = uint16(rand.Uint32())
	t.packet.Timestamp = rand.Uint32()
	return t.packet.SetExtension(media.AudioLevelID, t.level[:])
}

// ID implements media.Track.
func (t *track) ID() string { return t.id }

// Role implements media.Track.
func (t *track) Role() media.Role { return media.Audio }

// Format implements media.Track.
func (t *track) Format() media.Format { return t.format }

// RequestKeyframe implements media.Track; sound has no keyframes.
func (t *track) RequestKeyframe() {}

// Done implements media.Track.
func (t *track) Done() <-chan struct{} { return t.done }

// Attach implements media.Track. Detaching waits for the packet under way, so
// it must not be called from within the consumer's WriteRTP.
func (t *track) Attach(w media.Writer) (detach func()) {
	s := &sink{w: w}
	t.mu.Lock()
	sinks := append(slices.Clone(*t.sinks.Load()), s)
	t.sinks.Store(&sinks)
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		sinks := slices.DeleteFunc(slices.Clone(*t.sinks.Load()), func(o *sink) bool { return o == s })
		t.sinks.Store(&sinks)
		t.mu.Unlock()
		s.mu.Lock()
		s.gone = true
		s.mu.Unlock()
	}
}

func (t *track) attached() bool { return len(*t.sinks.Load()) > 0 }

// write sends the packet as it stands to each consumer. One that fails does not
// keep it from the others; it reports its errors itself.
func (t *track) write() {
	for _, s := range *t.sinks.Load() {
		s.mu.Lock()
		if !s.gone {
			_ = s.w.WriteRTP(&t.packet)
		}
		s.mu.Unlock()
	}
}

func (t *track) end() { t.closeOnce.Do(func() { close(t.done) }) }

func (t *track) ended() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

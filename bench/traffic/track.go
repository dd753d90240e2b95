package traffic

import (
	"sync"
	"sync/atomic"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// Track is a media.Track whose packets the benchmark writes.
type Track struct {
	id     string
	role   media.Role
	format media.Format
	done   chan struct{}
	asked  atomic.Bool

	mu     sync.Mutex
	to     media.Writer
	packet rtp.Packet
	level  [1]byte
}

var _ media.Track = (*Track)(nil)

// NewTrack makes a track; it never ends.
func NewTrack(id string, role media.Role, f media.Format) *Track {
	t := &Track{id: id, role: role, format: f, done: make(chan struct{})}
	t.packet.Version = 2
	if role == media.Audio {
		_ = t.packet.SetExtension(media.AudioLevelID, t.level[:]) // one byte under a valid id cannot fail
	}
	return t
}

// ID, Role, Format and Done describe the track.
func (t *Track) ID() string { return t.id }

// Role says what it is for.
func (t *Track) Role() media.Role { return t.role }

// Format is the codec.
func (t *Track) Format() media.Format { return t.format }

// Done is never closed.
func (t *Track) Done() <-chan struct{} { return t.done }

// RequestKeyframe is remembered for Asked.
func (t *Track) RequestKeyframe() { t.asked.Store(true) }

// Asked reports, once, whether a keyframe was requested.
func (t *Track) Asked() bool { return t.asked.Swap(false) }

// Attach takes one consumer.
func (t *Track) Attach(w media.Writer) func() {
	t.mu.Lock()
	t.to = w
	t.mu.Unlock()
	t.asked.Store(true)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.to == w {
			t.to = nil
		}
	}
}

// Send hands a payload to the consumer; step is how far the timestamp moves
// after it, level the loudness in -dBov. It reports whether anybody took it.
func (t *Track) Send(payload []byte, marker bool, step uint32, level uint8) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.packet.Payload, t.packet.Marker = payload, marker
	if t.role == media.Audio {
		t.level[0] = level
		_ = t.packet.SetExtension(media.AudioLevelID, t.level[:])
	}
	if t.to != nil {
		_ = t.to.WriteRTP(&t.packet) // the consumer is coming or going
	}
	t.packet.SequenceNumber++
	t.packet.Timestamp += step
	return t.to != nil
}

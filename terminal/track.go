package terminal

import (
	"context"
	"sync"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// track is a stream the terminal makes. The makers embed it.
type track struct {
	id     string
	role   media.Role
	format media.Format

	cancel context.CancelFunc
	done   chan struct{} // the maker has stopped

	mu      sync.Mutex
	writers []*attached
}

type attached struct{ w media.Writer }

// ID implements media.Track.
func (t *track) ID() string { return t.id }

// Role implements media.Track.
func (t *track) Role() media.Role { return t.role }

// Format implements media.Track.
func (t *track) Format() media.Format { return t.format }

// Done implements media.Track.
func (t *track) Done() <-chan struct{} { return t.done }

// RequestKeyframe implements media.Track; makers of video have their own.
func (t *track) RequestKeyframe() {}

// Attach implements media.Track.
func (t *track) Attach(w media.Writer) (detach func()) {
	a := &attached{w}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writers = append(t.writers, a)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for i, o := range t.writers {
			if o == a {
				t.writers = append(t.writers[:i], t.writers[i+1:]...)
				return
			}
		}
	}
}

// WriteRTP hands p to every writer.
func (t *track) WriteRTP(p *rtp.Packet) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.writers {
		q := *p
		_ = a.w.WriteRTP(&q) // the far side may be gone; the call's end says so
	}
	return nil
}

// start runs loop until stop.
func (t *track) start(ctx context.Context, loop func(ctx context.Context)) {
	ctx, t.cancel = context.WithCancel(ctx)
	t.done = make(chan struct{})
	go func() {
		defer close(t.done)
		loop(ctx)
	}()
}

// stop ends the track and waits for its loop.
func (t *track) stop() {
	t.cancel()
	<-t.done
}

package rtpconn

import (
	"sync"

	"github.com/roomgate/roomgate/media"
)

// Bundle holds the sessions of a leg, at most one for each role, and hands out their
// tracks. The zero Bundle with OnTrack set is ready; it is safe for concurrent use.
type Bundle struct {
	// OnTrack takes the tracks of all sessions; it must not block for long.
	OnTrack func(media.Track)

	mu     sync.Mutex
	open   [media.Camera + 1]*Session
	closed bool
	wg     sync.WaitGroup // who hands out the tracks
}

// Get is the session of a role; nil when there is none.
func (b *Bundle) Get(r media.Role) *Session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open[r]
}

// All are the sessions, by role.
func (b *Bundle) All() []*Session {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*Session
	for _, c := range b.open {
		if c != nil {
			out = append(out, c)
		}
	}
	return out
}

// Open gives the session of a role, made by open if there is none. It returns ErrClosed
// after Close.
func (b *Bundle) Open(role media.Role, open func() (*Session, error)) (*Session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrClosed
	}
	if b.open[role] != nil {
		return b.open[role], nil
	}
	c, err := open()
	if err != nil {
		return nil, err
	}
	b.open[role] = c
	b.wg.Add(1)
	go func() {
		defer b.wg.Done()
		for t := range c.Tracks() {
			b.OnTrack(t)
		}
	}()
	return c, nil
}

// Drop closes the session of a role, if there is one.
func (b *Bundle) Drop(role media.Role) {
	b.mu.Lock()
	c := b.open[role]
	b.open[role] = nil
	b.mu.Unlock()
	if c != nil {
		_ = c.Close() // its ports are given back in any case
	}
}

// Stats are the counters of all that is heard and seen.
func (b *Bundle) Stats() (out []media.StreamStats) {
	for _, c := range b.All() {
		if c.cfg.Role != media.Camera {
			out = append(out, c.Stats()...)
		}
	}
	return out
}

// Close closes all sessions and waits until their tracks are handed out.
func (b *Bundle) Close() {
	b.mu.Lock()
	b.closed = true
	open := b.open
	b.open = [media.Camera + 1]*Session{}
	b.mu.Unlock()
	for _, c := range open {
		if c != nil {
			_ = c.Close() // its ports are given back in any case
		}
	}
	b.wg.Wait()
}

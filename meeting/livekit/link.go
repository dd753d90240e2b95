package livekit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
	"go.uber.org/zap"
)

// Pauses between attempts to rejoin, doubled each time, each varied by half.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// member is what a link carries: a seat or a receiver. Its methods are called
// from one goroutine at a time, except that restore runs beside handle.
type member interface {
	// began is called before the first message of a session is handled.
	began(s *session)
	// restore publishes anew on a session that has just begun.
	restore(ctx context.Context, s *session) error
	// handle takes a message of the SFU. It must not wait for another one.
	handle(s *session, m *livekit.SignalResponse)
	// tick is called about once a second.
	tick(s *session, now time.Time)
	// broke says that a session is over; final that none follows.
	broke(s *session, final bool)
}

// link keeps one participant in a room: it owns the session and renews it.
type link struct {
	client   *Client
	room     string
	identity string
	token    func() (string, error)
	receive  bool
	before   func(ctx context.Context) error
	member   member
	log      *zap.Logger
	events   *events

	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error

	mu      sync.Mutex
	current *session
	changed chan struct{} // closed when current was replaced
}

// begin joins and keeps the link from then on.
func (l *link) begin(ctx context.Context) error {
	c := l.client
	l.log = c.log.With(zap.String("meeting", l.room), zap.String("identity", l.identity))
	l.events = newEvents()
	l.done = make(chan struct{})
	l.changed = make(chan struct{})
	l.ctx, l.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := c.register(l); err != nil {
		l.cancel(err)
		return err
	}
	ctx, stop := context.WithTimeout(ctx, c.config.JoinTimeout)
	defer stop()
	defer context.AfterFunc(l.ctx, stop)()
	s, err := l.join(ctx, func(err error) bool { return permanent(err) })
	if err != nil {
		l.cancel(err)
		c.unregister(l)
		return err
	}
	l.setSession(s)
	go l.run(s)
	return nil
}

// Events delivers in order; closed after Ended.
func (l *link) Events() <-chan Event { return l.events.ch }

// Done is closed when the participant has left for good.
func (l *link) Done() <-chan struct{} { return l.done }

// Err says why, once Done is closed; nil after Close.
func (l *link) Err() error {
	select {
	case <-l.done:
	default:
		return nil
	}
	if errors.Is(l.err, errClosed) {
		return nil
	}
	return l.err
}

// Close leaves the room and waits until everything has ended.
func (l *link) Close() error {
	l.stop(errClosed)
	<-l.done
	return nil
}

// stop ends the link; it does not wait.
func (l *link) stop(reason error) {
	l.cancel(reason)
	l.mu.Lock()
	s := l.current
	l.mu.Unlock()
	if s != nil {
		s.fail(reason)
	}
}

// run serves one session after the other.
func (l *link) run(s *session) {
	defer l.client.unregister(l)
	defer close(l.done)
	err := l.runInner(s)
	l.err = err
	l.log.Debug("left", zap.NamedError("reason", err))
	l.events.send(Event{Kind: Ended})
	l.events.close()
}

func (l *link) runInner(s *session) error {
	for again := false; ; again = true {
		err := s.serve(again)
		l.setSession(nil)
		if cause := context.Cause(l.ctx); cause != nil {
			err = cause
		}
		final := permanent(err)
		l.member.broke(s, final)
		if final {
			l.cancel(err)
			return err
		}
		l.log.Info("link to the sfu broke, rejoining", zap.Error(err))
		l.events.send(Event{Kind: Reconnecting})
		s, err = l.join(l.ctx, func(err error) bool {
			// A room may look full because of our own former self.
			return permanent(err) && !errors.Is(err, ErrRoomFull)
		})
		if err != nil {
			l.member.broke(nil, true)
			l.cancel(err)
			return err
		}
		l.setSession(s)
	}
}

// join tries until it succeeds, hopeless says that it cannot, or ctx ends.
func (l *link) join(ctx context.Context, hopeless func(error) bool) (*session, error) {
	pause := firstPause
	for {
		s, err := l.joinOnce(ctx)
		if err == nil {
			return s, nil
		}
		if cause := context.Cause(l.ctx); cause != nil {
			return nil, cause
		}
		if hopeless(err) {
			return nil, err
		}
		l.log.Debug("join failed", zap.Error(err), zap.Duration("pause", pause))
		select {
		case <-ctx.Done():
			if cause := context.Cause(l.ctx); cause != nil {
				return nil, cause
			}
			return nil, fmt.Errorf("%w: %w (%w)", ErrUnreachable, err, ctx.Err())
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, lastPause)
	}
}

func (l *link) joinOnce(ctx context.Context) (*session, error) {
	select {
	case l.client.joining <- struct{}{}:
		defer func() { <-l.client.joining }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.before != nil {
		if err := l.before(ctx); err != nil {
			l.log.Debug("preparing the room failed", zap.Error(err))
		}
	}
	token, err := l.token()
	if err != nil {
		return nil, err
	}
	g, joined, err := l.client.dial(ctx, token, l.receive)
	if err != nil {
		return nil, err
	}
	return newSession(l, g, joined), nil
}

func (l *link) setSession(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current = s
	close(l.changed)
	l.changed = make(chan struct{})
	if s != nil && l.ctx.Err() != nil {
		s.fail(context.Cause(l.ctx)) // stop came between the join and now
	}
}

// session waits for one that is not over.
func (l *link) session(ctx context.Context) (*session, error) {
	for {
		l.mu.Lock()
		s, changed := l.current, l.changed
		l.mu.Unlock()
		if s != nil && !s.isOver() {
			return s, nil
		}
		select {
		case <-changed:
		case <-l.ctx.Done():
			return nil, context.Cause(l.ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// attempt is session without waiting.
func (l *link) attempt() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// register counts a link in, so that Close waits for it.
func (c *Client) register(l *link) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.links[l] = struct{}{}
	c.wait.Add(1)
	return nil
}

func (c *Client) unregister(l *link) {
	c.mu.Lock()
	delete(c.links, l)
	c.mu.Unlock()
	c.wait.Done()
}

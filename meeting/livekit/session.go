package livekit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v3"
	"go.uber.org/zap"
)

// connectTimeout bounds the wait for media to flow after a rejoin.
const connectTimeout = 5 * time.Second

// session is one stay of a link in its room, from Join to the end of the
// WebSocket.
type session struct {
	link   *link
	signal *signal
	joined *livekit.JoinResponse
	log    *zap.Logger

	ctx  context.Context // ends with the session
	stop context.CancelCauseFunc
	wait sync.WaitGroup

	mu         sync.Mutex
	publisher  *publisher
	subscriber *subscriber
	left       bool // the SFU said Leave, or the WebSocket is gone

	offers chan struct{} // closed when the SFU has made its first offer
}

func newSession(l *link, g *signal, joined *livekit.JoinResponse) *session {
	s := &session{link: l, signal: g, joined: joined, log: l.log, offers: make(chan struct{})}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	return s
}

// fail ends the session; the first reason counts.
func (s *session) fail(reason error) {
	s.stop(reason)
	if errors.Is(reason, errClosed) && !s.isLeft() {
		// Without Leave the SFU keeps a participant whose WebSocket closed.
		_ = s.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{
			Reason: livekit.DisconnectReason_CLIENT_INITIATED, Action: livekit.LeaveRequest_DISCONNECT,
		}}})
	}
	s.signal.close()
}

func (s *session) isLeft() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

func (s *session) setLeft() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}

func (s *session) isOver() bool { return s.ctx.Err() != nil }

// serve handles messages until the session ends, and cleans up.
func (s *session) serve(again bool) error {
	s.link.member.began(s)
	quiet := s.link.client.pulse.add(func(now time.Time) { s.tick(now) })
	s.spawn(func() { s.restore(again) })
	for {
		m, err := s.signal.next()
		if err != nil {
			s.setLeft()
			s.fail(fmt.Errorf("%w: %w", errBroken, err))
			break
		}
		s.handle(m)
	}
	quiet()
	s.closeConnections()
	s.wait.Wait()
	return context.Cause(s.ctx)
}

// spawn runs f as part of the session, which waits for it; on a session that is
// over it reports false and runs nothing.
func (s *session) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isOver() {
		return false
	}
	s.wait.Go(f)
	return true
}

// restore brings back what the former session had.
func (s *session) restore(again bool) {
	ctx := s.ctx
	if err := s.link.member.restore(ctx, s); err != nil {
		s.fail(fmt.Errorf("%w: %w", errBroken, err))
		return
	}
	if !again {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := s.awaitMedia(ctx); err != nil {
		s.fail(fmt.Errorf("%w: no media path", errBroken))
		return
	}
	s.link.events.send(Event{Kind: Reconnected})
}

// awaitMedia waits until every connection in use is connected.
func (s *session) awaitMedia(ctx context.Context) error {
	if s.link.receive {
		select {
		case <-s.offers:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, c := range s.connections() {
		select {
		case <-c.connected:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// tick keeps the session and notices when it is dead.
func (s *session) tick(now time.Time) {
	if s.isOver() {
		return
	}
	s.signal.ping()
	s.link.member.tick(s, now)
}

func (s *session) send(r *livekit.SignalRequest) error { return s.signal.send(r) }

// handle deals with what concerns the session and hands on the rest.
func (s *session) handle(m *livekit.SignalResponse) {
	switch m := m.GetMessage().(type) {
	case *livekit.SignalResponse_Leave:
		s.setLeft()
		s.fail(leaveError(m.Leave))
	case *livekit.SignalResponse_Answer:
		if p := s.existingPublisher(); p != nil {
			p.answered(m.Answer)
		}
	case *livekit.SignalResponse_Offer:
		s.offered(m.Offer)
	case *livekit.SignalResponse_Trickle:
		s.trickled(m.Trickle)
	case *livekit.SignalResponse_TrackPublished:
		if p := s.existingPublisher(); p != nil {
			p.published(m.TrackPublished)
		}
	case *livekit.SignalResponse_RequestResponse:
		if p := s.existingPublisher(); p != nil {
			p.refused(m.RequestResponse)
		}
	}
	s.link.member.handle(s, m)
}

// offered answers the SFU's offer of what we receive.
func (s *session) offered(offer *livekit.SessionDescription) {
	sub, err := s.openSubscriber()
	if err == nil {
		err = sub.answer(offer)
	}
	if err != nil {
		s.fail(fmt.Errorf("%w: %w", errBroken, err))
	}
}

func (s *session) trickled(m *livekit.TrickleRequest) {
	candidate, err := parseCandidate(m.GetCandidateInit())
	if err != nil || candidate.Candidate == "" {
		return // the SFU's end-of-candidates, or nothing we understand
	}
	s.mu.Lock()
	publisher, subscriber := s.publisher, s.subscriber
	s.mu.Unlock()
	switch {
	case m.GetTarget() == livekit.SignalTarget_PUBLISHER && publisher != nil:
		publisher.add(candidate)
	case m.GetTarget() == livekit.SignalTarget_SUBSCRIBER && subscriber != nil:
		subscriber.add(candidate)
	}
}

func (s *session) existingPublisher() *publisher {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.publisher
}

// openPublisher opens the publishing connection when it is first needed.
func (s *session) openPublisher() (*publisher, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isOver() {
		return nil, errBroken
	}
	if s.publisher == nil {
		p, err := newPublisher(s)
		if err != nil {
			return nil, err
		}
		s.publisher = p
	}
	return s.publisher, nil
}

func (s *session) existingSubscriber() *subscriber {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subscriber
}

func (s *session) openSubscriber() (*subscriber, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subscriber == nil {
		sub, err := newSubscriber(s)
		if err != nil {
			return nil, err
		}
		s.subscriber = sub
		close(s.offers)
	}
	return s.subscriber, nil
}

// connections are those in use.
func (s *session) connections() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []*connection
	if s.publisher != nil {
		open = append(open, s.publisher.connection)
	}
	if s.subscriber != nil {
		open = append(open, s.subscriber.connection)
	}
	return open
}

func (s *session) closeConnections() {
	for _, c := range s.connections() {
		c.close()
	}
}

// stateChanged watches the media paths: a path that falls silent ends the
// session even when the WebSocket still answers.
func (s *session) stateChanged(state webrtc.ICEConnectionState) {
	switch state {
	case webrtc.ICEConnectionStateDisconnected, webrtc.ICEConnectionStateFailed:
		if !s.isOver() {
			s.fail(fmt.Errorf("%w: media path %s", errBroken, state))
		}
	}
}

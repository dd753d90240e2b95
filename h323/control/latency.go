package control

import (
	"time"

	"github.com/roomgate/roomgate/h323/h245"
)

// latency measures the round trip, which keeps the connection alive at the same time.
type latency struct {
	sequence uint8
	sent     time.Time // of the request that is open; zero: none
	last     time.Time // of the last request
	answers  bool      // the far side has answered one
}

func (l *latency) deadline(interval time.Duration) time.Time {
	if interval <= 0 || l.last.IsZero() {
		return time.Time{}
	}
	return l.last.Add(interval)
}

// Ping sends roundTripDelayRequest; the answer comes as RoundTrip.
func (s *Session) Ping(now time.Time) { s.do(now, s.ping) }

func (s *Session) ping() {
	l := &s.latency
	l.sequence++
	l.sent, l.last = s.now, s.now
	s.sendRequest(&h245.RequestMessage{RoundTripDelayRequest: &h245.RoundTripDelayRequest{SequenceNumber: l.sequence}})
}

func (s *Session) roundTrip(m *h245.RoundTripDelayResponse) {
	l := &s.latency
	if l.sent.IsZero() || m.SequenceNumber != l.sequence {
		return
	}
	s.emit(RoundTrip{s.now.Sub(l.sent)})
	l.sent, l.answers = time.Time{}, true
}

// tickLatency sends the next request. Who answered before, and does so no longer, is
// reported; many never answer.
func (s *Session) tickLatency() {
	l := &s.latency
	if s.cfg.KeepAlive <= 0 || !s.started {
		return
	}
	if !s.due(l.deadline(s.cfg.KeepAlive)) {
		return
	}
	if !l.sent.IsZero() && l.answers {
		s.emit(Silent{})
	}
	s.ping()
}

package rtpconn

import (
	"context"
	"fmt"
	"time"

	"github.com/roomgate/roomgate/media/rtpconn/event"
)

// A digit as it is sent: within what every receiver takes (RFC 4733 §2.5.1.4,
// ITU-T Q.24: at least 40 ms on and 40 ms off).
const (
	digitStep   = 20 * time.Millisecond
	digitSteps  = 5 // 100 ms
	endPackets  = 3 // the last one is sent three times (§2.5.1.4)
	pauseSteps  = 3 // 60 ms, with the repeated ends in it
	digitVolume = 10
)

// SendDigits sends digits (0-9 A-D * #) as telephone events, 100 ms each with
// 60 ms between; it returns when the last was sent.
func (s *Session) SendDigits(ctx context.Context, digits string) error {
	codes := make([]uint8, 0, len(digits))
	for _, d := range digits {
		code, ok := event.Code(d)
		if !ok {
			return fmt.Errorf("digit %q: no telephone event", d)
		}
		codes = append(codes, code)
	}
	select {
	case s.digits <- struct{}{}:
		defer func() { <-s.digits }()
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return ErrClosed
	}
	ticks, stop := s.clock.Ticker(digitStep)
	defer stop()
	for _, code := range codes {
		if err := s.sendDigit(ctx, ticks, code); err != nil {
			return err
		}
	}
	return nil
}

// sendDigit sends one key and the pause after it; audio waits meanwhile.
func (s *Session) sendDigit(ctx context.Context, ticks <-chan time.Time, code uint8) error {
	f, ok := s.eventFormat()
	if !ok {
		return ErrNoEvents
	}
	stamp := s.out.key(true, f.ClockRate, s.clock.Now())
	defer s.out.key(false, f.ClockRate, s.clock.Now())
	step := uint16(time.Duration(f.ClockRate) * digitStep / time.Second)
	for i := range digitSteps + pauseSteps {
		at := min(i+1, digitSteps)
		e := event.Event{Code: code, End: at == digitSteps, Volume: digitVolume, Duration: uint16(at) * step}
		if i < digitSteps+endPackets-1 {
			s.sendEvent(f, e, i == 0, stamp)
		}
		select {
		case <-ticks:
		case <-ctx.Done():
			e.End = true // the key is let go
			s.sendEvent(f, e, false, stamp)
			return ctx.Err()
		case <-s.closing:
			return ErrClosed
		}
	}
	return nil
}

func (s *Session) eventFormat() (EventFormat, bool) {
	a := s.agreed.Load()
	if a == nil || a.SendEvents.ClockRate == 0 || !a.Direction.Sends() {
		return EventFormat{}, false
	}
	return a.SendEvents, true
}

func (s *Session) sendEvent(f EventFormat, e event.Event, first bool, stamp uint32) {
	buf := datagrams.Get().(*[maxDatagram]byte)
	defer datagrams.Put(buf)
	if wire, ok := s.out.event(buf[:], f.PayloadType, e, first, stamp, s.clock.Now()); ok {
		conn, _ := s.ports.conns()
		s.sendRTP(conn, wire)
	}
}

// key begins or ends a time in which digits take the place of audio. It returns
// the timestamp of the stream in the clock of the events.
func (s *sink) key(down bool, rate uint32, now time.Time) (stamp uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keying = down
	return s.stream.clock(rate, now)
}

// event writes a packet between those of what is published.
func (s *sink) event(buf []byte, pt uint8, e event.Event, first bool, stamp uint32, now time.Time) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open || s.secured && s.crypto == nil {
		return nil, false
	}
	var payload [event.Size]byte
	return s.write(buf, pt, first, s.stream.insert(), stamp, e.AppendTo(payload[:0]), now)
}

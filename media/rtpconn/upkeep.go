package rtpconn

import (
	"time"

	"github.com/pion/rtcp"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
)

const (
	audioTick = 100 * time.Millisecond
	videoTick = 20 * time.Millisecond
	// keepAlivePause is the silence after which an empty datagram keeps the
	// way through a NAT open (RFC 6263 §4).
	keepAlivePause = 15 * time.Second
	dropLogPause   = 10 * time.Second
)

func tickOf(r media.Role) time.Duration {
	if r == media.Audio {
		return audioTick
	}
	return videoTick
}

// upkeep does what time demands, until the session is closed.
func (s *Session) upkeep(ticks <-chan time.Time, stop func(), began time.Time) {
	defer s.running.Done()
	defer stop()
	kept := chores{keptAlive: began}
	for {
		select {
		case <-s.closing:
			return
		case <-ticks:
		case <-s.wake:
		}
		if agreed := s.agreed.Load(); agreed != nil {
			s.tick(agreed, &kept, s.clock.Now())
		}
	}
}

// chores is when things were done last.
type chores struct {
	metered, keptAlive time.Time
	looked             time.Time // at the path
	pinhole            pinhole
}

func (s *Session) tick(agreed *agreement, kept *chores, now time.Time) {
	s.askPictures(agreed, now)
	s.askAgain(agreed, now)
	if s.cfg.Role != media.Audio && now.Sub(kept.looked) >= lookPause {
		kept.looked = now
		s.lookAtPath(now)
	}
	s.tellBitrate(agreed, now)
	if s.report.due(now) {
		s.sendReport(now)
	}
	s.checkSilence(now)
	if now.Sub(kept.metered) >= time.Second {
		kept.metered = now
		s.in.snapshot(now)
		s.out.snapshot(now)
		s.logDrops(now, false)
	}
	s.pierce(agreed, &kept.pinhole, now)
	if s.idle(now) && now.Sub(kept.keptAlive) >= keepAlivePause {
		kept.keptAlive = now
		s.keepAlive()
	}
}

// askAgain asks for lost packets (RFC 4585 §6.2.1).
func (s *Session) askAgain(agreed *agreement, now time.Time) {
	if !agreed.Feedback.NACK || !agreed.Direction.Receives() {
		return
	}
	ssrc, pairs := s.in.wanted(now, s.out.roundTrip())
	if len(pairs) == 0 {
		return
	}
	nack := rtcp.TransportLayerNack{SenderSSRC: s.SSRC(), MediaSSRC: ssrc, Nacks: pairs}
	if b, err := nack.Marshal(); err == nil {
		s.sendFeedback(b)
	}
}

// expectMedia starts or stops the media time-out after a negotiation.
func (s *Session) expectMedia(a *agreement, now time.Time) {
	l := &s.life
	l.mu.Lock()
	defer l.mu.Unlock()
	waits := s.cfg.Timeout > 0 && !a.Held && a.Direction.Receives()
	if waits && !l.waits {
		l.since, l.silent = now, false
	}
	l.waits = waits
}

// alive notes that something valid arrived.
func (s *Session) alive(now time.Time) {
	l := &s.life
	l.mu.Lock()
	l.since, l.seen = now, now
	recovered := l.silent
	l.silent = false
	l.mu.Unlock()
	if recovered {
		s.emit(Event{Kind: Recovered})
	}
}

func (s *Session) checkSilence(now time.Time) {
	l := &s.life
	l.mu.Lock()
	silent := l.waits && !l.silent && now.Sub(l.since) >= s.cfg.Timeout
	if silent {
		l.silent = true
	}
	l.mu.Unlock()
	if silent {
		s.emit(Event{Kind: TimedOut})
	}
}

// idle reports whether nothing was sent for a while.
func (s *Session) idle(now time.Time) bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return now.Sub(s.out.lastAt) >= keepAlivePause
}

func (s *Session) keepAlive() {
	if to := s.route.to.Load().rtp; to.IsValid() {
		// Whether it arrives does not matter: it opens the way back.
		rtp, _ := s.ports.conns()
		_ = s.transmit(rtp, nil, to)
	}
}

// logDrops says once in a while what was dropped.
func (s *Session) logDrops(now time.Time, last bool) {
	c := s.tally.counters()
	l := &s.life
	l.mu.Lock()
	quiet := c.Dropped() == l.logged || !last && now.Sub(l.loggedAt) < dropLogPause
	if !quiet {
		l.logged, l.loggedAt = c.Dropped(), now
	}
	l.mu.Unlock()
	if quiet {
		return
	}
	s.log.Info("media datagrams dropped", zap.Uint64("malformed", c.Malformed),
		zap.Uint64("stranger", c.Stranger), zap.Uint64("unauthentic", c.Unauthentic))
}

package rtpconn

import (
	"sync"
	"time"

	"github.com/pion/rtcp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/rate"
)

// paths watches how much the path to the far side carries, each way. Audio is not
// watched: it is too little to make a difference.
type paths struct {
	mu      sync.Mutex
	out, in rate.Path
	least   time.Duration // round trip
	told    account       // of the far side's reports
	seen    account       // of what came
}

// account is what was counted when a path was looked at last.
type account struct {
	at      time.Time
	packets uint32 // sent, or expected
	lost    uint32
	again   uint32 // sent again, which hides that they were lost
	bytes   uint64
	sent    bool // bytes were sent, not received
}

// A path is judged by what went over it in a while: not by a few packets.
const (
	lookPause   = 500 * time.Millisecond
	lookPackets = 20
	lookLongest = 10 * time.Second
)

// since gives what was seen since the last look, and begins a new one; ok is false
// when it is too early, or nothing can be told.
func (a *account) since(next account) (s rate.Sight, ok bool) {
	passed := next.at.Sub(a.at)
	packets, lost := next.packets-a.packets, uint32(max(0, int32(next.lost-a.lost)))
	switch {
	case a.at.IsZero(), packets > 1<<20, passed > lookLongest, next.bytes < a.bytes:
		*a = next
		return s, false
	case passed < lookPause || packets < lookPackets:
		return s, false
	}
	s.Bps = int(float64(next.bytes-a.bytes) * 8 / passed.Seconds())
	if next.sent { // less than nothing is lost when copies arrive of what was lost before
		missed := min(max(int32(next.lost-a.lost), -int32(packets)), int32(packets))
		s.Bps = int(float64(s.Bps) * (1 - float64(missed)/float64(packets)))
	}
	if lost = max(lost, next.again-a.again); int32(lost) > 0 {
		s.Loss = min(1, float64(lost)/float64(packets))
	}
	*a = next
	return s, true
}

// reportedPath looks at the way out, with a reception report about it.
func (s *Session) reportedPath(r rtcp.ReceptionReport, rtt time.Duration, rttKnown bool, now time.Time) {
	if s.cfg.Role == media.Audio {
		return
	}
	p := &s.paths
	p.mu.Lock()
	if rttKnown && (p.least == 0 || rtt < p.least) {
		p.least = rtt
	}
	octets, again, missing := s.out.flow()
	sight, ok := p.told.since(account{
		at: now, packets: r.LastSequenceNumber - missing, lost: r.TotalLost&0xffffff - missing, again: again, bytes: octets, sent: true,
	})
	if !ok {
		p.mu.Unlock()
		return
	}
	if rttKnown {
		sight.Queue = rtt - p.least
		p.least += min(p.least/32, time.Millisecond) // paths change
	}
	sight.Final = !s.resends()
	limit, changed := p.out.See(now, sight)
	p.mu.Unlock()
	if changed {
		s.setLimit(func(b *bitrates) { b.carried = limit })
	}
}

// lookAtPath looks at the way in.
func (s *Session) lookAtPath(now time.Time) {
	p := &s.paths
	p.mu.Lock()
	next, queue := s.in.account(now)
	sight, ok := p.seen.since(next)
	if !ok {
		p.mu.Unlock()
		return
	}
	sight.Queue, sight.Final = queue(), !s.resends()
	limit, changed := p.in.See(now, sight)
	p.mu.Unlock()
	if changed {
		s.reach.mu.Lock()
		s.reach.carries = limit
		s.reach.mu.Unlock()
		s.askBitrate()
	}
}

// resends reports whether what is lost is asked for and sent again.
func (s *Session) resends() bool {
	a := s.agreed.Load()
	return a != nil && a.Feedback.NACK
}

// forgetPaths begins anew: media goes another way.
func (s *Session) forgetPaths() {
	p := &s.paths
	p.mu.Lock()
	p.out, p.in, p.least, p.told, p.seen = rate.Path{}, rate.Path{}, 0, account{}, account{}
	p.mu.Unlock()
	s.reach.mu.Lock()
	s.reach.carries = 0
	s.reach.mu.Unlock()
	s.bound(func(b *bitrates) { b.carried = 0 })
}

// flow is what was sent, how many packets of it had to be sent again, and how many there were
// none of to send, which the far side takes for lost on its own path.
func (s *sink) flow() (octets uint64, again, missing uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.history != nil {
		again = s.history.Lost()
	}
	return s.bytes, again, s.missing
}

// account is what was received so far. queue gives how long packets waited since it
// was called last.
func (s *source) account(now time.Time) (a account, queue func() time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known || s.ended {
		return account{}, nil
	}
	expected, lost := s.stats.Counts()
	return account{at: now, packets: expected, lost: lost, bytes: s.bytes}, func() time.Duration {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.queue.Take()
	}
}

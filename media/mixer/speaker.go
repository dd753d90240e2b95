package mixer

import (
	"sync/atomic"
	"time"
)

// speaker decides who has the floor: whoever has been the loudest for a while,
// but not more often than the hold time allows while the present one talks.
type speaker struct {
	hold   time.Duration
	active atomic.Pointer[Input]

	since     time.Time // when active took the floor
	candidate *Input
	leading   time.Time // since when candidate has been ahead
}

const (
	takeOver   = 400 * time.Millisecond // of being the loudest takes the floor
	takeSilent = 100 * time.Millisecond // is enough when nobody else talks
	advantage  = 3.0                    // dB the one with the floor is ahead
)

// update is called each tick. It returns the input that took the floor, if one
// did.
func (s *speaker) update(inputs []*Input, now time.Time) *Input {
	active := s.active.Load()
	var loudest *Input
	best := 0.0
	for _, in := range inputs {
		if !in.talks {
			continue
		}
		l := in.Level()
		if in == active {
			l += advantage
		}
		if loudest == nil || l > best {
			loudest, best = in, l
		}
	}
	if loudest == nil || loudest == active {
		s.candidate = nil
		return nil
	}
	if loudest != s.candidate {
		s.candidate, s.leading = loudest, now
	}
	talking := active != nil && active.talks
	switch led := now.Sub(s.leading); {
	case active == nil:
	case !talking && led < takeSilent:
		return nil
	case talking && (led < takeOver || now.Sub(s.since) < s.hold):
		return nil
	}
	s.since, s.candidate = now, nil
	s.active.Store(loudest)
	return loudest
}

package h264

import (
	"time"

	"github.com/roomgate/roomgate/media"
)

// Keyframe requests: while a source is waited for they are repeated, in quick
// succession at first since the first may meet a sender not ready yet.
const (
	keyframeInterval = 500 * time.Millisecond // between requests passed on
	burstRequests    = 4
	slowRepeat       = 2 * time.Second
	checkInterval    = time.Second // of measured rates
)

// run does what must not happen under the lock or on a source's goroutine:
// asks for keyframes, detaches, watches for the end of sources, reports.
func (s *Switch) run() {
	defer close(s.ended)
	defer s.keys.Close()
	checks := time.NewTicker(checkInterval)
	defer checks.Stop()
	repeat := time.NewTimer(checkInterval)
	defer repeat.Stop()
	for {
		over, selectedDone, shownDone := s.settle()
		if over {
			return
		}
		repeat.Reset(s.pause())
		select {
		case <-s.wake:
			if s.fewer.Swap(false) {
				s.check()
			}
		case <-repeat.C:
		case <-checks.C:
			s.check()
		case <-selectedDone:
			s.sourceEnded(true)
		case <-shownDone:
			s.sourceEnded(false)
		case <-s.done:
		}
	}
}

// settle brings the world in line with the state.
func (s *Switch) settle() (over bool, selectedDone, shownDone <-chan struct{}) {
	s.mu.Lock()
	leaving := s.leaving
	s.leaving = nil
	over = s.closed
	ask := s.keyAsk.Swap(false) && (s.selected != nil || s.shown != nil)
	if in := s.selected; in != nil {
		selectedDone = in.src.Done()
		ask = ask || in.wantsKeyframe(time.Now())
	}
	if in := s.shown; in != nil && in != s.selected {
		shownDone = in.src.Done()
	}
	limited, limit := s.limitDue()
	report, changed := s.report()
	s.mu.Unlock()

	for _, in := range leaving {
		in.detach()
	}
	if limited != nil {
		limited.TakeBitrate(limit)
	}
	if ask {
		s.keys.Request()
	}
	if changed && !over && s.cfg.OnState != nil {
		s.cfg.OnState(report)
	}
	return over, selectedDone, shownDone
}

// wantsKeyframe reports whether it is time to ask again for the keyframe that
// is waited for.
func (in *input) wantsKeyframe(now time.Time) bool {
	s := in.sw
	if in == s.shown || s.reason != "" || now.Before(in.nextAt) {
		return false
	}
	in.asked++
	in.nextAt = now.Add(keyframeInterval)
	if in.asked >= burstRequests {
		in.nextAt = now.Add(slowRepeat)
	}
	return true
}

// pause is how long run may sleep.
func (s *Switch) pause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.selected; in != nil && in != s.shown && s.reason == "" {
		return min(max(time.Until(in.nextAt), time.Millisecond), checkInterval)
	}
	return checkInterval
}

func (s *Switch) limitDue() (media.BitrateTaker, int) {
	in, limit := s.selected, s.limit.Load()
	if in == nil || in.told == limit || s.cfg.OnLimit != nil {
		return nil, 0
	}
	in.told = limit
	taker, ok := in.src.(media.BitrateTaker)
	if !ok {
		return nil, 0
	}
	return taker, int(limit)
}

func (s *Switch) report() (State, bool) {
	st := s.state()
	changed := st != s.reported
	s.reported = st
	return st, changed
}

// askForKeyframe asks the source that is waited for; otherwise the one shown.
func (s *Switch) askForKeyframe() {
	s.mu.Lock()
	src := s.shown.track()
	if s.selected != nil && s.reason == "" {
		src = s.selected.src
	}
	s.mu.Unlock()
	if src != nil {
		src.RequestKeyframe()
	}
}

// check looks at what changes without an IDR: rate and length of slices.
func (s *Switch) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.selected
	if in == nil || in.sps.Macroblocks == 0 {
		return
	}
	in.now = time.Now()
	_, why := Fits(in.facts(), s.receiver(in))
	switch {
	case why != "":
		s.refuse(in, why)
	case s.reason != "": // it fits again: back at its next keyframe
		s.reason, in.asked, in.nextAt = "", 0, time.Time{}
	}
}

func (s *Switch) sourceEnded(selected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !selected {
		if s.shown != nil && s.shown != s.selected {
			s.leave(s.shown)
			s.shown = nil
		}
		return
	}
	if s.shown == s.selected {
		s.shown = nil
	}
	s.leave(s.selected)
	s.selected, s.reason = nil, ""
}

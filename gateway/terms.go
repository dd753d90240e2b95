package gateway

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
)

// Terms are what is agreed for one call beyond where it leads: what the directory says
// of the endpoint, what its meeting says, and what was asked for the call.
type Terms struct {
	// Rate in kbit/s, sound included; 0 = no limit of its own.
	Rate int
	// Longest is how long the call lasts at most once answered; 0 = any.
	Longest time.Duration
	// Redials bounds how often in a row it is called again when the network lost it.
	Redials int
	directory.Treatment
	layout layout.Kind
	quirks []string
}

// Terminal types of H.245 for calls to an MCU (H.323 table 1).
const (
	activeMC  = 240 // master of whatever it meets
	gatewayMC = 60  // slave of every MCU
)

// termsOf is what the directory says of an alias.
func (g *Gateway) termsOf(alias string) Terms {
	t := Terms{}
	if g.in.Directory == nil || alias == "" {
		return t
	}
	e, ok := g.in.Directory.ByAlias(alias)
	if !ok {
		return t
	}
	t.Rate, t.Treatment, t.Redials = e.Bandwidth, e.Treatment, e.Treatment.Redials
	t.Longest = time.Duration(e.Treatment.Longest) * time.Second
	t.layout, _ = layout.Parse(e.Layout)
	t.quirks = quirksOf(e.Vendor, e.Quirks)
	return t
}

// within joins what a meeting allows: the smaller counts.
func (t Terms) within(m MeetingSpec) Terms {
	t.Rate = smaller(t.Rate, m.Bandwidth)
	t.Longest = smaller(t.Longest, m.LegLast)
	return t
}

// asked joins what was asked for one call. Rates and durations can be lowered so, not
// raised.
func (t Terms) asked(r DialRequest) Terms {
	t.Rate = smaller(t.Rate, r.Rate)
	t.Longest = smaller(t.Longest, r.Longest)
	t.Digits = cmp.Or(r.Digits, t.Digits)
	t.MCU = t.MCU || r.MCU
	t.ContentMaster = cmp.Or(r.ContentMaster, t.ContentMaster)
	t.TerminalType = cmp.Or(r.TerminalType, t.TerminalType)
	t.layout = cmp.Or(layout.Kind(r.Layout), t.layout)
	if r.Redials != nil {
		t.Redials = *r.Redials
	}
	if t.TerminalType == 0 && t.MCU {
		switch t.ContentMaster {
		case directory.Here:
			t.TerminalType = activeMC
		case directory.There:
			t.TerminalType = gatewayMC
		}
	}
	return t
}

func smaller[T int | time.Duration](a, b T) T {
	switch {
	case a <= 0:
		return b
	case b <= 0:
		return a
	}
	return min(a, b)
}

// limit is what can be done under the terms.
func (t Terms) limit(can media.Capabilities) media.Capabilities {
	return withQuirks(can, t.quirks).Within(t.Rate * 1000)
}

// unit is how a bridge treats the leg.
func (t Terms) unit() bridge.Unit {
	return bridge.Unit{
		MCU: t.MCU, Ours: t.MCU && t.ContentMaster == directory.Here, Theirs: t.MCU && t.ContentMaster == directory.There,
		NoContent: t.Forbids(directory.Presents), Rated: t.Rate > 0,
	}
}

// terms gives those in force; a far side that says that it is a focus is an MCU.
func (s *session) terms() Terms {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.agreed
	if s.place != nil {
		t = t.within(s.place.meeting.spec())
	}
	return t.facing(s.leg.Info())
}

// facing completes terms with what the far side says of itself: one that joins several
// is an MCU, and where nobody has said otherwise, whoever calls is content master.
func (t Terms) facing(info call.Info) Terms {
	if !t.MCU && info.Remote.Focus {
		t.MCU = true
		if info.Direction == call.In {
			t.ContentMaster = cmp.Or(t.ContentMaster, directory.There)
		}
	}
	return t
}

// know takes over what the directory says of who calls.
func (s *session) know() {
	r := s.leg.Info().Remote
	if !r.Registered {
		return
	}
	t := s.g.termsOf(r.Alias)
	s.mu.Lock()
	s.agreed, s.layout = t, cmp.Or(s.layout, t.layout)
	s.mu.Unlock()
}

// apply tells the bridge.
func (s *session) apply(p *place) {
	if t := s.terms(); !p.meeting.private {
		p.member.SetUnit(t.unit())
	}
}

// overdue ends calls that have lasted long enough.
func (g *Gateway) overdue(now time.Time) {
	for _, s := range g.living() {
		last, answered := s.terms().Longest, s.leg.Info().Answered
		if last > 0 && !answered.IsZero() && now.Sub(answered) >= last {
			s.log.Info("the call has lasted long enough", zap.Duration("longest", last))
			s.leg.Hangup(call.Cause{Code: call.MeetingEnded, Text: "the longest duration of the call is over"})
		}
	}
}

// digitPause is how long a comma waits.
const (
	digitPause = time.Second
)

// dialOn sends the digits that are due after the answer, to the menu of whoever it is.
func (s *session) dialOn(digits string) {
	sender, ok := s.leg.(call.DigitSender)
	if digits == "" || !ok || !s.g.begin() {
		return
	}
	go func() {
		defer s.g.wait.Done()
		for part, rest := "", digits; rest != ""; {
			if rest[0] == ',' {
				if rest = rest[1:]; !s.pause(digitPause) {
					return
				}
				continue
			}
			end := strings.IndexByte(rest, ',')
			if end < 0 {
				end = len(rest)
			}
			part, rest = rest[:end], rest[end:]
			ctx, cancel := s.background()
			err := sender.SendDigits(ctx, part)
			cancel()
			if err != nil {
				s.log.Info("digits after the answer were not sent", zap.Error(err))
				return
			}
		}
	}()
}

// pause waits; false when the call has ended meanwhile.
func (s *session) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ended:
	case <-s.g.ctx.Done():
	}
	return false
}

// forbids reports whether the leg's endpoint may not do something.
func (s *session) forbids(d directory.Deed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.agreed.Forbidden, d)
}

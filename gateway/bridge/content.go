package bridge

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/floor"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// Content: one participant presents, as the arbiter says; everybody else is shown it,
// in the second channel of their terminal or in its only one.

// presenterChanged is told by the arbiter.
func (b *Bridge) presenterChanged(identity string) {
	b.presenter = identity
	for _, m := range b.members {
		m.presentation.expect(identity != "" && identity != m.identity)
		m.followSlides()
		m.publishContent()
	}
	b.in.Notify(Notice{Kind: Presenting, Identity: identity})
	b.nudge()
}

// newFloor makes the arbiter of a bridge.
func (b *Bridge) newFloor() *floor.Arbiter {
	return floor.New(floor.Config{
		Policy: b.in.Floor, Lease: b.in.Lease, May: b.mayPresent, Changed: b.presenterChanged,
		Wanted: func(identity string) { b.in.Notify(Notice{Kind: PresentingWanted, Identity: identity}) },
	})
}

// SetFloor changes who may present.
func (b *Bridge) SetFloor(p floor.Policy) { b.do(func() { b.arbiter.SetPolicy(p) }) }

// Presenter is who presents, and who waits for leave to; "" is nobody.
func (b *Bridge) Presenter() (presenter, waiting string) {
	b.call(func() { presenter, waiting = b.arbiter.Presenter(), b.arbiter.Waiting() })
	return presenter, waiting
}

// Present lets somebody present, by an operator's word, or answers who waits; with no
// it stops who presents. False: they are not there.
func (b *Bridge) Present(identity string, yes bool) (ok bool) {
	b.call(func() {
		switch {
		case b.arbiter.Waiting() == identity && identity != "":
			ok = b.arbiter.Decide(identity, yes)
		case yes:
			ok = b.giveFloor(identity)
		case b.arbiter.Presenter() == identity && identity != "":
			b.arbiter.Revoke()
			ok = true
		}
	})
	return ok
}

// giveFloor gives the floor to who is able to take it: a leg that sends content.
func (b *Bridge) giveFloor(identity string) bool {
	for _, m := range b.members {
		if m.identity == identity && m.tracks[media.Content] == nil {
			return false
		}
	}
	return b.arbiter.Give(identity)
}

// guest is a remote participant as a party: its share is an ordinary stream, so it asks
// by sharing, and is stopped by the SFU.
type guest struct {
	bridge   *Bridge
	identity string
}

func (guest) Granted() {}

// Denied implements floor.Party.
func (g guest) Denied() { g.Yield() }

// Yield implements floor.Party. Where another node decides, that one stops who has to
// stop.
func (g guest) Yield() {
	if !g.bridge.decides() {
		return
	}
	g.bridge.in.Notify(Notice{Kind: StopSharing, Identity: g.identity})
}

// decides reports whether this node says who presents.
func (b *Bridge) decides() bool { return b.in.Lease == nil || b.in.Lease.Held() }

// followShares: nobody presents as far as this node knows, but another node, which
// decides, lets somebody share.
func (b *Bridge) followShares(now time.Time) {
	if b.presenter != "" || b.decides() {
		return
	}
	for identity := range b.sharing {
		b.arbiter.Ask(identity, now)
		return
	}
}

// shareChanged follows what a remote participant shares.
func (b *Bridge) shareChanged(identity string) {
	s := b.sources[sourceKey(identity, media.Content)]
	switch shares := s != nil && s.member == nil && !s.muted; {
	case shares && !b.sharing[identity]:
		b.sharing[identity] = true
		p := b.roster[identity]
		b.arbiter.Join(identity, p.Attributes[call.AttrRole] == call.RoleHost, guest{b, identity})
		b.arbiter.Ask(identity, b.in.Now())
	case !shares && b.sharing[identity]:
		delete(b.sharing, identity)
		b.arbiter.Leave(identity)
	}
}

// counts reports whether a source counts: of content that of the presenter alone.
func (b *Bridge) counts(s *source) bool {
	return !s.muted && (s.role != media.Content || s.identity == b.presenter)
}

// presentation is a leg's part in who presents. Its fields belong to the bridge's
// goroutine but for those under the lock, from which hold works.
type presentation struct {
	holder  call.ContentHolder // nil: it knows no floor control
	allowed bool               // the far side takes content of ours now
	theirs  bool               // it presents, as it says
	asked   bool               // it waits for our answer
	asks    bool               // it has asked, or said that it presents, in this call
	screen  *contentScreen

	mu      sync.Mutex
	wanted  bool  // we should hold its floor
	held    bool  // we do, or have asked to
	refused bool  // it does not yield: not asked again before the presenter changes
	unable  bool  // it took no such wish; asked again when its media changes
	answer  *bool // to its wish
	revoke  bool  // take the floor from it, even if only to give it back
	changed chan struct{}
}

func newPresentation(leg call.Leg) presentation {
	holder, _ := leg.(call.ContentHolder)
	return presentation{holder: holder, changed: make(chan struct{}, 1)}
}

// expect says whether the leg is to be sent content.
func (p *presentation) expect(content bool) {
	p.mu.Lock()
	p.wanted, p.refused, p.unable = content, false, false
	p.mu.Unlock()
	p.poke()
}

// renegotiated: what was not possible may be now.
func (p *presentation) renegotiated() {
	p.mu.Lock()
	again := p.unable
	p.unable = false
	p.mu.Unlock()
	if again {
		p.poke()
	}
}

func (p *presentation) poke() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// reply answers the far side's wish.
func (p *presentation) reply(yes bool) {
	p.mu.Lock()
	p.answer = &yes
	p.mu.Unlock()
	p.poke()
}

// step is what is to be done next about the far side's floor.
func (p *presentation) step() func(context.Context, call.ContentHolder) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.answer != nil:
		yes := *p.answer
		p.answer = nil
		if p.refused = false; yes {
			p.held, p.wanted = false, false
		}
		return func(ctx context.Context, h call.ContentHolder) error { return h.AnswerContent(ctx, yes) }
	case (p.wanted || p.revoke) && !p.held && !p.refused && !p.unable:
		p.held, p.revoke = true, false
		return func(ctx context.Context, h call.ContentHolder) error { return h.RequestContent(ctx) }
	case !p.wanted && p.held && !p.revoke:
		p.held = false
		return func(ctx context.Context, h call.ContentHolder) error { return h.ReleaseContent(ctx) }
	}
	return nil
}

// leavePresentation gives the far side's floor back, for the bridge it goes to next.
func (m *Member) leavePresentation() {
	p := &m.presentation
	m.closeContent()
	p.mu.Lock()
	held := p.held
	p.held, p.wanted = false, false
	p.mu.Unlock()
	if p.holder == nil || !held {
		return
	}
	m.bridge.start(func() {
		ctx, cancel := context.WithTimeout(m.bridge.ctx, holdTime)
		defer cancel()
		if err := p.holder.ReleaseContent(ctx); err != nil {
			m.log.Debug("floor of the leg", zap.Error(err))
		}
	})
}

// holdTime bounds one word about the floor; asking may take a re-INVITE.
const holdTime = 10 * time.Second

// hold keeps the far side's floor as it is wanted. It ends with the member.
func (m *Member) hold() {
	defer m.wait.Done()
	p := &m.presentation
	if p.holder == nil {
		return
	}
	for {
		select {
		case <-p.changed:
		case <-m.ctx.Done():
			return
		}
		for do := p.step(); do != nil; do = p.step() {
			ctx, cancel := context.WithTimeout(m.ctx, holdTime)
			err := do(ctx, p.holder)
			cancel()
			if err != nil {
				m.log.Debug("floor of the leg", zap.Error(err))
				p.mu.Lock()
				p.held, p.unable = false, true
				p.mu.Unlock()
			}
		}
	}
}

// Content takes what the leg says about who presents.
func (m *Member) Content(kind call.EventKind) {
	m.bridge.do(func() {
		if !m.gone {
			m.contentSaid(kind)
		}
	})
}

func (m *Member) contentSaid(kind call.EventKind) {
	p := &m.presentation
	switch kind {
	case call.ContentRequested:
		m.slides.wanted = false
		p.asked, p.asks = true, true
		m.bridge.arbiter.Ask(m.identity, m.bridge.in.Now())
	case call.ContentStarted:
		m.slides.wanted = false
		m.followSlides()
		p.theirs, p.asks = true, true
		if m.bridge.arbiter.Presenter() != m.identity { // it did not ask
			m.bridge.arbiter.Ask(m.identity, m.bridge.in.Now())
		}
	case call.ContentStopped:
		p.theirs, p.asked = false, false
		m.bridge.arbiter.Stop(m.identity)
	case call.ContentGranted:
		p.allowed = true
		m.followStreams(m.leg.Info().Streams)
		p.poke() // it may not be wanted any more
	case call.ContentRefused, call.ContentLost:
		p.allowed = false
		p.mu.Lock()
		p.held, p.refused = false, true
		p.mu.Unlock()
		m.closeContent()
	}
}

// Granted implements floor.Party.
func (m *Member) Granted() {
	p := &m.presentation
	m.slidesGranted()
	if p.asked {
		p.asked = false
		p.reply(true)
	}
}

// Denied implements floor.Party.
func (m *Member) Denied() {
	p := &m.presentation
	switch {
	case p.asked:
		p.asked = false
		p.reply(false)
	case p.theirs:
		m.Yield()
	case m.slides.waits:
		m.slidesOver()
	}
}

// Yield implements floor.Party: the floor is taken from the far side.
func (m *Member) Yield() {
	p := &m.presentation
	p.theirs = false
	if m.slidesOver() || p.holder == nil {
		return
	}
	p.mu.Lock()
	p.revoke, p.refused = true, false
	p.mu.Unlock()
	p.poke()
}

// SetHost lets the leg do what hosts may.
func (m *Member) SetHost() {
	m.bridge.do(func() {
		if !m.gone {
			m.bridge.arbiter.Join(m.identity, true, m)
		}
	})
}

// contentStopped: the meeting does not let the leg present.
func (m *Member) contentStopped() {
	m.bridge.do(func() {
		if m.bridge.arbiter.Presenter() == m.identity {
			m.bridge.arbiter.Revoke()
		}
	})
}

// unheld watches a leg that sends content without floor control: it presents while
// packets come.
func (m *Member) unheld(now time.Time) {
	p := &m.presentation
	if m.tracks[media.Content] == nil || p.asks || m.slides.wanted {
		return
	}
	if _, ok := m.leg.(call.StatsReporter); !ok {
		return
	}
	sends := m.sendsContent(now)
	presents := m.bridge.arbiter.Presenter() == m.identity
	switch {
	case sends && !presents && !m.sentBefore:
		m.bridge.arbiter.Ask(m.identity, now)
	case !sends && presents:
		m.bridge.arbiter.Stop(m.identity)
	}
	m.sentBefore = sends
}

// sendsContent reports whether something comes in the leg's second channel.
func (m *Member) sendsContent(now time.Time) (sends bool) {
	reporter, ok := m.leg.(call.StatsReporter)
	if !ok || m.tracks[media.Content] == nil {
		return false
	}
	for _, st := range reporter.Stats() {
		if st.Role == media.Content && !st.Sent && !st.LastSeen.IsZero() {
			sends = now.Sub(st.LastSeen) < contentSilence
		}
	}
	return sends
}

// contentSilence is how long who presents without floor control may send nothing.
const contentSilence = 3 * time.Second

// publishContent shows the leg's content to the meeting while it presents.
func (m *Member) publishContent() {
	t := m.pictures()[media.Content]
	switch {
	case m.bridge.in.Local:
	case t == nil || m.bridge.presenter != m.identity:
		delete(m.uplinks, media.Content)
		m.want(media.Content, nil)
	case t.Format().Codec.Is(string(media.H264)) && m.roomCodec == "":
		m.want(media.Content, &clean{Track: t, changed: func(sps h264.SPS) {
			m.presents.Store(&sps)
			m.poke()
		}})
	} // else a worker makes what the meeting knows: publishMade
}

// floorTick is the second's look at who presents.
func (b *Bridge) floorTick() {
	now := b.in.Now()
	b.arbiter.Tick(now)
	b.followShares(now)
	for _, m := range b.members {
		m.unheld(now)
	}
}

package livekit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtcp"

	"github.com/roomgate/roomgate/media"
)

// roles is how many there are.
const roles = int(media.Content) + 1

// unwantedAfter is how long after a rejoin a video that was wanted before is
// taken to be unwanted when the SFU does not say so.
const unwantedAfter = 10 * time.Second

// publishing is what a seat sends: one track per role, on whatever session.
type publishing struct {
	link *link
	// simulcast announces the main picture in two sizes.
	simulcast bool
	turn      chan struct{} // held while a role is being published or given up

	mu     sync.Mutex
	roles  [roles]*published
	muted  [roles]bool
	sizes  [roles][2]int
	offers [roles]bool        // there can be a small picture
	smalls [roles]media.Track // small pictures
}

func newPublishing(l *link, simulcast bool) *publishing {
	return &publishing{link: l, simulcast: simulcast, turn: make(chan struct{}, 1)}
}

func (g *publishing) publish(ctx context.Context, t media.Track) (func(), error) {
	role := t.Role()
	if int(role) >= roles || !publishable(role, t.Format()) {
		return nil, fmt.Errorf("%w: %s %s", ErrFormat, role, t.Format())
	}
	release, err := g.take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	p, err := g.replace(ctx, t)
	if err != nil {
		return nil, err
	}
	for {
		s, err := g.link.session(ctx)
		if err == nil {
			err = g.establish(ctx, s, p)
		}
		if err == nil {
			return sync.OnceFunc(func() { g.unpublish(p, t) }), nil
		}
		if errors.Is(err, errBroken) && ctx.Err() == nil && g.link.ctx.Err() == nil {
			select {
			case <-s.ctx.Done(): // the next session restores it
			case <-ctx.Done():
			}
			continue
		}
		g.forget(p)
		return nil, err
	}
}

// take waits for a turn.
func (g *publishing) take(ctx context.Context) (release func(), err error) {
	select {
	case g.turn <- struct{}{}:
		return func() { <-g.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-g.link.ctx.Done():
		return nil, context.Cause(g.link.ctx)
	}
}

// replace makes t the source of its role, on the stream that stands if the
// codec is the same.
func (g *publishing) replace(ctx context.Context, t media.Track) (*published, error) {
	role := t.Role()
	g.mu.Lock()
	p := g.roles[role]
	g.mu.Unlock()
	if p != nil {
		p.mu.Lock()
		same := p.track.Format().Encodes(t.Format())
		if same {
			p.track, p.asked = t, time.Time{}
		}
		p.mu.Unlock()
		if same {
			p.refresh(time.Now())
			return p, nil
		}
		g.end(ctx, p)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p = &published{role: role, track: t, muted: g.muted[role], sizes: g.simulcast && role == media.Main}
	p.small.track = g.smalls[role]
	p.small.appetite.offer(g.offers[role], time.Now())
	g.roles[role] = p
	return p, nil
}

// establish publishes p on a session unless it is there already.
func (g *publishing) establish(ctx context.Context, s *session, p *published) error {
	p.setup.Lock() // no longer than the session lives
	defer p.setup.Unlock()
	if sender, _ := p.live(s); sender != nil || p.isGone() {
		return nil
	}
	publisher, err := s.openPublisher()
	if err != nil {
		return err
	}
	p.mu.Lock()
	format := p.track.Format()
	p.mu.Unlock()
	codec, _ := wireCodec(format.Codec)
	cid := "rg_" + p.role.String() + "_" + rand.Text()[:8]
	out := newSender(cid, p.role.String(), codec, publisher.wires)
	sizes := []*sender{out}
	var small *sender
	if p.sizes {
		small = newSender(cid, p.role.String(), codec, publisher.wires)
		small.rid, out.rid = smallRID, largeRID
		sizes = []*sender{small, out}
	}
	g.mu.Lock()
	muted, size := g.muted[p.role], g.sizes[p.role]
	g.mu.Unlock()
	slot, info, err := publisher.addTrack(ctx, sizes, p.request(cid, size, muted))
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.session, p.sender, p.slot, p.id, p.small.sender = s, out, slot, info.GetSid(), small
	p.since, p.confirmed, p.muted = time.Now(), false, muted
	p.mu.Unlock()
	narrow := func(bps int) { g.link.events.send(Event{Kind: Narrow, Role: p.role, Bitrate: bps}) }
	narrow(0) // a new stream, and maybe another way
	large := func() {
		g.largeAsked(p)
		p.keyframe()
	}
	if !s.spawn(func() { publisher.listen(out, large, narrow) }) {
		return errBroken
	}
	if small != nil && !s.spawn(func() { publisher.listen(small, func() { g.smallAsked(p) }, func(int) {}) }) {
		return errBroken
	}
	p.refresh(time.Now())
	return nil
}

// unpublish gives a role up, unless another track has taken it since.
func (g *publishing) unpublish(p *published, t media.Track) {
	ctx, cancel := context.WithTimeout(context.Background(), negotiationTimeout)
	defer cancel()
	release, err := g.take(ctx)
	if err != nil {
		p.cut(true)
		return
	}
	defer release()
	p.mu.Lock()
	current := p.track == t
	p.mu.Unlock()
	if current {
		g.end(ctx, p)
	}
}

// end withdraws p; the turn is held.
func (g *publishing) end(ctx context.Context, p *published) {
	g.forget(p)
	p.mu.Lock()
	s, slot := p.session, p.slot
	p.mu.Unlock()
	if s == nil || slot == nil || s.isOver() {
		return
	}
	if publisher := s.existingPublisher(); publisher != nil {
		if err := publisher.removeTrack(ctx, slot); err != nil && !s.isOver() {
			s.fail(fmt.Errorf("%w: %w", errBroken, err))
		}
	}
}

// forget drops p from the roles and from its source.
func (g *publishing) forget(p *published) {
	g.mu.Lock()
	if g.roles[p.role] == p {
		g.roles[p.role] = nil
	}
	g.mu.Unlock()
	p.cut(true)
	g.tellSmall(p, p.small.appetite.reset())
}

// restore publishes on a new session what was published on the last. A role
// that the SFU refuses now is given up; the others go on.
func (g *publishing) restore(ctx context.Context, s *session) error {
	for _, p := range g.all() {
		err := g.establish(ctx, s, p)
		switch {
		case err == nil:
		case errors.Is(err, ErrNotPermitted):
			g.forget(p)
			g.link.events.send(Event{Kind: Unpublished, Role: p.role})
		default:
			return err
		}
	}
	return nil
}

// broke lets go of the sources until the next session.
func (g *publishing) broke(final bool) {
	for _, p := range g.all() {
		p.mu.Lock()
		p.session, p.sender, p.slot, p.id, p.small.sender = nil, nil, nil, "", nil
		p.mu.Unlock()
		p.cut(final)
		g.tellSmall(p, p.small.appetite.reset())
	}
}

func (g *publishing) all() []*published {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*published
	for _, p := range g.roles {
		if p != nil {
			all = append(all, p)
		}
	}
	return all
}

// tick sends the reports and settles what only time tells.
func (g *publishing) tick(s *session, now time.Time) {
	var reports []rtcp.Packet
	for _, p := range g.all() {
		out, _ := p.live(s)
		if out == nil {
			continue
		}
		g.settle(p, now)
		g.tellSmall(p, p.small.appetite.tick(now))
		p.refresh(now)
		reports = append(reports, p.reports(out, now)...)
	}
	if publisher := s.existingPublisher(); publisher != nil {
		publisher.report(reports)
	}
}

// settle takes silence after a rejoin for "not wanted any more".
func (g *publishing) settle(p *published, now time.Time) {
	p.mu.Lock()
	stale := p.wanted && !p.confirmed && now.Sub(p.since) > unwantedAfter
	if stale {
		p.wanted = false
	}
	p.mu.Unlock()
	if stale {
		g.tellSmall(p, p.small.appetite.told(false, false, now))
		g.link.events.send(Event{Kind: Wanted, Role: p.role, On: false})
	}
}

// handle takes what the SFU says about our streams.
func (g *publishing) handle(_ *session, m *livekit.SignalResponse) {
	switch m := m.GetMessage().(type) {
	case *livekit.SignalResponse_Mute:
		g.mutedByMeeting(m.Mute.GetSid(), m.Mute.GetMuted())
	case *livekit.SignalResponse_SubscribedQualityUpdate:
		g.subscribed(m.SubscribedQualityUpdate)
	case *livekit.SignalResponse_TrackUnpublished:
		if p := g.named(m.TrackUnpublished.GetTrackSid()); p != nil {
			g.forget(p)
			g.link.events.send(Event{Kind: Unpublished, Role: p.role})
		}
	}
}

func (g *publishing) named(id string) *published {
	for _, p := range g.all() {
		p.mu.Lock()
		found := id != "" && p.id == id
		p.mu.Unlock()
		if found {
			return p
		}
	}
	return nil
}

package livekit

import (
	"time"

	"github.com/livekit/protocol/livekit"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
)

// setMuted mutes a role from our side.
func (g *publishing) setMuted(role media.Role, muted bool) {
	p, id := g.mark(role, muted)
	if p == nil {
		return
	}
	p.refresh(time.Now())
	if s := g.link.attempt(); s != nil && id != "" {
		_ = s.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{
			Mute: &livekit.MuteTrackRequest{Sid: id, Muted: muted},
		}})
	}
}

// mark notes the mute state of a role and returns what is published in it.
func (g *publishing) mark(role media.Role, muted bool) (p *published, id string) {
	if int(role) >= roles {
		return nil, ""
	}
	g.mu.Lock()
	g.muted[role] = muted
	p = g.roles[role]
	g.mu.Unlock()
	if p != nil {
		p.mu.Lock()
		p.muted, id = muted, p.id
		p.mu.Unlock()
	}
	return p, id
}

// mutedByMeeting follows a moderator: the server drops our packets from now
// on, so none are sent.
func (g *publishing) mutedByMeeting(id string, muted bool) {
	p := g.named(id)
	if p == nil || g.isMuted(p.role) == muted {
		return
	}
	g.mark(p.role, muted)
	p.refresh(time.Now())
	g.link.events.send(Event{Kind: Muted, Role: p.role, On: muted})
}

func (g *publishing) isMuted(role media.Role) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return int(role) < roles && g.muted[role]
}

func (g *publishing) isWanted(role media.Role) bool {
	g.mu.Lock()
	var p *published
	if int(role) < roles {
		p = g.roles[role]
	}
	g.mu.Unlock()
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wanted || role == media.Audio
}

// subscribed follows how many want our video: any codec, any layer.
func (g *publishing) subscribed(m *livekit.SubscribedQualityUpdate) {
	p := g.named(m.GetTrackSid())
	if p == nil {
		return
	}
	wanted, large := anyEnabled(m.GetSubscribedQualities(), livekit.VideoQuality_LOW), anyEnabled(m.GetSubscribedQualities(), livekit.VideoQuality_MEDIUM)
	for _, codec := range m.GetSubscribedCodecs() {
		wanted = wanted || anyEnabled(codec.GetQualities(), livekit.VideoQuality_LOW)
		large = large || anyEnabled(codec.GetQualities(), livekit.VideoQuality_MEDIUM)
	}
	p.mu.Lock()
	changed := p.wanted != wanted
	p.wanted, p.confirmed = wanted, true
	p.mu.Unlock()
	now := time.Now()
	if p.sizes {
		g.tellSmall(p, p.small.appetite.told(wanted, large, now))
	}
	p.refresh(now)
	if changed {
		g.link.events.send(Event{Kind: Wanted, Role: p.role, On: wanted})
	}
}

// anyEnabled reports whether a quality is wanted, or a higher one.
func anyEnabled(qualities []*livekit.SubscribedQuality, least livekit.VideoQuality) bool {
	for _, q := range qualities {
		if q.GetEnabled() && q.GetQuality() >= least && q.GetQuality() != livekit.VideoQuality_OFF {
			return true
		}
	}
	return false
}

// smallAsked: the SFU asks for a keyframe of the small picture.
func (g *publishing) smallAsked(p *published) {
	now := time.Now()
	g.tellSmall(p, p.small.appetite.askedSmall(now))
	p.refresh(now)
	p.smallKeyframe()
}

// largeAsked: it asks for one of the large picture.
func (g *publishing) largeAsked(p *published) {
	now := time.Now()
	if p.sizes && p.small.appetite.askedLarge(now) {
		p.refresh(now)
	}
}

// othersChanged: somebody has gone, or come.
func (g *publishing) othersChanged(gone bool) {
	for _, p := range g.all() {
		p.small.appetite.others(gone, time.Now())
	}
}

// tellSmall says whether the small picture is wanted, when that has changed.
func (g *publishing) tellSmall(p *published, changed bool) {
	if changed {
		on := p.small.appetite.isWanted()
		g.link.log.Debug("small picture", zap.Stringer("role", p.role), zap.Bool("wanted", on))
		g.link.events.send(Event{Kind: SmallWanted, Role: p.role, On: on})
	}
}

// offerSmall says whether there can be a small picture of a role.
func (g *publishing) offerSmall(role media.Role, on bool) {
	if p := g.set(role, func() { g.offers[role] = on }); p != nil {
		now := time.Now()
		g.tellSmall(p, p.small.appetite.offer(on, now))
		p.refresh(now)
	}
}

// setSmall gives the small picture of a role, nil for none.
func (g *publishing) setSmall(role media.Role, t media.Track) {
	if p := g.set(role, func() { g.smalls[role] = t }); p != nil {
		p.mu.Lock()
		p.small.track = t
		p.mu.Unlock()
		p.refresh(time.Now())
	}
}

// set notes something about a role and returns what is published in it.
func (g *publishing) set(role media.Role, note func()) *published {
	if int(role) >= roles {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	note()
	return g.roles[role]
}

// setSize tells the size of a role's pictures, now and on later sessions.
func (g *publishing) setSize(role media.Role, width, height int) {
	if int(role) >= roles || width < 0 || height < 0 {
		return
	}
	g.mu.Lock()
	changed := g.sizes[role] != [2]int{width, height}
	g.sizes[role] = [2]int{width, height}
	p := g.roles[role]
	g.mu.Unlock()
	s := g.link.attempt()
	if p == nil || s == nil || !changed {
		return
	}
	if _, id := p.live(s); id != "" {
		_ = s.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateVideoTrack{
			UpdateVideoTrack: &livekit.UpdateLocalVideoTrack{TrackSid: id, Width: uint32(width), Height: uint32(height)},
		}})
	}
}

func (g *publishing) stats() []media.StreamStats {
	var all []media.StreamStats
	s := g.link.attempt()
	for _, p := range g.all() {
		p.mu.Lock()
		codec := p.track.Format().Codec
		p.mu.Unlock()
		if out, _ := p.live(s); out != nil {
			all = append(all, out.stats(p.role, codec))
		}
	}
	return all
}

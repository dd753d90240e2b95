package livekit

import (
	"maps"
	"slices"
	"strings"

	"github.com/livekit/protocol/livekit"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// attendant is one other participant as last told.
type attendant struct {
	sid     string
	version uint32
	shown   call.Participant
	local   bool // one of our node's own legs: not subscribed to
}

// participantOf says the SFU's words in ours.
func participantOf(info *livekit.ParticipantInfo) call.Participant {
	p := call.Participant{
		Identity: info.GetIdentity(), Name: info.GetName(), Attributes: info.GetAttributes(),
		// Who records is no participant that anybody wants to see.
		Hidden: info.GetPermission().GetHidden() || info.GetPermission().GetRecorder() || info.GetKind() == livekit.ParticipantInfo_EGRESS,
		Kind:   call.ParticipantKind(info.GetAttributes()[call.AttrKind]),
	}
	if p.Kind == "" {
		p.Kind = call.Browser
		if info.GetKind() == livekit.ParticipantInfo_SIP {
			p.Kind = call.Phone
		}
	}
	for _, t := range info.GetTracks() {
		p.Tracks = append(p.Tracks, trackOf(t))
	}
	return p
}

func trackOf(t *livekit.TrackInfo) call.ParticipantTrack {
	_, name, _ := strings.Cut(t.GetMimeType(), "/")
	return call.ParticipantTrack{
		ID: t.GetSid(), Role: roleOf(t).String(), Muted: t.GetMuted(), Codec: string(codecNamed(name)),
		Width: int(t.GetWidth()), Height: int(t.GetHeight()),
	}
}

func roleOf(t *livekit.TrackInfo) media.Role {
	switch {
	case t.GetType() == livekit.TrackType_AUDIO:
		return media.Audio
	case t.GetSource() == livekit.TrackSource_SCREEN_SHARE:
		return media.Content
	}
	return media.Main
}

// apply takes what the SFU says about participants and returns the events that
// follow from it. With all, those it does not mention have left.
func (r *reception) apply(infos []*livekit.ParticipantInfo, all bool) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Event
	mentioned := make(map[string]bool, len(infos))
	for _, info := range infos {
		p := participantOf(info)
		if p.Hidden || p.Identity == r.link.identity {
			continue
		}
		gone := info.GetState() == livekit.ParticipantInfo_DISCONNECTED
		mentioned[p.Identity] = !gone
		if e := r.update(info, p, gone); e.Kind != 0 {
			out = append(out, e)
		}
	}
	if all {
		for identity, a := range r.roster {
			if !mentioned[identity] {
				out = append(out, r.drop(identity, a))
			}
		}
	}
	return out
}

// update changes one entry; the lock is held.
func (r *reception) update(info *livekit.ParticipantInfo, p call.Participant, gone bool) Event {
	known := r.roster[p.Identity]
	if gone {
		if known == nil || known.sid != info.GetSid() {
			return Event{} // a former self of somebody who is back
		}
		return r.drop(p.Identity, known)
	}
	if known != nil && known.sid == info.GetSid() && info.GetVersion() < known.version {
		return Event{}
	}
	next := &attendant{sid: info.GetSid(), version: info.GetVersion(), shown: p, local: r.link.client.config.Local(p.Identity, p.Attributes)}
	r.roster[p.Identity] = next
	for _, t := range p.Tracks {
		r.owners[t.ID] = p.Identity
	}
	if known == nil {
		return Event{Kind: Joined, Participant: p}
	}
	for _, t := range known.shown.Tracks {
		if !slices.ContainsFunc(p.Tracks, func(n call.ParticipantTrack) bool { return n.ID == t.ID }) {
			r.withdraw(t.ID)
		}
	}
	if known.sid == next.sid && alike(known.shown, p) {
		return Event{}
	}
	return Event{Kind: Changed, Participant: p}
}

// drop removes one entry; the lock is held.
func (r *reception) drop(identity string, a *attendant) Event {
	delete(r.roster, identity)
	for _, t := range a.shown.Tracks {
		r.withdraw(t.ID)
	}
	return Event{Kind: Left, Participant: a.shown}
}

// withdraw forgets a track that is not published any more; the lock is held.
func (r *reception) withdraw(trackID string) {
	delete(r.owners, trackID)
	delete(r.wanted, trackID)
	delete(r.asked, trackID)
	if t := r.open[trackID]; t != nil {
		delete(r.open, trackID)
		t.end()
	}
}

// alike reports that nothing we show has changed.
func alike(a, b call.Participant) bool {
	return a.Name == b.Name && a.Kind == b.Kind && maps.Equal(a.Attributes, b.Attributes) && slices.Equal(a.Tracks, b.Tracks)
}

// speakers are hints about those in the roster; the lock is taken.
func (r *reception) speakers(infos []*livekit.SpeakerInfo) []Speaker {
	r.mu.Lock()
	defer r.mu.Unlock()
	identities := make(map[string]string, len(r.roster))
	for identity, a := range r.roster {
		identities[a.sid] = identity
	}
	var out []Speaker
	for _, s := range infos {
		if identity := identities[s.GetSid()]; identity != "" {
			out = append(out, Speaker{Identity: identity, Level: float64(s.GetLevel()), Active: s.GetActive()})
		}
	}
	return out
}

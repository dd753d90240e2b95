package main

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/sip/conference"
)

// conferences tells subscribers over SIP who is in a meeting (RFC 4575): registered
// terminals, and whoever is in it. Numbers of callers are masked for them, as they are
// for all guests.
type conferences struct{ n *node }

// Conference implements sip.Conferences.
func (c conferences) Conference(ctx context.Context, alias string, asks call.Remote) (*conference.Meeting, bool) {
	if !asks.Registered && !c.present(alias, asks) {
		return nil, false
	}
	g := c.n.gateway
	m, err := g.Meeting(alias)
	if err != nil {
		return nil, true
	}
	people, err := g.Participants(ctx, alias)
	if err != nil {
		return nil, true
	}
	out := &conference.Meeting{Name: m.Name, Most: m.MaxLegs, Locked: m.Locked}
	domain := cmp.Or(c.n.live.Current().SIP.Domain, "roomgate.invalid")
	for _, p := range people {
		u := conference.User{
			Entity: "sip:" + url.PathEscape(p.Identity) + "@" + domain, Name: p.Name, Status: conference.Connected,
			Host: p.Attributes["roomgate.role"] == call.RoleHost,
		}
		c.media(&u, &p)
		out.Users = append(out.Users, u)
	}
	return out, true
}

// present reports whether who asks is in the meeting: from its address, and under its
// name.
func (c conferences) present(alias string, asks call.Remote) bool {
	return slices.ContainsFunc(c.n.gateway.Calls(), func(call gateway.Call) bool {
		r := call.Info.Remote
		return call.Meeting == alias && call.State == gateway.StateActive && r.Alias == asks.Alias && r.Address.Addr() == asks.Address.Addr()
	})
}

// media completes a user with its streams, as the user sees them.
func (c conferences) media(u *conference.User, p *gateway.Participant) {
	add := func(kind string, direction media.Direction, content bool) {
		u.Media = append(u.Media, conference.Medium{ID: len(u.Media) + 1, Type: kind, Direction: direction.String(), Content: content})
	}
	if leg, err := c.n.gateway.Call(p.CallID); p.CallID != "" && err == nil {
		u.Called = leg.Info.Direction == call.Out
		switch leg.State {
		case gateway.StateHeld:
			u.Status = conference.OnHold
		case gateway.StateRinging:
			u.Status = conference.Alerting
		}
		for _, s := range leg.Info.Streams {
			direction := s.Direction.Reverse()
			switch s.Role {
			case media.Audio:
				if leg.Muted && direction == media.SendRecv {
					direction = media.RecvOnly
				}
				add("audio", direction, false)
			case media.Main, media.Content:
				add("video", direction, s.Role == media.Content)
			}
		}
		return
	}
	for _, t := range p.Tracks {
		direction := media.SendRecv
		if t.Muted {
			direction = media.RecvOnly
		}
		switch t.Role {
		case media.Audio.String():
			add("audio", direction, false)
		default:
			add("video", direction, t.Role == media.Content.String())
		}
	}
}

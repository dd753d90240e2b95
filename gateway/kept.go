package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/roomgate/roomgate/directory"
)

// Meetings that stay are kept by the directory; those of g.meetings follow it.

// keepMeeting makes a meeting that outlives the process.
func (g *Gateway) keepMeeting(ctx context.Context, spec MeetingSpec) (Meeting, error) {
	spec = g.withDefaults(spec)
	_, err := g.in.Directory.SaveMeeting(ctx, record(spec))
	var taken *directory.TakenError
	var field *directory.FieldError
	switch {
	case errors.As(err, &taken):
		return Meeting{}, ErrMeetingExists
	case errors.As(err, &field):
		return Meeting{}, fmt.Errorf("%w: %w", ErrBadMeeting, err)
	case err != nil:
		return Meeting{}, err
	}
	g.Refresh()
	return g.Meeting(spec.Alias)
}

// forgetMeeting takes a meeting out of the directory, if it is there.
func (g *Gateway) forgetMeeting(ctx context.Context, alias string) (kept bool, err error) {
	if g.in.Directory == nil {
		return false, nil
	}
	if m, ok := g.in.Directory.Meeting(alias); !ok || m.Alias != alias {
		return false, nil
	}
	err = g.in.Directory.DeleteMeeting(ctx, alias)
	if errors.Is(err, directory.ErrNotFound) || errors.Is(err, directory.ErrConflict) { // somebody else was faster
		return true, nil
	}
	return true, err
}

// Refresh takes over what changed in the directory, here or on another node:
// meetings that are new or different, and the end of those that are gone.
func (g *Gateway) Refresh() {
	if g.in.Directory == nil {
		return
	}
	g.mu.Lock()
	kept := map[string]bool{}
	var follow []func()
	for _, m := range g.in.Directory.Meetings() {
		kept[m.Alias] = true
		spec := g.withDefaults(specOf(m))
		has, ok := g.meetings[m.Alias]
		if !ok {
			has = &meeting{}
			has.set(spec)
			g.meetings[m.Alias] = has
		}
		follow = append(follow, has.adopt(spec))
		has.created, has.onDemand, has.kept = m.Created, false, true
	}
	var gone []*meeting
	for alias, m := range g.meetings {
		if m.kept && !kept[alias] {
			delete(g.meetings, alias)
			gone = append(gone, m)
		}
	}
	g.mu.Unlock()
	for _, f := range follow {
		f()
	}
	for _, m := range gone {
		g.empty(m)
		g.closeRoom(m.spec().Alias, true) // whichever node deleted it: that one may have died since
	}
}

// record is what the directory keeps of a meeting.
func record(s MeetingSpec) directory.Meeting {
	return directory.Meeting{
		Alias: s.Alias, Name: s.Name, Agency: s.Agency, HostPIN: s.HostPIN, GuestPIN: s.GuestPIN, Layout: s.Layout, MaxLegs: s.MaxLegs,
		Encryption: s.Encryption, Presenting: s.Presenting, Lobby: s.Lobby, WaitForHost: s.WaitForHost, Locked: s.Locked, JoinMuted: s.JoinMuted,
		MaxDuration: s.MaxDuration, RoomsOnly: s.RoomsOnly, Bandwidth: s.Bandwidth, LegLast: s.LegLast,
		Starts: s.Plan.Starts, Ends: s.Plan.Ends, Repeats: s.Plan.Repeats, Zone: s.Plan.Zone, Extended: s.Extended, Invitees: s.Invitees,
	}
}

// specOf is the way back.
func specOf(m directory.Meeting) MeetingSpec {
	return MeetingSpec{
		Alias: m.Alias, Name: m.Name, Agency: m.Agency, HostPIN: m.HostPIN, GuestPIN: m.GuestPIN, Layout: m.Layout, MaxLegs: m.MaxLegs,
		Encryption: m.Encryption, Presenting: m.Presenting, Lobby: m.Lobby, WaitForHost: m.WaitForHost, Locked: m.Locked, JoinMuted: m.JoinMuted,
		MaxDuration: m.MaxDuration, RoomsOnly: m.RoomsOnly, Bandwidth: m.Bandwidth, LegLast: m.LegLast,
		Plan: m.Plan(), Extended: m.Extended, Invitees: m.Invitees,
	}
}

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/calendar"
	"github.com/roomgate/roomgate/gateway"
)

// Changer changes meetings that there are.
type Changer interface {
	ChangeMeeting(ctx context.Context, alias string, change func(*gateway.MeetingSpec)) (gateway.Meeting, error)
	Extend(ctx context.Context, alias string, by time.Duration) (time.Time, error)
}

// Schedule is when a meeting is held. Empty: at any time.
type Schedule struct {
	Starts  *time.Time `json:"starts,omitempty" doc:"Of the first time."`
	Ends    *time.Time `json:"ends,omitempty" doc:"Of the first time; within a week of starts."`
	Repeats string     `json:"repeats,omitempty" maxLength:"200" example:"FREQ=WEEKLY;BYDAY=MO" doc:"An RRULE of RFC 5545 that repeats daily or less often; empty: once."`
	Zone    string     `json:"zone,omitempty" maxLength:"64" example:"Asia/Ho_Chi_Minh" doc:"Whose clock the rule follows; of IANA."`
}

func (s *Schedule) plan() calendar.Plan {
	if s == nil {
		return calendar.Plan{}
	}
	p := calendar.Plan{Repeats: s.Repeats, Zone: s.Zone}
	if s.Starts != nil {
		p.Starts = *s.Starts
	}
	if s.Ends != nil {
		p.Ends = *s.Ends
	}
	return p
}

func scheduleView(p calendar.Plan) *Schedule {
	if p.None() {
		return nil
	}
	return &Schedule{Starts: moment(p.Starts), Ends: moment(p.Ends), Repeats: p.Repeats, Zone: p.Zone}
}

// Held is a time that a meeting is held.
type Held struct {
	Starts time.Time `json:"starts"`
	Ends   time.Time `json:"ends"`
}

func heldView(o calendar.Occurrence) *Held {
	if o.Ends.IsZero() {
		return nil
	}
	return &Held{o.Starts.UTC(), o.Ends.UTC()}
}

// Invitee is somebody whom a meeting calls when it starts.
type Invitee struct {
	Target string `json:"target" minLength:"1" maxLength:"500" example:"sip:room@192.0.2.5" doc:"As that of a call."`
	Name   string `json:"name,omitempty" maxLength:"200"`
	Digits string `json:"digits,omitempty" maxLength:"64" pattern:"^[0-9A-Da-d*#,]*$" doc:"Sent after the answer; a comma waits for a second."`
}

func invitees(list []Invitee) []directory.Invitee {
	if len(list) == 0 {
		return nil
	}
	return views(list, func(v Invitee) directory.Invitee { return directory.Invitee(v) })
}

// MeetingChange changes what it names and leaves the rest.
type MeetingChange struct {
	Name          *string    `json:"name,omitempty" maxLength:"200"`
	HostPIN       *string    `json:"host_pin,omitempty" pattern:"^[0-9]{0,16}$"`
	GuestPIN      *string    `json:"guest_pin,omitempty" pattern:"^[0-9]{0,16}$"`
	Layout        *string    `json:"layout,omitempty" enum:"auto,single,speaker,grid,2x2,3x3,4x4,5x5,lecture"`
	Lobby         *bool      `json:"lobby,omitempty"`
	WaitForHost   *bool      `json:"wait_for_host,omitempty"`
	Locked        *bool      `json:"locked,omitempty"`
	JoinMuted     *bool      `json:"join_muted,omitempty"`
	MaxSeconds    *int       `json:"max_seconds,omitempty" minimum:"0" maximum:"604800"`
	RoomsOnlySecs *int       `json:"rooms_only_seconds,omitempty" minimum:"0" maximum:"604800"`
	Bandwidth     *int       `json:"bandwidth,omitempty" minimum:"0" maximum:"100000"`
	LegLastSecs   *int       `json:"leg_longest_seconds,omitempty" minimum:"0" maximum:"604800"`
	MaxLegs       *int       `json:"max_legs,omitempty" minimum:"0" maximum:"10000"`
	Encryption    *string    `json:"encryption,omitempty" enum:"off,prefer,require"`
	Presenting    *string    `json:"presenting,omitempty" enum:"free,ask,host"`
	Schedule      *Schedule  `json:"schedule,omitempty" doc:"All of it at once; an empty one: at any time."`
	Invitees      *[]Invitee `json:"invitees,omitempty" maxItems:"500" doc:"All of them at once."`
}

// apply changes a spec.
func (c *MeetingChange) apply(s *gateway.MeetingSpec) {
	put(&s.Name, c.Name)
	put(&s.HostPIN, c.HostPIN)
	put(&s.GuestPIN, c.GuestPIN)
	put(&s.Layout, c.Layout)
	put(&s.Lobby, c.Lobby)
	put(&s.WaitForHost, c.WaitForHost)
	put(&s.Locked, c.Locked)
	put(&s.JoinMuted, c.JoinMuted)
	putSeconds(&s.MaxDuration, c.MaxSeconds)
	putSeconds(&s.RoomsOnly, c.RoomsOnlySecs)
	put(&s.Bandwidth, c.Bandwidth)
	putSeconds(&s.LegLast, c.LegLastSecs)
	put(&s.MaxLegs, c.MaxLegs)
	put(&s.Encryption, c.Encryption)
	put(&s.Presenting, c.Presenting)
	if c.Schedule != nil {
		s.Plan, s.Extended = c.Schedule.plan(), calendar.Occurrence{}
	}
	if c.Invitees != nil {
		s.Invitees = invitees(*c.Invitees)
	}
}

func put[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func putSeconds(to *time.Duration, from *int) {
	if from != nil {
		*to = time.Duration(*from) * time.Second
	}
}

// Extension asks for a later end.
type Extension struct {
	Minutes int `json:"minutes,omitempty" minimum:"1" maximum:"1440" default:"15"`
}

type extensionOutput struct {
	Body struct {
		Ends time.Time `json:"ends"`
	}
}

func (a *API) planned() {
	patch := operation("change-meeting", http.MethodPatch, "/meetings/{alias}", "Change a meeting", "Meetings", http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity)
	patch.Description = "Also while it is held: calls that are there keep what was agreed with them; layout, lock and who may present follow at once."
	huma.Register(a.huma, patch, func(ctx context.Context, in *struct {
		MeetingPath
		Body MeetingChange
	}) (*meetingOutput, error) {
		if in.Body.Invitees != nil {
			if err := a.mayCall(clientOf(ctx), targets(*in.Body.Invitees)...); err != nil {
				return nil, err
			}
		}
		m, err := a.Gateway.ChangeMeeting(ctx, in.Alias, in.Body.apply)
		if err != nil {
			return nil, a.problem(err)
		}
		return &meetingOutput{meetingView(m)}, nil
	})
	extend := operation("extend-meeting", http.MethodPost, "/meetings/{alias}/extend", "Let a meeting that is held end later", "Lobby", http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
	extend.Security = open
	extend.Description = "With an API key, or with the ticket of a host who is in the meeting."
	huma.Register(a.huma, extend, func(ctx context.Context, in *struct {
		HostPath
		Body Extension
	}) (*extensionOutput, error) {
		if err := a.moderates(ctx, in.HostPath); err != nil {
			return nil, err
		}
		ends, err := a.Gateway.Extend(ctx, in.Alias, time.Duration(in.Body.Minutes)*time.Minute)
		if err != nil {
			return nil, a.problem(err)
		}
		out := &extensionOutput{}
		out.Body.Ends = ends.UTC()
		return out, nil
	})
}

package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// MeetingRequest asks for a meeting. Zero values mean the gateway's defaults.
type MeetingRequest struct {
	Alias      string `json:"alias"`
	Name       string `json:"name,omitempty"`
	Agency     string `json:"agency,omitempty"`
	HostPIN    string `json:"host_pin,omitempty"`
	GuestPIN   string `json:"guest_pin,omitempty"`
	Layout     string `json:"layout,omitempty"`
	MaxLegs    int    `json:"max_legs,omitempty"`
	Encryption string `json:"encryption,omitempty"` // off, prefer, require
	Presenting string `json:"presenting,omitempty"` // free, ask, host

	Lobby            bool `json:"lobby,omitempty"`         // a host lets every guest in
	WaitForHost      bool `json:"wait_for_host,omitempty"` // guests wait for one
	JoinMuted        bool `json:"join_muted,omitempty"`
	MaxSeconds       int  `json:"max_seconds,omitempty"`
	RoomsOnlySeconds int  `json:"rooms_only_seconds,omitempty"`

	Bandwidth         int `json:"bandwidth,omitempty"` // of each call, kbit/s
	LegLongestSeconds int `json:"leg_longest_seconds,omitempty"`

	Schedule *Schedule `json:"schedule,omitempty"` // nil: at any time
	Invitees []Invitee `json:"invitees,omitempty"` // called when it starts
}

// Schedule is when a meeting is held.
type Schedule struct {
	Starts  *time.Time `json:"starts,omitempty"` // of the first time
	Ends    *time.Time `json:"ends,omitempty"`
	Repeats string     `json:"repeats,omitempty"` // an RRULE of RFC 5545; "" = once
	Zone    string     `json:"zone,omitempty"`    // of IANA; "" = Asia/Ho_Chi_Minh
}

// Invitee is somebody whom a meeting calls when it starts.
type Invitee struct {
	Target string `json:"target"`
	Name   string `json:"name,omitempty"`
	Digits string `json:"digits,omitempty"` // sent after the answer; a comma waits for a second
}

// Held is a time that a meeting is held.
type Held struct {
	Starts time.Time `json:"starts"`
	Ends   time.Time `json:"ends"`
}

// Meeting is a meeting as it stands.
type Meeting struct {
	Alias       string    `json:"alias"`
	Name        string    `json:"name"`
	Agency      string    `json:"agency"`
	HasHostPIN  bool      `json:"has_host_pin"`
	HasGuestPIN bool      `json:"has_guest_pin"`
	Layout      string    `json:"layout"`
	MaxLegs     int       `json:"max_legs"`
	Encryption  string    `json:"encryption"`
	Presenting  string    `json:"presenting"` // free, ask, host
	Presenter   string    `json:"presenter"`  // identity, "" = nobody
	Waiting     string    `json:"waiting"`    // identity of who waits for a yes to present
	Recorded    bool      `json:"recorded"`   // by the meeting server
	Lobby       bool      `json:"lobby"`
	WaitForHost bool      `json:"wait_for_host"`
	Locked      bool      `json:"locked"`
	JoinMuted   bool      `json:"join_muted"`
	MaxSeconds  int       `json:"max_seconds"`
	RoomsOnly   int       `json:"rooms_only_seconds"`
	Bandwidth   int       `json:"bandwidth"`
	LegLongest  int       `json:"leg_longest_seconds"`
	CreatedAt   time.Time `json:"created_at"`
	OnDemand    bool      `json:"on_demand"`
	Legs        int       `json:"legs"`
	Schedule    *Schedule `json:"schedule"` // nil: at any time
	Held        *Held     `json:"held"`     // now or next; nil: none
	Invitees    []Invitee `json:"invitees"`
}

// CreateMeeting makes a meeting that stays until it is deleted.
func (c *Client) CreateMeeting(ctx context.Context, r MeetingRequest) (m Meeting, err error) {
	err = c.do(ctx, http.MethodPost, "/meetings", r, &m)
	return m, err
}

// MeetingChange changes what it names; nil leaves as it is.
type MeetingChange struct {
	Name       *string `json:"name,omitempty"`
	HostPIN    *string `json:"host_pin,omitempty"`
	GuestPIN   *string `json:"guest_pin,omitempty"`
	Layout     *string `json:"layout,omitempty"`
	MaxLegs    *int    `json:"max_legs,omitempty"`
	Encryption *string `json:"encryption,omitempty"`
	Presenting *string `json:"presenting,omitempty"`

	Lobby            *bool `json:"lobby,omitempty"`
	WaitForHost      *bool `json:"wait_for_host,omitempty"`
	Locked           *bool `json:"locked,omitempty"`
	JoinMuted        *bool `json:"join_muted,omitempty"`
	MaxSeconds       *int  `json:"max_seconds,omitempty"`
	RoomsOnlySeconds *int  `json:"rooms_only_seconds,omitempty"`

	Bandwidth         *int `json:"bandwidth,omitempty"`
	LegLongestSeconds *int `json:"leg_longest_seconds,omitempty"`

	Schedule *Schedule  `json:"schedule,omitempty"` // an empty one: at any time
	Invitees *[]Invitee `json:"invitees,omitempty"`
}

// ChangeMeeting changes a meeting, also while it is held.
func (c *Client) ChangeMeeting(ctx context.Context, alias string, r MeetingChange) (m Meeting, err error) {
	err = c.do(ctx, http.MethodPatch, path("meetings", alias), r, &m)
	return m, err
}

// ExtendMeeting lets a meeting that is held end later, and tells when.
func (c *Client) ExtendMeeting(ctx context.Context, alias string, minutes int) (ends time.Time, err error) {
	var out struct {
		Ends time.Time `json:"ends"`
	}
	err = c.do(ctx, http.MethodPost, path("meetings", alias, "extend"), map[string]int{"minutes": minutes}, &out)
	return out.Ends, err
}

// InvitationRequest says when a meeting is held.
type InvitationRequest struct {
	Starts   time.Time // zero: the schedule of the meeting
	Minutes  int       // 0 = 60; with Starts
	Language string    // vi or en; "" = vi
}

// Invitation writes an invitation for calendars (iCalendar, RFC 5545) that says how to
// join.
func (c *Client) Invitation(ctx context.Context, alias string, r InvitationRequest, to io.Writer) error {
	query := url.Values{}
	if !r.Starts.IsZero() {
		query.Set("starts", r.Starts.Format(time.RFC3339))
	}
	if r.Minutes != 0 {
		query.Set("minutes", strconv.Itoa(r.Minutes))
	}
	if r.Language != "" {
		query.Set("language", r.Language)
	}
	return c.download(ctx, path("meetings", alias, "invitation.ics")+"?"+query.Encode(), to)
}

// Meetings lists all meetings of the node.
func (c *Client) Meetings(ctx context.Context) ([]Meeting, error) {
	return list[Meeting](ctx, c, "/meetings", "meetings")
}

// Meeting finds one meeting.
func (c *Client) Meeting(ctx context.Context, alias string) (m Meeting, err error) {
	err = c.do(ctx, http.MethodGet, path("meetings", alias), nil, &m)
	return m, err
}

// DeleteMeeting ends a meeting for everybody.
func (c *Client) DeleteMeeting(ctx context.Context, alias string) error {
	return c.do(ctx, http.MethodDelete, path("meetings", alias), nil, nil)
}

// TokenRequest asks for a browser's ticket.
type TokenRequest struct {
	Name  string `json:"name"`
	Role  string `json:"role,omitempty"` // host or guest
	PIN   string `json:"pin,omitempty"`
	Knock string `json:"knock,omitempty"` // of a guest who waits to be let in
}

// Token is a ticket for LiveKit clients.
type Token struct {
	URL   string `json:"url"`
	Token string `json:"token"`
	Muted bool   `json:"muted"` // come in with the microphone off
}

// Token lets a browser into a meeting.
func (c *Client) Token(ctx context.Context, alias string, r TokenRequest) (t Token, err error) {
	err = c.do(ctx, http.MethodPost, path("meetings", alias, "tokens"), r, &t)
	return t, err
}

// Participant is one row of a roster.
type Participant struct {
	Identity   string            `json:"identity"`
	Name       string            `json:"name"`
	Kind       string            `json:"kind"` // browser, terminal, phone
	CallID     string            `json:"call_id"`
	Speaking   bool              `json:"speaking"`
	Muted      bool              `json:"muted"`
	Attributes map[string]string `json:"attributes"`
}

// Participants lists who is in a meeting.
func (c *Client) Participants(ctx context.Context, alias string) ([]Participant, error) {
	return list[Participant](ctx, c, path("meetings", alias, "participants"), "participants")
}

// MuteParticipant mutes somebody, or lifts the mute.
func (c *Client) MuteParticipant(ctx context.Context, alias, identity string, muted bool) error {
	return c.do(ctx, http.MethodPost, path("meetings", alias, "participants", identity, muteVerb(muted)), nil, nil)
}

// RemoveParticipant puts somebody out of a meeting.
func (c *Client) RemoveParticipant(ctx context.Context, alias, identity string) error {
	return c.do(ctx, http.MethodDelete, path("meetings", alias, "participants", identity), nil, nil)
}

// Present lets somebody present, or with yes false stops them or denies their wish.
func (c *Client) Present(ctx context.Context, alias, identity string, yes bool) error {
	verb := "stop-presenting"
	if yes {
		verb = "present"
	}
	return c.do(ctx, http.MethodPost, path("meetings", alias, "participants", identity, verb), nil, nil)
}

func muteVerb(muted bool) string {
	if muted {
		return "mute"
	}
	return "unmute"
}

// Waiting is somebody who waits to be let into a meeting.
type Waiting struct {
	ID     string    `json:"id"`
	CallID string    `json:"call_id,omitempty"`
	Name   string    `json:"name"`
	Kind   string    `json:"kind"` // browser, terminal, phone
	Since  time.Time `json:"since"`
	For    string    `json:"for"` // admission, host
}

// Waiting lists who waits to be let into a meeting.
func (c *Client) Waiting(ctx context.Context, alias string) ([]Waiting, error) {
	var out struct {
		Waiting []Waiting `json:"waiting"`
	}
	err := c.do(ctx, http.MethodGet, path("meetings", alias, "lobby"), nil, &out)
	return out.Waiting, err
}

// Admit lets somebody in who waits, or with yes false turns them away.
func (c *Client) Admit(ctx context.Context, alias, id string, yes bool) error {
	verb := "deny"
	if yes {
		verb = "admit"
	}
	return c.do(ctx, http.MethodPost, path("meetings", alias, "lobby", id, verb), nil, nil)
}

// LockMeeting keeps further guests out of a meeting, or lets them in again.
func (c *Client) LockMeeting(ctx context.Context, alias string, locked bool) error {
	verb := "unlock"
	if locked {
		verb = "lock"
	}
	return c.do(ctx, http.MethodPost, path("meetings", alias, verb), nil, nil)
}

// SetMeetingLayout chooses what those of a running meeting are shown who have no layout
// of their own: a layout, "" for what the meeting was made with, and an identity that
// takes the place of the speaker, or "".
func (c *Client) SetMeetingLayout(ctx context.Context, alias, layout, pinned string) error {
	return c.do(ctx, http.MethodPost, path("meetings", alias, "layout"), map[string]string{"layout": layout, "pinned": pinned}, nil)
}

// MeetingLayout is what those of a meeting are shown who have no layout of their own.
type MeetingLayout struct {
	Layout  string `json:"layout"`
	Default string `json:"default"` // what the meeting was made with
	Pinned  string `json:"pinned"`  // identity of who takes the place of the speaker, or ""
}

// MeetingLayout tells what those of a meeting are shown who have no layout of their own.
func (c *Client) MeetingLayout(ctx context.Context, alias string) (l MeetingLayout, err error) {
	err = c.do(ctx, http.MethodGet, path("meetings", alias, "layout"), nil, &l)
	return l, err
}

// EndMeeting puts everybody out of a meeting, which stays.
func (c *Client) EndMeeting(ctx context.Context, alias string) error {
	return c.do(ctx, http.MethodPost, path("meetings", alias, "end"), nil, nil)
}

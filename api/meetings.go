package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway"
)

// MeetingRequest is the body that creates a meeting.
type MeetingRequest struct {
	Alias    string `json:"alias" minLength:"1" maxLength:"64" example:"88001" doc:"What terminals dial and what stands in the page's address."`
	Name     string `json:"name,omitempty" maxLength:"200"`
	Agency   string `json:"agency,omitempty" maxLength:"100"`
	HostPIN  string `json:"host_pin,omitempty" pattern:"^[0-9]{0,16}$" doc:"Makes a host; empty: nobody becomes host by PIN."`
	GuestPIN string `json:"guest_pin,omitempty" pattern:"^[0-9]{0,16}$" doc:"Lets a guest in; empty: guests need none."`
	Layout   string `json:"layout,omitempty" enum:"auto,single,speaker,grid,2x2,3x3,4x4,5x5,lecture" doc:"Default: meetings.default_layout."`
	Lobby    bool   `json:"lobby,omitempty" doc:"Guests wait until a host lets them in."`

	WaitForHost   bool `json:"wait_for_host,omitempty" doc:"Guests wait until a host is there."`
	JoinMuted     bool `json:"join_muted,omitempty" doc:"Guests of terminals and phones come in muted."`
	MaxSeconds    int  `json:"max_seconds,omitempty" minimum:"0" maximum:"604800" doc:"The meeting ends so long after its first terminal or phone has come; 0: never."`
	RoomsOnlySecs int  `json:"rooms_only_seconds,omitempty" minimum:"0" maximum:"604800" doc:"It ends so long after the last browser has left terminals alone; 0: never."`

	Bandwidth   int `json:"bandwidth,omitempty" minimum:"0" maximum:"100000" doc:"Of each call in kbit/s, sound included; 0: no limit of its own."`
	LegLastSecs int `json:"leg_longest_seconds,omitempty" minimum:"0" maximum:"604800" doc:"How long each call lasts at most; 0: any."`

	MaxLegs    int    `json:"max_legs,omitempty" minimum:"0" maximum:"10000" doc:"Terminals and phones; 0: meetings.max_legs."`
	Encryption string `json:"encryption,omitempty" enum:"off,prefer,require" doc:"Default: rtp.encryption."`
	Presenting string `json:"presenting,omitempty" enum:"free,ask,host" doc:"Who may present: everybody, and take over (free, the default); everybody, but taking over needs a yes (ask); hosts alone (host)."`

	Schedule *Schedule `json:"schedule,omitempty" doc:"When it is held; without one at any time. Outside of it nobody is let in, but for meetings.early_join."`
	Invitees []Invitee `json:"invitees,omitempty" maxItems:"500" doc:"Called when it starts, again when they are busy or do not answer."`
}

// Meeting is a meeting as it stands. PINs are not shown again.
type Meeting struct {
	Alias       string    `json:"alias"`
	Name        string    `json:"name"`
	Agency      string    `json:"agency"`
	HasHostPIN  bool      `json:"has_host_pin"`
	HasGuestPIN bool      `json:"has_guest_pin"`
	Layout      string    `json:"layout"`
	MaxLegs     int       `json:"max_legs"`
	Encryption  string    `json:"encryption"`
	Presenting  string    `json:"presenting" enum:"free,ask,host"`
	Presenter   string    `json:"presenter" doc:"Identity of who presents; empty: nobody, or no terminal is there to be shown it."`
	Waiting     string    `json:"waiting" doc:"Identity of who wants to present and waits for a yes."`
	Recorded    bool      `json:"recorded" doc:"The meeting server records it; known while terminals or phones are there."`
	Lobby       bool      `json:"lobby"`
	WaitForHost bool      `json:"wait_for_host"`
	Locked      bool      `json:"locked"`
	JoinMuted   bool      `json:"join_muted"`
	MaxSeconds  int       `json:"max_seconds"`
	RoomsOnly   int       `json:"rooms_only_seconds"`
	Bandwidth   int       `json:"bandwidth,omitempty"`
	LegLast     int       `json:"leg_longest_seconds,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	OnDemand    bool      `json:"on_demand" doc:"Made by somebody dialling in; ends with the last terminal."`
	Legs        int       `json:"legs" doc:"Terminals and phones on this node."`
	Schedule    *Schedule `json:"schedule,omitempty"`
	Held        *Held     `json:"held,omitempty" doc:"The time of its schedule that is now, or the next one."`
	Invitees    []Invitee `json:"invitees,omitempty"`
}

func meetingView(m gateway.Meeting) Meeting {
	return Meeting{
		Alias: m.Alias, Name: m.Name, Agency: m.Agency, HasHostPIN: m.HostPIN != "", HasGuestPIN: m.GuestPIN != "",
		Layout: m.Layout, MaxLegs: m.MaxLegs, Encryption: m.Encryption,
		Presenting: cmp.Or(m.Presenting, "free"), Presenter: m.Presenter, Waiting: m.Waiting, Recorded: m.Recorded,
		Lobby: m.Lobby, WaitForHost: m.WaitForHost, Locked: m.Locked, JoinMuted: m.JoinMuted,
		MaxSeconds: int(m.MaxDuration / time.Second), RoomsOnly: int(m.RoomsOnly / time.Second),
		Bandwidth: m.Bandwidth, LegLast: int(m.LegLast / time.Second),
		CreatedAt: m.Created.UTC(), OnDemand: m.OnDemand, Legs: m.Legs,
		Schedule: scheduleView(m.Plan), Held: heldView(m.Held), Invitees: views(m.Invitees, func(v directory.Invitee) Invitee { return Invitee(v) }),
	}
}

// MeetingPath names a meeting.
type MeetingPath struct {
	Alias string `path:"alias" minLength:"1" maxLength:"64"`
}

type meetingOutput struct{ Body Meeting }

type meetingList struct {
	Body struct {
		Meetings   []Meeting `json:"meetings" nullable:"false"`
		NextCursor string    `json:"next_cursor,omitempty"`
	}
}

// TokenRequest is the body that asks for a browser's ticket.
type TokenRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"100" doc:"Shown to the others."`
	Role string `json:"role,omitempty" enum:"host,guest" doc:"With an API key as asked; without one a host needs the host PIN. Default: guest."`
	PIN  string `json:"pin,omitempty" maxLength:"16"`

	Knock string `json:"knock,omitempty" maxLength:"64" doc:"Made up by a guest who waits to be let in, and the same in every request: problem types of urn:roomgate:problem:wait ask to try again in 2 seconds."`
}

// Token is a browser's ticket, for LiveKit clients.
type Token struct {
	URL   string `json:"url" example:"wss://meet.example.org"`
	Token string `json:"token"`
	Muted bool   `json:"muted,omitempty" doc:"The visitor is to come in with the microphone off."`
}

func (a *API) meetings() {
	post := operation("create-meeting", http.MethodPost, "/meetings", "Create a meeting", "Meetings", http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity)
	post.DefaultStatus = http.StatusCreated
	post.Metadata = map[string]any{byAgency: true}
	huma.Register(a.huma, post, func(ctx context.Context, in *struct{ Body MeetingRequest }) (*meetingOutput, error) {
		b := in.Body
		if agency := agencyOf(clientOf(ctx)); agency != "" {
			b.Agency = agency
		}
		if err := a.mayCall(clientOf(ctx), targets(b.Invitees)...); err != nil {
			return nil, err
		}
		m, err := a.Gateway.CreateMeeting(ctx, gateway.MeetingSpec{
			Alias: b.Alias, Name: b.Name, Agency: b.Agency, HostPIN: b.HostPIN, GuestPIN: b.GuestPIN,
			Layout: b.Layout, MaxLegs: b.MaxLegs, Encryption: b.Encryption, Presenting: b.Presenting,
			Lobby: b.Lobby, WaitForHost: b.WaitForHost, JoinMuted: b.JoinMuted,
			MaxDuration: time.Duration(b.MaxSeconds) * time.Second, RoomsOnly: time.Duration(b.RoomsOnlySecs) * time.Second,
			Bandwidth: b.Bandwidth, LegLast: time.Duration(b.LegLastSecs) * time.Second,
			Plan: b.Schedule.plan(), Invitees: invitees(b.Invitees),
		})
		if err != nil {
			return nil, a.problem(err)
		}
		return &meetingOutput{meetingView(m)}, nil
	})
	list := operation("list-meetings", http.MethodGet, "/meetings", "List meetings", "Meetings", http.StatusUnprocessableEntity)
	list.Metadata = map[string]any{byAgency: true}
	huma.Register(a.huma, list, func(ctx context.Context, in *PageQuery) (*meetingList, error) {
		all := a.Gateway.Meetings()
		if agency := agencyOf(clientOf(ctx)); agency != "" {
			all = slices.DeleteFunc(all, func(m gateway.Meeting) bool { return m.Agency != agency })
		}
		page, next, err := paged(all, func(m gateway.Meeting) string { return m.Alias }, *in)
		if err != nil {
			return nil, err
		}
		out := &meetingList{}
		out.Body.Meetings, out.Body.NextCursor = views(page, meetingView), next
		return out, nil
	})
	huma.Register(a.huma, operation("get-meeting", http.MethodGet, "/meetings/{alias}", "Show a meeting", "Meetings", http.StatusNotFound),
		func(_ context.Context, in *MeetingPath) (*meetingOutput, error) {
			m, err := a.Gateway.Meeting(in.Alias)
			if err != nil {
				return nil, a.problem(err)
			}
			return &meetingOutput{meetingView(m)}, nil
		})
	huma.Register(a.huma, operation("delete-meeting", http.MethodDelete, "/meetings/{alias}", "End a meeting for everybody", "Meetings", http.StatusNotFound),
		func(ctx context.Context, in *MeetingPath) (*struct{}, error) {
			if err := a.Gateway.DeleteMeeting(ctx, in.Alias); err != nil {
				return nil, a.problem(err)
			}
			return nil, nil
		})
	token := operation("create-token", http.MethodPost, "/meetings/{alias}/tokens", "Let a browser into a meeting", "Meetings",
		http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable)
	token.Security = open
	token.Description = "Without an API key the meeting's PINs decide. The problem type " + ProblemPIN + " asks for one."
	huma.Register(a.huma, token, a.createToken)
}

type tokenInput struct {
	MeetingPath
	Body TokenRequest
}

type tokenOutput struct{ Body Token }

func (a *API) createToken(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	who := clientOf(ctx)
	if !who.trusted {
		if wait, spent := a.failures.spent(who.address); spent {
			return nil, slowDown(wait, "too many wrong PINs from this address")
		}
		if !a.guests.take(who.address) {
			wait, _ := a.guests.spent(who.address)
			return nil, slowDown(wait, "too many tokens for this address")
		}
	}
	role := in.Body.Role
	if role == "" {
		role = call.RoleGuest
	}
	if !who.trusted {
		if err := a.Gateway.MayEnter(ctx, in.Alias, gateway.Knock{ID: in.Body.Knock, Name: in.Body.Name, PIN: in.Body.PIN}); err != nil {
			return nil, a.refuseToken(err, who.address, in.Body.PIN)
		}
	}
	t, err := a.Gateway.Token(ctx, in.Alias, in.Body.Name, role, in.Body.PIN, who.trusted)
	if err != nil {
		if who.trusted {
			return nil, a.problem(err)
		}
		return nil, a.refuseToken(err, who.address, in.Body.PIN)
	}
	out := &tokenOutput{Token{URL: t.URL, Token: t.Token, Muted: t.Muted}}
	if a.SFU != nil {
		out.Body.URL = webSocket(who.origin)
	}
	return out, nil
}

// refuseToken answers a request for a ticket without a key. A page that does not
// know yet that a PIN is needed guesses nothing, and who waits has guessed right.
func (a *API) refuseToken(err error, address netip.Addr, pin string) error {
	if pin != "" && errors.Is(err, gateway.ErrPIN) {
		a.failures.take(address)
	}
	return a.problem(err)
}

// webSocket is the address of our own origin for LiveKit clients.
func webSocket(origin url.URL) string {
	scheme := "ws"
	if origin.Scheme == "https" {
		scheme = "wss"
	}
	u := url.URL{Scheme: scheme, Host: origin.Host}
	return u.String()
}

// views turns what the gateway knows into what the API shows.
func views[T, V any](items []T, view func(T) V) []V {
	out := make([]V, 0, len(items))
	for _, item := range items {
		out = append(out, view(item))
	}
	return out
}

// Package api serves everything the gateway says over HTTP: the REST API with
// its OpenAPI description and event stream, metrics, health, the meeting
// server's WebSocket under our own origin, and the web pages handed to it.
//
// # Who may do what
//
// Requests below /api/v1 carry "Authorization: Bearer KEY". One needs no key:
// POST /api/v1/meetings/{alias}/tokens lets a browser in as the meeting's PINs
// allow. Errors are problem documents (RFC 9457). Lists come in pages: limit
// and cursor in the query, next_cursor in the answer while there is more.
package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/ldapsync"
	"github.com/roomgate/roomgate/directory/phonebook"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/gateway/trunk"
)

// Meetings makes and ends meetings, and lets browsers in.
type Meetings interface {
	CreateMeeting(ctx context.Context, spec gateway.MeetingSpec) (gateway.Meeting, error)
	Meetings() []gateway.Meeting
	Meeting(alias string) (gateway.Meeting, error)
	DeleteMeeting(ctx context.Context, alias string) error
	Token(ctx context.Context, alias, name, role, pin string, trusted bool) (gateway.Token, error)
}

// Roster knows who is in a meeting.
type Roster interface {
	Participants(ctx context.Context, alias string) ([]gateway.Participant, error)
	MuteParticipant(ctx context.Context, alias, identity string, muted bool) error
	RemoveParticipant(ctx context.Context, alias, identity string) error
	RenameParticipant(ctx context.Context, alias, identity, name string) error
	MoveParticipant(ctx context.Context, alias, identity, to, role string) error
	Spotlight(ctx context.Context, alias, identity string, on bool) error
}

// Presentation decides who presents in a meeting.
type Presentation interface {
	Present(alias, identity string, yes bool) error
}

// Cameras moves the cameras of terminals.
type Cameras interface {
	CameraOf(id string) (can gateway.CameraAbilities, ok bool)
	MoveCamera(id string, m gateway.CameraMotion) error
	CameraPreset(id string, number uint8, store bool) error
	CallOf(alias, identity string) (id string, err error)
}

// Calls knows the calls of this node.
type Calls interface {
	Calls() []gateway.Call
	Call(id string) (gateway.Call, error)
	Dial(ctx context.Context, req gateway.DialRequest) (gateway.Call, error)
	Hangup(id string, code call.CauseCode) error
	Mute(id string, muted bool) error
	Transfer(ctx context.Context, id, target string) error
}

// Screens decides what terminals are shown.
type Screens interface {
	SetLayout(id, kind, pinned string) error
	ShowChat(id string) error
}

// Node tells how this node is and what happens on it.
type Node interface {
	Status(ctx context.Context) gateway.Status
	Draining() bool
	Registrations() []gateway.Registration
	Events(ctx context.Context, after uint64) <-chan gateway.Event
}

// Planner tells where calls would go.
type Planner interface {
	Explain(info call.Info, at time.Time) (route.Decision, []route.Step)
}

// Gateway is all the API shows; *gateway.Gateway is one.
type Gateway interface {
	Meetings
	Changer
	Roster
	Presentation
	Cameras
	Calls
	Screens
	Doors
	Node
	Planner
}

// Reload is the outcome of the latest reload of the configuration.
type Reload struct {
	At          time.Time // zero: none since the start
	Err         error
	NeedRestart []string
	Reloads     int
	Failures    int
}

// Config is what the API is made of. Gateway, Keys and Logger are required.
type Config struct {
	Gateway Gateway
	Keys    *Keys
	Logger  *zap.Logger
	Version string
	// Web serves what is not ours: the console and the meeting page.
	Web http.Handler
	// SFU is where the embedded meeting server listens; its WebSocket is
	// passed on, and tokens name our own address. Nil: browsers go to the
	// address in the token.
	SFU func() *url.URL
	// PublicURL is how users reach us; nil, or a nil result: as the request
	// says.
	PublicURL func() *url.URL
	// TrustedProxy tells proxies whose X-Forwarded-For and -Proto count.
	TrustedProxy func(netip.Addr) bool
	// DialIn is what invitations tell of ways to join besides the page; may be nil.
	DialIn func() DialIn
	// KeyRequests is how many requests a minute a key of the directory may make; nil, or
	// 0: no limit.
	KeyRequests func() int
	// Reload tells the outcome of the latest reload; nil: there is none.
	Reload  func() Reload
	Metrics *Metrics
	// Directory is what endpoints, rules, trunks, keys and records are kept in. Nil:
	// none of them are served.
	Directory *directory.Directory
	// Revive has what a webhook never took sent again. With Directory.
	Revive func(ctx context.Context, webhook string) error
	// SyncDirectory takes endpoints over from a directory of others; nil: there is none.
	SyncDirectory func(ctx context.Context, dry, force bool) (ldapsync.Plan, error)
	// PhoneBook is what phones read below /phonebook; nil: nothing is served there.
	// PhoneBookTLS reports whether passwords are taken over HTTPS alone; nil: they are.
	PhoneBook    *phonebook.Book
	PhoneBookTLS func() bool
	// Trunks and TrunkLines show how trunks stand. With Directory; may be nil.
	Trunks     *trunk.Guard
	TrunkLines func() []TrunkLine
	// Trace keeps the signalling of calls; nil: nothing is kept.
	Trace Tracer
	Now   func() time.Time
}

// API is the handler of all requests.
type API struct {
	Config
	log      *zap.Logger
	router   *chi.Mux
	huma     huma.API
	failures perMinute        // wrong keys and PINs, by source
	guests   perMinute        // tokens without a key, by source
	requests *limiter[string] // with a key of the directory, by its ID
}

// New makes the handler.
func New(c Config) (*API, error) {
	if c.Gateway == nil || c.Keys == nil || c.Logger == nil {
		return nil, errors.New("api: Gateway, Keys and Logger are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.TrustedProxy == nil {
		c.TrustedProxy = func(netip.Addr) bool { return false }
	}
	if c.PhoneBookTLS == nil {
		c.PhoneBookTLS = func() bool { return true }
	}
	if c.KeyRequests == nil {
		c.KeyRequests = always(0)
	}
	a := &API{
		Config:   c,
		log:      c.Logger.Named("api"),
		router:   chi.NewMux(),
		failures: newPerMinute(c.Now, 10),
		guests:   newPerMinute(c.Now, 60),
		requests: newLimiter[string](c.Now, c.KeyRequests, time.Minute),
	}
	a.router.Use(a.recovered, a.identified, headed, a.once)
	a.huma = humachi.New(a.router, description(c.Version))
	a.huma.UseMiddleware(a.authenticate)
	a.meetings()
	a.invitation()
	a.planned()
	a.participants()
	a.moderation()
	a.lobbies()
	a.calls()
	a.ladder()
	a.cameras()
	a.events()
	a.status()
	if a.Directory != nil {
		a.endpoints()
		a.ldapSync()
		a.dialPlan()
		a.trunks()
		a.apiKeys()
		a.records()
		a.webhooks()
		a.codes()
	}
	if a.PhoneBook != nil {
		a.phoneBook()
	}
	a.pages()
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

// description is what OpenAPI says of the API as a whole.
func description(version string) huma.Config {
	c := huma.DefaultConfig("roomgate", version)
	c.Info.Description = "Rooms and phones in WebRTC meetings."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "The API key of the configuration, or the one printed at the first start."},
	}
	c.CreateHooks = nil // no $schema in every answer
	c.DocsPath, c.SchemasPath = "", ""
	return c
}

// keyed and open are the security of an operation: a key, or a key for more.
var (
	keyed = []map[string][]string{{"key": {}}}
	open  = []map[string][]string{{"key": {}}, {}}
)

// operation fills in what operations share.
func operation(id, method, path, summary, tag string, failures ...int) huma.Operation {
	return huma.Operation{
		OperationID:  id,
		Method:       method,
		Path:         "/api/v1" + path,
		Summary:      summary,
		Tags:         []string{tag},
		Security:     keyed,
		Errors:       append([]int{http.StatusUnauthorized, http.StatusTooManyRequests}, failures...),
		MaxBodyBytes: 64 << 10,
	}
}

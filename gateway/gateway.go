package gateway

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/floor"
	"github.com/roomgate/roomgate/gateway/lobby"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/gateway/trunk"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode/video"
)

// Errors that callers branch on.
var (
	ErrNoMeeting     = errors.New("no such meeting")
	ErrNoCall        = errors.New("no such call")
	ErrNoParticipant = errors.New("no such participant")
	ErrMeetingExists = errors.New("the meeting exists already")
	ErrBadTarget     = errors.New("the target cannot be called")
	ErrBadMeeting    = errors.New("the meeting's alias is not usable")
	ErrDraining      = errors.New("the gateway is draining")
	ErrFull          = errors.New("the limit on calls is reached")
	ErrPIN           = errors.New("wrong or missing PIN")
	ErrLayout        = errors.New("no such layout")
	ErrNoSFU         = errors.New("the meeting server does not answer")
	ErrNoChat        = errors.New("nobody has written anything, or the terminal has no screen to read it on")
)

// Config is what a Gateway needs. SFU, Codecs and Logger are required.
type Config struct {
	Endpoints map[call.Protocol]call.Endpoint
	// Registrations lists the terminals registered with all stacks.
	Registrations func() []Registration
	// TerminalExists reports whether a terminal of ours has the alias,
	// registered at the moment or not.
	TerminalExists func(alias string) bool
	// ProtocolOf tells how a terminal that exists is called, without going through all
	// Registrations; "" for those that it does not know. May be nil.
	ProtocolOf func(alias string) call.Protocol
	// Directory keeps meetings and knows endpoints; nil: meetings live with the
	// process, and nothing is known of endpoints.
	Directory Directory
	// Record is told of every state of every call, to keep it. It must not block. May
	// be nil.
	Record func(Call)
	// Invitations remembers, for all nodes, whom meetings have called when they started;
	// nil: they call nobody.
	Invitations Invitations
	// Codes let somebody into a meeting once. Nil: there are none.
	Codes Codes
	// Trunks says what trunks take, and how numbers are called over them. Nil: all
	// calls come in, none goes out.
	Trunks *trunk.Guard
	// Lease asks that this node decides who presents in a meeting that other nodes have
	// legs in, too. It must not block. Nil: this node decides.
	Lease  func(meeting string) Lease
	SFU    bridge.SFU
	Admin  SFUAdmin
	Codecs bridge.Codecs
	// Video makes pictures that cannot be passed on as they are; nil: none.
	Video *video.Pool
	// WorkerVideo is offered besides Capabilities while there is a worker.
	WorkerVideo []media.Format
	// PhoneAudio is "opus" or "g711": what G.711 legs publish.
	PhoneAudio string
	// Capabilities is what legs are offered.
	Capabilities media.Capabilities
	// Prompts are what the lobby says; nil: there is no lobby.
	Prompts *prompt.Set
	// Tracer follows how calls come about; nil: nobody does.
	Tracer  trace.Tracer
	Version string
	Logger  *zap.Logger
	Now     func() time.Time

	Settings Settings
}

// Lease names the one of several nodes that decides who presents in a meeting.
type Lease interface {
	floor.Lease
	Release()
}

// Directory is what the gateway asks of the directory.
type Directory interface {
	ByAlias(alias string) (directory.Endpoint, bool)
	Meeting(alias string) (directory.Meeting, bool)
	Meetings() []directory.Meeting
	SaveMeeting(ctx context.Context, m directory.Meeting) (directory.Meeting, error)
	DeleteMeeting(ctx context.Context, alias string) error
}

// Policy decides from outside where calls go.
type Policy interface {
	// Decide returns false to leave the call to the dial plan. The meeting of a
	// decision need not exist, and the caller need not be permitted to call there:
	// both are looked at afterwards.
	Decide(ctx context.Context, info call.Info) (route.Decision, bool)
}

// Settings are the parts of the configuration that can change while calls run.
type Settings struct {
	Rules *route.Table
	// Policy may decide in place of the rules. Nil: nobody does.
	Policy        Policy
	AutoCreate    bool
	DefaultLayout string
	// Banners tell on screens who has come and gone; ClockZone, when not nil, is where the
	// time of day is told of.
	Banners   bool
	ClockZone *time.Location
	// Chat shows on screens what is written in the meeting.
	Chat bool
	// LectureTurn is how long who gives a lecture sees one of the audience; 0 = 10 s.
	LectureTurn time.Duration
	// EarlyJoin is how long before it starts a planned meeting may be entered.
	EarlyJoin time.Duration
	// Encryption is the policy for meetings that do not state one.
	Encryption string
	// TrunkAudio is what legs of trunks are offered, by the trunk's name, where
	// it is not that of Capabilities.
	TrunkAudio map[string][]media.Format
	// TrunkEncryption is the policy for media of a trunk, by its name; a stricter one of
	// the meeting wins.
	TrunkEncryption map[string]string
	Lobby           LobbySettings
	// Keypad lets the keys of phones and terminals give commands in meetings.
	Keypad   bool
	MaxCalls int // on this node; 0 = no limit
	MaxLegs  int // per meeting; 0 = no limit
}

// LobbySettings say how callers are received.
type LobbySettings struct {
	Language string // "" asks
	// TrunkLanguage is that of callers of a trunk, by its name.
	TrunkLanguage map[string]string
	Tries         int  // for meeting and PIN together; 0 = 3
	Tones         bool // when somebody comes into a meeting or leaves it
	Names         Names
}

// Gateway is one node's heart.
type Gateway struct {
	in       Config
	log      *zap.Logger
	settings atomic.Pointer[Settings]
	events   *eventRing
	started  time.Time

	draining atomic.Bool
	refused  atomic.Uint64
	total    atomic.Uint64
	routing  durations // of decisions about calls
	done     chan struct{}
	clock    *mixer.Clock
	small    *bridge.SmallPictures
	guard    *lobby.Guard
	door     door
	ctx      context.Context // ends when the gateway closes
	cancel   context.CancelFunc
	wait     sync.WaitGroup

	mu       sync.Mutex
	meetings map[string]*meeting
	sessions map[string]*session // by leg ID, living calls
	redials  map[string]*redial  // by the ID of the call that was lost
	closings map[string]*closing // by room
	idle     chan struct{}       // closed when draining and no session is left
	closed   bool                // nothing new is started
}

// New makes a Gateway; Run makes it work.
func New(in Config) (*Gateway, error) {
	if in.SFU == nil || in.Codecs == nil || in.Logger == nil {
		return nil, errors.New("gateway: SFU, Codecs and Logger are needed")
	}
	if in.Now == nil {
		in.Now = time.Now
	}
	g := &Gateway{
		in:       in,
		log:      in.Logger.Named("gateway"),
		events:   newEventRing(in.Now, in.Record),
		started:  in.Now(),
		done:     make(chan struct{}),
		meetings: map[string]*meeting{},
		sessions: map[string]*session{},
		redials:  map[string]*redial{},
		closings: map[string]*closing{},
		idle:     make(chan struct{}),
		clock:    mixer.NewClock(),
		small:    bridge.NewSmallPictures(smallPerProcessor * runtime.NumCPU()),
		guard:    lobby.NewGuard(in.Now),
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.settings.Store(&in.Settings)
	g.Refresh()
	return g, nil
}

// smallPerProcessor is how many small pictures are made for each processor: they take about
// a third of it.
const smallPerProcessor = 3

// Run serves the endpoints until ctx ends, then ends what calls are left.
func (g *Gateway) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for protocol, endpoint := range g.in.Endpoints {
		group.Go(func() error {
			if err := endpoint.Serve(ctx, g.incoming); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", protocol, err)
			}
			return nil
		})
	}
	group.Go(func() error { return g.keep(ctx) })
	err := group.Wait()
	g.hangupAll(call.Draining)
	g.cancel()
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	close(g.done)
	g.wait.Wait()
	g.clock.Close()
	return err
}

// begin counts something that Run waits for; false when the gateway has closed.
func (g *Gateway) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.wait.Add(1)
	}
	return !g.closed
}

// Apply changes the settings; calls that run keep what they have.
func (g *Gateway) Apply(s Settings) { g.settings.Store(&s) }

// Publish puts an event of another part (configuration, SFU) into the stream.
func (g *Gateway) Publish(e Event) { g.events.publish(e) }

// Drain refuses new calls and waits until the last call has ended or ctx ends;
// then it hangs up what is left.
func (g *Gateway) Drain(ctx context.Context) {
	g.mu.Lock()
	if !g.draining.Swap(true) && len(g.sessions) == 0 {
		close(g.idle)
	}
	g.mu.Unlock()
	select {
	case <-g.idle:
	case <-ctx.Done():
		g.hangupAll(call.Draining)
	}
}

// Draining reports whether new calls are refused for a shutdown.
func (g *Gateway) Draining() bool { return g.draining.Load() }

func (g *Gateway) hangupAll(code call.CauseCode) {
	for _, s := range g.living() {
		s.leg.Hangup(call.Cause{Code: code})
	}
}

// Status is the node at a glance.
func (g *Gateway) Status(ctx context.Context) Status {
	st := Status{
		Version:  g.in.Version,
		Started:  g.started,
		Draining: g.Draining(),
		MaxCalls: g.settings.Load().MaxCalls,
		Refused:  g.refused.Load(),
		Total:    g.total.Load(),
		Ticks:    g.ticks(),
		Routing:  g.routing.read(),
		SFU:      "none",
		Video:    "none",
	}
	if g.in.Video != nil && g.in.Video.Available() == nil {
		st.Video = "up"
		pool := g.in.Video.Stats()
		st.Pictures = Pictures{Encoders: pool.Encoders, Frames: pool.Frames, Busy: pool.Busy, Restarts: pool.Restarts}
	}
	g.mu.Lock()
	st.Calls, st.Meetings = len(g.sessions), len(g.meetings)
	g.mu.Unlock()
	if g.in.Admin != nil {
		st.SFU = "down"
		if g.in.Admin.Healthy(ctx) {
			st.SFU = "up"
		}
	}
	return st
}

func (g *Gateway) ticks() Ticks {
	s := g.clock.Stats()
	return Ticks{Bounds: mixer.LateBounds[:], Late: s.Lateness[:], LateSum: s.LateSum, Skipped: s.Skipped}
}

// capabilities is what the gateway can do at the moment.
func (g *Gateway) capabilities() media.Capabilities {
	can := g.in.Capabilities
	if g.in.Video != nil && g.in.Video.Available() == nil {
		can.Video = append(slices.Clone(can.Video), g.in.WorkerVideo...)
	}
	return can
}

// Registrations lists the terminals registered here.
func (g *Gateway) Registrations() []Registration {
	if g.in.Registrations == nil {
		return nil
	}
	return g.in.Registrations()
}

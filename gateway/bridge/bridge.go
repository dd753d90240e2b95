// Package bridge joins the legs of one meeting on one node with each other and
// with the meeting's SFU room: sound is mixed, pictures are passed through to
// whoever they fit.
//
// All control state of a bridge belongs to one goroutine, run; everybody else
// sends it functions. Packets never pass through it: they flow from track to
// writer directly.
package bridge

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/floor"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode/video"
)

// Config is what a bridge needs.
type Config struct {
	Alias string // the SFU's room
	SFU   SFU
	// Local bridges have no SFU room: a call between two terminals.
	Local  bool
	Codecs Codecs
	Clock  *mixer.Clock     // of the process; nil: the bridge's own
	Now    func() time.Time // nil: time.Now
	// Video makes pictures that do not fit as they are, and screens of several;
	// nil: pictures are passed on or left out.
	Video *video.Pool
	// Small bounds the small pictures of the node; nil: there may be any number.
	Small *SmallPictures
	// Layout is what legs are shown unless they have a layout of their own.
	Layout layout.Kind
	// Pinned is the identity of who takes the place of the speaker for legs that have
	// pinned nobody; "" = nobody.
	Pinned string
	// Banner is for how long it is told who has come and gone; 0: not at all. ClockZone, when
	// not nil, is where the time of day is told of.
	Banner    time.Duration
	ClockZone *time.Location
	// Came and Went are what a banner says, with %s for the name.
	Came, Went string
	// Chat is for how long screens show what somebody wrote in the meeting; 0: to those who
	// ask alone.
	Chat time.Duration
	// Slate is what those read who see nobody, in lines, the first one large; none: they
	// see nothing.
	Slate []string
	// Turn is how long who gives a lecture sees one of the audience; 0 = 10 s.
	Turn time.Duration
	// Floor says who may present and take over; Lease which node decides.
	Floor floor.Policy
	Lease floor.Lease
	// PhoneAudio "g711" publishes G.711 legs untouched, otherwise as Opus.
	PhoneAudio string
	Logger     *zap.Logger
	// Notify is told in order and must not block.
	Notify func(Notice)
}

// Bridge is one meeting on this node.
type Bridge struct {
	in    Config
	log   *zap.Logger
	mixer *mixer.Mixer

	ops    chan func()
	kick   chan struct{} // something changed that the director looks at
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}  // closed when run has returned
	wait   sync.WaitGroup // run, and what it started

	// Owned by run.
	members  []*Member
	sources  map[string]*source // remote and local pictures, by sourceKey
	roster   map[string]call.Participant
	feeds    [2]*feed // by quality class
	sounds   map[string]*sound
	opening  [2]bool // a hidden receiver is on its way, by quality class
	speaker  string  // identity of the active speaker
	pending  *Member // a lone leg whose seat is to receive, until it is there
	lost     bool
	order    uint64            // counts what happened, for "who spoke last"
	spoke    map[string]uint64 // order when a participant was last the speaker
	arrived  map[string]uint64 // order when a remote participant came
	layout   layout.Kind
	pinned   string // identity
	spotlit  string // identity of who is shown to all by an attribute
	slate    []string
	company  map[string]presence // by identity, of who was there at the last look
	banner   banner
	recorded bool
	chat     []chatLine // the oldest first
	studio   *studio

	arbiter   *floor.Arbiter
	presenter string
	sharing   map[string]bool // remote participants who share
}

// patience is how long a picture that nobody watches stays subscribed.
const patience = 5 * time.Second

// New starts a bridge. Close ends it.
func New(in Config) *Bridge {
	if in.Now == nil {
		in.Now = time.Now
	}
	if in.Notify == nil {
		in.Notify = func(Notice) {}
	}
	b := &Bridge{
		in:      in,
		log:     in.Logger.Named("bridge"),
		ops:     make(chan func(), 64),
		kick:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
		sources: map[string]*source{},
		roster:  map[string]call.Participant{},
		sounds:  map[string]*sound{},
		spoke:   map[string]uint64{},
		arrived: map[string]uint64{},
		layout:  in.Layout,
		slate:   in.Slate,
	}
	b.studio = newStudio(b, in.Video)
	b.sharing = map[string]bool{}
	b.arbiter = b.newFloor()
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.mixer = mixer.New(mixer.Config{
		Codecs: in.Codecs, Clock: in.Clock, Now: in.Now, Logger: b.log,
		OnSpeaker: func(string) { b.nudge() },
	})
	b.wait.Add(1)
	go b.run()
	return b
}

// Close ends the bridge: every member leaves first.
func (b *Bridge) Close() {
	b.call(func() {
		for _, m := range append([]*Member(nil), b.members...) {
			b.remove(m)
		}
	})
	b.cancel()
	b.wait.Wait()
	b.mixer.Close()
}

// run owns the bridge's state.
func (b *Bridge) run() {
	defer b.wait.Done()
	defer close(b.ended)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case op := <-b.ops:
			op()
		case <-b.kick:
			b.direct()
		case <-tick.C:
			b.floorTick()
			b.direct()
		case <-b.ctx.Done():
			b.closeFeeds()
			b.studio.close()
			return
		}
	}
}

// do hands run something to do; it may be dropped when the bridge ends.
func (b *Bridge) do(op func()) {
	select {
	case b.ops <- op:
	case <-b.ended:
	}
}

// call hands run something to do and waits; when it returns, op has been done
// or never will be.
func (b *Bridge) call(op func()) {
	done := make(chan struct{})
	b.do(func() { op(); close(done) })
	select {
	case <-done:
	case <-b.ended:
	}
}

// nudge makes the director look again; it never blocks.
func (b *Bridge) nudge() {
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// start runs f on a goroutine that Close waits for.
func (b *Bridge) start(f func()) {
	b.wait.Add(1)
	go func() {
		defer b.wait.Done()
		f()
	}()
}

// Add gives a leg a place. Its media is taken up as the leg negotiates it:
// tell the member by AddTrack and MediaChanged. who describes the leg once its
// media is known; keypad, when not nil, is told digits that come as tones, from
// legs that have negotiated no better way.
func (b *Bridge) Add(leg call.Leg, who func() call.Participant, keypad func(digit rune)) *Member {
	m := newMember(b, leg, who, keypad)
	b.call(func() {
		b.order++
		m.joined = b.order
		b.members = append(b.members, m)
		m.wait.Add(2)
		go m.publish()
		go m.hold()
		b.arbiter.Join(m.identity, false, m)
		m.presentation.expect(b.presenter != "")
	})
	return m
}

// remove takes a member out; called by run, the rest of the member's ending
// is waited for by Leave.
func (b *Bridge) remove(m *Member) {
	if m.gone {
		return
	}
	m.gone = true
	for i, other := range b.members {
		if other == m {
			b.members = append(b.members[:i], b.members[i+1:]...)
			break
		}
	}
	b.arbiter.Leave(m.identity)
	m.leavePresentation()
	m.endSmall()
	m.dropMedia()
	delete(b.spoke, m.identity)
	for role := range m.tracks {
		b.dropSource(sourceKey(m.identity, role))
	}
	if b.pending == m {
		b.pending = nil
	}
	b.feedLost(m)
	m.cancel()
	b.nudge()
}

// watch calls gone on run when t ends, unless ctx ends first.
func (b *Bridge) watch(ctx context.Context, t media.Track, gone func()) {
	b.start(func() {
		select {
		case <-t.Done():
			b.do(gone)
		case <-ctx.Done():
		case <-b.ctx.Done():
		}
	})
}

// Renamed tells that a leg has another name: it is written anew.
func (b *Bridge) Renamed() { b.do(b.nudge) }

// SetLayout changes what legs are shown that have no layout of their own, and who is
// pinned for those that have pinned nobody.
func (b *Bridge) SetLayout(k layout.Kind, pinned string) {
	b.do(func() {
		b.layout, b.pinned = k, pinned
		b.nudge()
	})
}

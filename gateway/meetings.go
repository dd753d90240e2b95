package gateway

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/floor"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
)

// meeting is a meeting of this node: what was asked for and, while legs are
// in it, its bridge.
type meeting struct {
	asked   atomic.Pointer[MeetingSpec]
	private bool // a call between two terminals; not shown as a meeting

	// guarded by Gateway.mu
	created  time.Time
	onDemand bool
	kept     bool // by the directory
	bridge   *bridge.Bridge
	lease    Lease // while it has a bridge; nil: this node decides
	legs     int
	// shown and pinned are what an operator chose for now; "" = as the meeting was made.
	shown  layout.Kind
	pinned string // identity
	chosen int64  // when, as Unix milliseconds
	// presenter and waiting are identities
	presenter, waiting string
	recorded           bool // by the meeting server
	times              timetable
	away               map[string]string // identities that are pinned and have gone, by who they are
	company
}

// spec is what was asked for, as it stands; the alias never changes.
func (m *meeting) spec() MeetingSpec { return *m.asked.Load() }

func (m *meeting) set(spec MeetingSpec) { m.asked.Store(&spec) }

// CreateMeeting makes a meeting that stays until it is deleted.
func (g *Gateway) CreateMeeting(ctx context.Context, spec MeetingSpec) (Meeting, error) {
	if !directory.IsMeetingAlias(spec.Alias) {
		return Meeting{}, fmt.Errorf("%w: %q", ErrBadMeeting, spec.Alias)
	}
	if g.in.Directory != nil {
		return g.keepMeeting(ctx, spec)
	}
	if err := spec.Plan.Check(); err != nil {
		return Meeting{}, fmt.Errorf("%w: %w", ErrBadMeeting, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if m, ok := g.meetings[spec.Alias]; ok {
		if !m.onDemand {
			return Meeting{}, ErrMeetingExists
		}
		m.set(g.withDefaults(spec))
		m.onDemand = false
		return m.view(g.in.Now()), nil
	}
	m := g.addMeeting(spec, false)
	return m.view(g.in.Now()), nil
}

// addMeeting needs g.mu.
func (g *Gateway) addMeeting(spec MeetingSpec, onDemand bool) *meeting {
	m := &meeting{created: g.in.Now(), onDemand: onDemand}
	m.set(g.withDefaults(spec))
	g.meetings[spec.Alias] = m
	return m
}

func (g *Gateway) withDefaults(spec MeetingSpec) MeetingSpec {
	s := g.settings.Load()
	spec.Name = cmp.Or(spec.Name, spec.Alias)
	spec.Layout = cmp.Or(spec.Layout, s.DefaultLayout)
	spec.Encryption = cmp.Or(spec.Encryption, s.Encryption)
	return spec
}

// view needs Gateway.mu.
func (m *meeting) view(now time.Time) Meeting {
	held, _ := m.occasion(now)
	return Meeting{MeetingSpec: m.spec(), Held: held, Created: m.created, OnDemand: m.onDemand, Legs: m.legs, Presenter: m.presenter, Waiting: m.waiting, Recorded: m.recorded}
}

// Meetings lists the meetings by alias.
func (g *Gateway) Meetings() []Meeting {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Meeting, 0, len(g.meetings))
	for _, m := range g.meetings {
		if !m.private {
			out = append(out, m.view(g.in.Now()))
		}
	}
	slices.SortFunc(out, func(a, b Meeting) int { return cmp.Compare(a.Alias, b.Alias) })
	return out
}

// Meeting finds one meeting.
func (g *Gateway) Meeting(alias string) (Meeting, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.meetings[alias]
	if !ok || m.private {
		return Meeting{}, ErrNoMeeting
	}
	return m.view(g.in.Now()), nil
}

// DeleteMeeting ends a meeting for everybody. Browsers leave as soon as the SFU answers,
// for which it does not wait for long.
func (g *Gateway) DeleteMeeting(ctx context.Context, alias string) error {
	kept, err := g.forgetMeeting(ctx, alias)
	if err != nil {
		return err
	}
	g.mu.Lock()
	m, ok := g.meetings[alias]
	if ok && !m.private {
		delete(g.meetings, alias)
	}
	g.mu.Unlock()
	if kept {
		g.Refresh()
	} else if !ok || m.private {
		return ErrNoMeeting
	}
	if ok && !m.private {
		g.empty(m)
	}
	g.waitClosed(ctx, alias, g.closeRoom(alias, true))
	return nil
}

// empty ends all calls in a meeting.
func (g *Gateway) empty(m *meeting) {
	g.forgetRedials(m.spec().Alias)
	for _, s := range g.living() {
		if s.inMeeting(m) {
			s.leg.Hangup(call.Cause{Code: call.MeetingEnded})
		}
	}
}

// Token lets a browser into a meeting. A guest of a meeting without a guest
// PIN needs none; host PINs make hosts. Callers with an API key state the role
// and pass trusted.
func (g *Gateway) Token(ctx context.Context, alias, name, role, pin string, trusted bool) (Token, error) {
	if g.in.Admin == nil {
		return Token{}, ErrNoSFU
	}
	spec, err := g.specForJoining(alias)
	if err != nil {
		return Token{}, err
	}
	identity, code := "web-"+newID(), false
	if !trusted {
		if role, code, err = g.roleOfBrowser(ctx, spec, role, pin, identity); err != nil {
			return Token{}, err
		}
	}
	url, token, err := g.in.Admin.Token(ctx, alias, identity, name, role)
	if err != nil {
		if code {
			g.giveBack(&claim{redeemed: redeemed{alias, pin, identity, role}})
		}
		return Token{}, fmt.Errorf("token for %s: %w", alias, err)
	}
	return Token{URL: url, Token: token, Muted: comesMuted(spec, role)}, nil
}

// specForJoining finds a meeting, or what it would be if it may be made on
// demand; browsers alone do not make the meeting, their first leg does.
func (g *Gateway) specForJoining(alias string) (MeetingSpec, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m, ok := g.meetings[alias]; ok && !m.private {
		return m.spec(), nil
	}
	if g.settings.Load().AutoCreate && directory.IsMeetingAlias(alias) {
		return g.withDefaults(MeetingSpec{Alias: alias}), nil
	}
	return MeetingSpec{}, ErrNoMeeting
}

// roleFor checks a PIN against what a meeting asks for.
func roleFor(spec MeetingSpec, asked, pin string) (string, error) {
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	switch {
	case spec.HostPIN != "" && same(pin, spec.HostPIN):
		return call.RoleHost, nil
	case asked == call.RoleHost:
		return "", ErrPIN
	case spec.GuestPIN == "" || same(pin, spec.GuestPIN):
		return call.RoleGuest, nil
	}
	return "", ErrPIN
}

// occupy needs g.mu.
func (g *Gateway) occupy(m *meeting) {
	m.legs++
	if m.bridge != nil {
		return
	}
	if g.in.Lease != nil && !m.private {
		m.lease = g.in.Lease(m.spec().Alias)
	}
	now := g.settings.Load()
	banner := time.Duration(0)
	if now.Banners && !m.private {
		banner = bannerTime
	}
	chat := time.Duration(0)
	if now.Chat && !m.private {
		chat = chatTime
	}
	came, went := bannersOf(now.Lobby.Language)
	m.bridge = bridge.New(bridge.Config{
		Alias:      m.spec().Alias,
		SFU:        g.in.SFU,
		Local:      m.private,
		Codecs:     g.in.Codecs,
		Clock:      g.clock,
		Now:        g.in.Now,
		PhoneAudio: g.in.PhoneAudio,
		Video:      g.in.Video,
		Small:      g.small,
		Layout:     layoutOf(m),
		Pinned:     m.pinned,
		Slate:      slateOf(m),
		Turn:       now.LectureTurn,
		Banner:     banner,
		Came:       came,
		Went:       went,
		Chat:       chat,
		ClockZone:  now.ClockZone,
		Floor:      policyOf(m),
		Lease:      m.decider(),
		Logger:     g.log.With(zap.String("meeting", m.spec().Alias)),
		Notify:     func(n bridge.Notice) { g.bridgeNotice(m, n) },
	})
	if !m.private {
		g.events.publish(Event{Kind: EventMeetingStarted, Meeting: m.spec().Alias})
	}
}

// bannerTime is for how long screens tell who has come and gone.
const bannerTime = 5 * time.Second

// chatTime is for how long they show what somebody wrote: two lines are read in it.
const chatTime = 12 * time.Second

// bannersOf are what screens tell of who has come and gone. All of a meeting see the same
// screens, so it is one language: that of the lobby, and the first where callers choose.
func bannersOf(language string) (came, went string) {
	if prompt.Language(language) == prompt.English {
		return "%s has joined", "%s has left"
	}
	return "%s đã vào họp", "%s đã rời họp"
}

// slateOf is what somebody reads who is alone in a meeting.
func slateOf(m *meeting) []string {
	if m.private {
		return nil
	}
	return []string{m.spec().Name, "Chưa có ai khác trong cuộc họp.", "Nobody else is here yet."}
}

// decider is the lease for who has to ask it; the nil of its own that floor knows.
func (m *meeting) decider() floor.Lease {
	if m.lease == nil {
		return nil
	}
	return m.lease
}

// enterPrivate makes a bridge for so many terminals that are in no meeting: a
// call between two, or one in the lobby.
func (g *Gateway) enterPrivate(alias string, terminals int) (*meeting, *bridge.Bridge) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := &meeting{created: g.in.Now(), onDemand: true, private: true}
	m.set(g.withDefaults(MeetingSpec{Alias: alias}))
	g.meetings[alias] = m
	g.occupy(m)
	m.legs = terminals
	return m, m.bridge
}

// leave gives a place back; the last one closes the bridge.
func (g *Gateway) leave(p *place) {
	m := p.meeting
	g.mu.Lock()
	m.legs--
	if p.host {
		m.hosts--
	}
	var empty *bridge.Bridge
	if m.legs == 0 {
		empty, m.bridge = m.bridge, nil
		m.presenter, m.waiting, m.shown, m.pinned, m.chosen, m.recorded = "", "", "", "", 0, false
		m.away = nil
		if m.lease != nil {
			m.lease.Release()
			m.lease = nil
		}
		if m.onDemand && g.meetings[m.spec().Alias] == m {
			delete(g.meetings, m.spec().Alias)
		}
	}
	g.mu.Unlock()
	if empty != nil {
		empty.Close()
		if !m.private {
			g.events.publish(Event{Kind: EventMeetingEnded, Meeting: m.spec().Alias})
		}
	}
}

// MeetingExists, MayCreateMeeting, TerminalExists and Permitted make the Gateway the
// route.World of its dial rules.

// MeetingExists reports a meeting that callers may reach.
func (g *Gateway) MeetingExists(alias string) bool {
	_, err := g.Meeting(alias)
	return err == nil
}

// MayCreateMeeting reports whether dialling in may make the meeting.
func (g *Gateway) MayCreateMeeting(alias string) bool {
	return g.settings.Load().AutoCreate && directory.IsMeetingAlias(alias)
}

// TerminalExists reports whether a terminal of ours has the alias.
func (g *Gateway) TerminalExists(alias string) bool {
	return g.in.TerminalExists != nil && g.in.TerminalExists(alias)
}

// Permitted reports whether a caller may call something of a kind: terminals of
// the directory as it says there, others as the rules let them.
func (g *Gateway) Permitted(info call.Info, what directory.Permission) bool {
	if g.in.Directory == nil || !info.Remote.Registered {
		return true
	}
	e, ok := g.in.Directory.ByAlias(info.Remote.Alias)
	return !ok || e.May(what)
}

// Stranger reports a caller that is not registered; one of a trunk may be anybody.
func (g *Gateway) Stranger(info call.Info) bool { return !info.Remote.Registered }

// operator is a Gateway's world to whom everything is permitted.
type operator struct{ *Gateway }

// Permitted implements route.World.
func (operator) Permitted(call.Info, directory.Permission) bool { return true }

// Stranger implements route.World.
func (operator) Stranger(call.Info) bool { return false }

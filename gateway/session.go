package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/keypad"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/gateway/setup"
	"github.com/roomgate/roomgate/gateway/trunk"
	"github.com/roomgate/roomgate/media"
)

// session is one leg's life in the gateway: it is told where the leg belongs,
// puts it into a bridge, and follows its events to the end.
type session struct {
	g       *Gateway
	leg     call.Leg
	id      string
	created time.Time
	name    string // display name in the meeting, "" = what the far side says
	log     *zap.Logger
	line    *trunk.Line // of the trunk; nil: none
	setup   *setup.Call
	renamed atomic.Pointer[string] // by a moderator

	steers call.CameraController // the camera that the leg moves now; nil: none. Of followEvents.

	// ended is closed when the leg's events are over.
	ended chan struct{}

	mu         sync.Mutex
	state      CallState
	place      *place
	tracks     []media.Track // open tracks, for a change of bridge
	held       []media.Track // of them, those that the meeting does not hear yet
	muted      bool
	layout     layout.Kind // of the leg's own; "" = the meeting's
	pinned     string
	cause      *call.Cause
	closed     time.Time
	partner    *session // the other side of a call between two terminals
	waiting    bool     // an outgoing leg whose answer decides about partner
	dialledPIN string
	desk       *attendant // of the lobby, while the leg is there
	language   prompt.Language
	spokenName []int16 // as it was said in the lobby, at prompt.Rate
	keys       keypad.Menu
	keyedUntil time.Time // the last key of the lobby may sound so long
	agreed     Terms
	dialled    *dialled // of calls out that may be made again
	sent       bool     // the digits after the answer
	outcome    func(call.Cause)
}

// place is a leg's seat at a bridge.
type place struct {
	meeting *meeting
	bridge  *bridge.Bridge
	host    bool
	muted   bool // from the start
	member  *bridge.Member
}

func newID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// admit makes a session for a leg, or says why not. prepare, when not nil,
// completes the session before its first event is read.
func (g *Gateway) admit(leg call.Leg, prepare func(*session)) (*session, *call.Cause) {
	info := leg.Info()
	id := info.ID
	s := &session{
		g: g, leg: leg, id: id, created: info.Created, state: StateRinging,
		log:   g.log.With(zap.String("leg", id)),
		ended: make(chan struct{}),
	}
	limit := g.settings.Load().MaxCalls
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.draining.Load() || g.closed:
		return nil, &call.Cause{Code: call.Draining, RetryAfter: 30}
	case limit > 0 && len(g.sessions) >= limit:
		g.refused.Add(1)
		return nil, &call.Cause{Code: call.Congestion, Text: "the limit on calls is reached", RetryAfter: 10}
	}
	if prepare != nil {
		prepare(s)
	}
	if s.setup == nil {
		s.setup = setup.Begin(g.ctx, g.in.Tracer, info)
	}
	g.sessions[id] = s
	g.total.Add(1)
	g.wait.Add(2)
	go s.followEvents()
	go s.followTracks()
	return s, nil
}

// followEvents is the session's one reader of events; it ends with the leg.
func (s *session) followEvents() {
	defer s.g.wait.Done()
	for e := range s.leg.Events() {
		s.handle(e)
	}
	s.finish()
}

func (s *session) handle(e call.Event) {
	switch e.Kind {
	case call.Ringing:
		s.setup.Note("ringing")
		s.tellPartner(call.Provisional{Ringing: true})
	case call.EarlyMedia:
		s.setup.Note("early media")
		if caller := s.caller(); caller != nil {
			can := caller.offered()
			s.tellPartner(call.Provisional{EarlyMedia: &can})
		}
		s.mediaChanged()
	case call.Connected:
		s.setup.Connected()
		s.tellOutcome(call.Cause{})
		s.line.Answered()
		s.setState(StateActive)
		s.letBeHeard()
		s.connected()
		s.attend()
		s.answerPartner()
		s.mediaChanged()
	case call.MediaChanged:
		s.mediaChanged()
	case call.Held:
		s.setState(StateHeld)
		s.mediaChanged()
	case call.Resumed:
		s.setState(StateActive)
		s.mediaChanged()
	case call.ContentRequested, call.ContentGranted, call.ContentRefused, call.ContentLost, call.ContentStarted, call.ContentStopped:
		s.content(e.Kind)
	case call.CameraCommand:
		s.cameraCommand(e.Camera)
	case call.Keypad:
		s.keypad(e.Digit)
	case call.Referred:
		s.g.wait.Add(1)
		go func() {
			defer s.g.wait.Done()
			s.referred(e.Refer)
		}()
	case call.Ended:
		s.mu.Lock()
		cause := e.Cause
		s.cause = &cause
		s.mu.Unlock()
	}
}

// keypad passes a digit on: to the lobby, which keeps it to itself, or to the
// other terminal of a call and the events.
func (s *session) keypad(digit rune) {
	if s.press(digit) {
		return
	}
	s.g.events.publish(Event{Kind: EventCallKeypad, Call: s.view(), Text: string(digit)})
	s.command(digit)
	s.passDigit(digit)
}

// heardDigit takes a digit that came as a tone. It is called while a packet is
// handled, so it must not block. A partner hears the tone itself.
func (s *session) heardDigit(digit rune) {
	if s.press(digit) || s.lingers() {
		return
	}
	s.command(digit)
	s.g.wait.Add(1)
	go func() {
		defer s.g.wait.Done()
		s.g.events.publish(Event{Kind: EventCallKeypad, Call: s.view(), Text: string(digit)})
	}()
}

// followTracks keeps the list of open tracks and hands new ones to the bridge.
func (s *session) followTracks() {
	defer s.g.wait.Done()
	for t := range s.leg.Tracks() {
		s.mu.Lock()
		open := s.tracks[:0]
		for _, old := range s.tracks {
			select {
			case <-old.Done():
			default:
				open = append(open, old)
			}
		}
		s.tracks = append(open, t)
		p := s.place
		if s.unheard(p) {
			s.held = append(s.held, t)
			p = nil
		}
		s.mu.Unlock()
		if p != nil {
			p.member.AddTrack(t)
		}
	}
}

// finish runs once, when the leg has ended.
func (s *session) finish() {
	s.mu.Lock()
	s.state = StateEnded
	s.closed = s.g.in.Now()
	partner, p := s.partner, s.place
	s.partner, s.place = nil, nil
	if s.cause == nil {
		s.cause = &call.Cause{Code: call.Failure, Text: "the stack gave no reason"}
	}
	cause := *s.cause
	s.mu.Unlock()

	s.setup.Ended(cause)
	s.letCameraRest()
	s.tellOutcome(cause)
	s.g.goesAway(s, p)
	s.release(p)
	if partner != nil {
		partner.leg.Hangup(partnerCause(cause))
	}
	again := s.callAgain(cause, p)
	s.g.events.publish(Event{Kind: EventCallEnded, Call: s.view(), Meeting: p.alias()})
	s.line.Close()
	again()
	s.log.Info("closed", zap.Stringer("reason", cause))
	close(s.ended)

	g := s.g
	g.mu.Lock()
	delete(g.sessions, s.id)
	if g.draining.Load() && len(g.sessions) == 0 {
		close(g.idle)
	}
	g.mu.Unlock()
}

// tellOutcome tells who had the call made what came of it, once.
func (s *session) tellOutcome(cause call.Cause) {
	s.mu.Lock()
	tell := s.outcome
	s.outcome = nil
	s.mu.Unlock()
	if tell != nil {
		tell(cause)
	}
}

// partnerCause is what the other terminal of a call is told.
func partnerCause(c call.Cause) call.Cause {
	switch c.Code {
	case call.NormalClearing, call.Cancelled, call.Transferred:
		return call.Cause{Code: call.NormalClearing}
	}
	return c
}

func (p *place) alias() string {
	if p == nil || p.meeting.private {
		return ""
	}
	return p.meeting.spec().Alias
}

func (s *session) release(p *place) {
	if p == nil {
		return
	}
	if p.member != nil {
		p.member.Leave()
		s.announce(p, departureTone, prompt.Went)
	}
	s.g.leave(p)
}

// sit puts the leg into a bridge and gives it the tracks that are open. A leg
// that has ended in the meantime is not seated.
func (s *session) sit(p *place) bool {
	if !p.meeting.private {
		s.setup.Set(setup.Meeting.String(p.meeting.spec().Alias))
		s.setup.Start(setup.Seat)
	}
	p.member = p.bridge.Add(s.leg, s.describe, s.heardDigit)
	s.mu.Lock()
	if s.state == StateEnded {
		s.mu.Unlock()
		s.release(p)
		return false
	}
	s.place = p
	s.muted = s.muted || p.muted
	tracks := append([]media.Track(nil), s.tracks...)
	if s.unheard(p) {
		s.held, tracks = tracks, nil
	}
	muted, kind, pinned := s.muted, s.layout, s.pinned
	s.mu.Unlock()
	for _, t := range tracks {
		p.member.AddTrack(t)
	}
	if p.host {
		p.member.SetHost()
	}
	p.member.SetMuted(muted)
	p.member.SetLayout(kind, pinned)
	s.g.comesBack(s, p)
	s.apply(p)
	s.g.seated(s, p)
	return true
}

// describe is how the leg appears in its meeting; asked when media is known.
func (s *session) describe() call.Participant {
	info := s.leg.Info()
	kind := call.Phone
	for _, st := range info.Streams {
		if st.Role != media.Audio && st.Direction != media.Inactive {
			kind = call.Terminal
		}
	}
	name, number := shown(s.fullName(), info.Remote)
	if given := s.renamed.Load(); given != nil {
		name = *given
	}
	return call.Participant{
		Identity: legPrefix + s.id,
		Name:     name,
		Kind:     kind,
		Attributes: map[string]string{
			call.AttrKind:     string(kind),
			call.AttrLeg:      s.id,
			call.AttrProtocol: string(info.Protocol),
			call.AttrNumber:   number,
		},
	}
}

// fullName is who is on the far side, for those who may know: hosts, operators.
func (s *session) fullName() string {
	r := s.leg.Info().Remote
	return cmp.Or(s.name, r.Name, r.Alias, r.URI)
}

func (s *session) mediaChanged() {
	s.mu.Lock()
	p := s.place
	s.mu.Unlock()
	if p != nil {
		p.member.MediaChanged()
	}
	s.g.events.publish(Event{Kind: EventCallUpdated, Call: s.view(), Meeting: p.alias()})
}

func (s *session) setState(to CallState) {
	s.mu.Lock()
	if to == StateActive && s.desk != nil {
		to = StateLobby
	}
	if s.state != StateEnded {
		s.state = to
	}
	s.mu.Unlock()
}

func (s *session) inMeeting(m *meeting) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place != nil && s.place.meeting == m
}

// capabilities is what this leg is offered, under the policy of a meeting.
func (s *session) capabilities(m *meeting) media.Capabilities {
	can := s.offered()
	can.Encryption = m.spec().Encryption
	if word := s.g.settings.Load().TrunkEncryption[s.leg.Info().Remote.Trunk]; word == "require" || can.Encryption == "" {
		can.Encryption = word
	}
	return s.terms().within(m.spec()).limit(can)
}

// offered is what the gateway can do, with the audio of the leg's trunk where
// that has its own.
func (s *session) offered() media.Capabilities {
	can := s.g.capabilities()
	if audio, ok := s.g.settings.Load().TrunkAudio[s.leg.Info().Remote.Trunk]; ok {
		can.Audio = audio
	}
	return s.terms().limit(can)
}

// background bounds what the gateway does for a leg of its own accord.
func (s *session) background() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.g.ctx, 2*time.Minute)
}

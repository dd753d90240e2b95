package gateway

import (
	"cmp"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/lobby"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/gateway/setup"
)

// attendant leads one leg through the lobby: it plays what the menu says, tells
// the menu what the leg's user keys, and looks for the meeting. The leg has a
// place at a bridge of its own meanwhile, so that it goes into the meeting without
// a new negotiation.
type attendant struct {
	s      *session
	menu   *lobby.Menu
	member *bridge.Member
	bridge *bridge.Bridge // of the lobby
	events chan lobby.Event
	news   chan struct{} // something may have changed for one who waits

	// Owned by run.
	claim  claim
	dial   string        // what was keyed as a meeting leads here by the dial rules
	encore time.Time     // when the music is to be queued again
	seat   *place        // taken in the meeting, until the leg goes in
	taken  lobby.Verdict // with it
	name   *recorder     // while a name is being said
	done   bool

	// Guarded by the session's mu.
	meeting string // that the leg is for
	since   time.Time
	waits   lobby.Verdict // what for; 0: for nothing
	answer  lobby.Verdict // of a host: In or Denied
}

// known is what was found out about a call before it came to the lobby.
type known struct {
	claim   claim
	verdict lobby.Verdict
}

// pendingKeys bounds the keys that wait to be looked at.
const pendingKeys = 64

// openLobby answers a call into the lobby. k is nil for a caller who is to be
// asked for the meeting.
func (s *session) openLobby(d route.Decision, k *known) {
	g := s.g
	if g.in.Prompts == nil {
		s.leg.Hangup(call.Cause{Code: call.UnknownAlias, Text: "there is no lobby"})
		return
	}
	settings := g.settings.Load().Lobby
	info := s.leg.Info()
	menu := lobby.Config{
		Language: prompt.Language(cmp.Or(d.Language, settings.TrunkLanguage[info.Remote.Trunk], settings.Language)),
		Tries:    settings.Tries,
		Length:   g.in.Prompts.Length,
		Name:     s.saysName,
	}
	a := &attendant{s: s, events: make(chan lobby.Event, pendingKeys), news: make(chan struct{}, 1), claim: claim{source: s.source()}}
	if k != nil {
		a.claim, a.dial, a.meeting = k.claim, d.Meeting, d.Meeting
		menu.Meeting, menu.Verdict = d.Meeting, k.verdict
	}
	a.menu = lobby.New(menu)
	s.setup.Start(setup.Lobby)
	m, b := g.enterPrivate("lobby-"+s.id, 1)
	if k != nil {
		if spec, err := g.Meeting(d.Meeting); err == nil {
			own := m.spec()
			own.Encryption = spec.Encryption
			m.set(own)
		}
	}
	p := &place{meeting: m, bridge: b}
	s.mu.Lock()
	s.desk = a
	s.mu.Unlock()
	if !s.sit(p) {
		g.giveBack(&a.claim)
		return
	}
	a.member, a.bridge = p.member, b
	g.wait.Add(1)
	go a.run()
	s.accept(m)
}

// attend tells the lobby that its caller can hear.
func (s *session) attend() {
	s.mu.Lock()
	a := s.desk
	s.mu.Unlock()
	if a != nil {
		a.tell(lobby.Event{Kind: lobby.Started})
	}
}

// press gives a digit to the lobby; false when the leg is not there.
func (s *session) press(digit rune) bool {
	s.mu.Lock()
	a := s.desk
	s.mu.Unlock()
	if a != nil {
		a.tell(lobby.Event{Kind: lobby.Key, Digit: digit})
	}
	return a != nil
}

// tell never blocks: whoever keys faster than is looked at loses keys.
func (a *attendant) tell(e lobby.Event) {
	select {
	case a.events <- e:
	default:
	}
}

// nudge lets the attendant look again whether its leg may go in.
func (a *attendant) nudge() {
	select {
	case a.news <- struct{}{}:
	default:
	}
}

func (a *attendant) run() {
	defer a.s.g.wait.Done()
	defer a.s.g.giveBack(&a.claim) // unless it led into the meeting
	defer a.setWaiting(0)
	defer a.giveUpSeat()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !a.done && a.present() {
		timer.Reset(a.due())
		select {
		case e := <-a.events:
			a.handle(e)
		case <-a.news:
			a.reconsider()
		case <-timer.C:
			a.elapsed()
		case <-a.s.ended:
			return
		}
	}
}

// present reports whether the leg is still in the lobby.
func (a *attendant) present() bool {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.s.desk == a
}

// due is how long nothing has to be done.
func (a *attendant) due() time.Duration {
	next := a.menu.Next()
	if next.IsZero() || !a.encore.IsZero() && a.encore.Before(next) {
		next = a.encore
	}
	if next.IsZero() {
		return time.Hour
	}
	left := max(0, next.Sub(a.s.g.in.Now()))
	if a.name != nil {
		left = min(left, listenEvery)
	}
	return left
}

func (a *attendant) elapsed() {
	select {
	case e := <-a.events: // it came before the time was over, however late it is looked at
		a.handle(e)
		return
	default:
	}
	now := a.s.g.in.Now()
	if !a.encore.IsZero() && !now.Before(a.encore) {
		a.playMusic(false)
	}
	if a.name != nil && a.name.over(now) {
		a.handle(lobby.Event{Kind: lobby.Spoken})
		return
	}
	if next := a.menu.Next(); !next.IsZero() && !now.Before(next) {
		a.handle(lobby.Event{Kind: lobby.Timeout})
	}
}

// handle lets the menu decide and does what it says. A look that is answered at
// once goes on.
func (a *attendant) handle(e lobby.Event) {
	for {
		verdict := lobby.Verdict(0)
		for _, action := range a.menu.Handle(e, a.s.g.in.Now()) {
			switch action.Kind {
			case lobby.Say:
				a.encore = time.Time{}
				a.member.Play(a.sound(action.Clips), prompt.Rate, true)
				a.write(action.Clips)
			case lobby.Hush:
				a.member.StopPlaying()
			case lobby.Music:
				a.playMusic(true)
			case lobby.Look:
				verdict = a.look(action)
			case lobby.Record:
				a.record()
			case lobby.Keep:
				a.keepName(e.Kind == lobby.Key)
			case lobby.Again:
				verdict = a.again()
			case lobby.Enter:
				a.goIn(action)
			case lobby.Leave:
				a.done = true
				a.s.leg.Hangup(refusal(action.Verdict))
			}
		}
		a.setWaiting(a.menu.Waits())
		if verdict == 0 {
			return
		}
		e = lobby.Event{Kind: lobby.Answered, Verdict: verdict}
	}
}

// write shows what is said: terminals have a screen.
func (a *attendant) write(clips []prompt.Clip) {
	texts := prompt.Texts()
	lines := []string{"roomgate"}
	for _, c := range clips {
		if text := texts[c]; text != "" {
			lines = append(lines, text)
		}
	}
	a.bridge.SetSlate(lines)
}

func (a *attendant) sound(clips []prompt.Clip) (pcm []int16) {
	for _, c := range clips {
		pcm = append(pcm, a.s.g.in.Prompts.Sound(c)...)
	}
	return pcm
}

// playMusic queues the tune, and again before it ends.
func (a *attendant) playMusic(instead bool) {
	const ahead = 500 * time.Millisecond
	tune := a.s.g.in.Prompts.Music()
	a.member.Play(tune, prompt.Rate, instead)
	from := a.encore
	if instead || from.IsZero() {
		from = a.s.g.in.Now().Add(-ahead)
	}
	a.encore = from.Add(max(ahead, time.Duration(len(tune))*time.Second/prompt.Rate))
}

// look tries to take a place in the meeting that was keyed. What is keyed goes
// through the dial rules, of which those count that lead to a meeting.
func (a *attendant) look(action lobby.Action) lobby.Verdict {
	g := a.s.g
	if !action.HasPIN {
		info := a.s.leg.Info()
		info.Called = action.Meeting
		d := g.settings.Load().Rules.Decide(info, g)
		if d.Meeting == "" {
			return lobby.NoMeeting
		}
		a.dial, a.claim.create = d.Meeting, d.Create
	}
	a.claim.pin, a.claim.hasPIN = action.PIN, action.HasPIN
	a.s.mu.Lock()
	a.meeting = a.dial
	a.s.mu.Unlock()
	verdict := a.enter()
	if verdict == lobby.WrongPIN {
		select {
		case <-time.After(a.claim.wait):
		case <-a.s.ended:
		}
	}
	return verdict
}

// enter takes a place, where the meeting lets the leg in as it is.
func (a *attendant) enter() lobby.Verdict {
	g := a.s.g
	p, verdict := g.enter(a.dial, &a.claim)
	if verdict == lobby.WaitHost {
		g.lookAround(g.ctx, a.dial)
		p, verdict = g.enter(a.dial, &a.claim)
	}
	if p != nil && a.s.tooPlain(p) {
		g.leave(p)
		return lobby.Insecure
	}
	a.seat, a.taken = p, verdict
	return verdict
}

// again is enter for one who has said a name meanwhile: the place that was taken before
// still holds, unless the meeting has ended.
func (a *attendant) again() lobby.Verdict {
	if a.seat == nil {
		return a.enter()
	}
	g := a.s.g
	g.mu.Lock()
	holds := g.meetings[a.seat.meeting.spec().Alias] == a.seat.meeting
	g.mu.Unlock()
	if holds {
		return a.taken
	}
	a.giveUpSeat()
	return lobby.Ended
}

// giveUpSeat leaves the place that was taken for a leg that does not come.
func (a *attendant) giveUpSeat() {
	if a.seat != nil {
		a.s.g.leave(a.seat)
		a.seat = nil
	}
}

// reconsider looks again whether one who waits may go in.
func (a *attendant) reconsider() {
	if a.menu.Waits() == 0 || !a.present() {
		return
	}
	a.s.mu.Lock()
	answer := a.answer
	a.answer = 0
	a.s.mu.Unlock()
	verdict := lobby.Denied
	if answer == lobby.Denied {
		a.claim.redeemed = redeemed{} // the host's no is to this code
	} else {
		a.claim.trusted = a.claim.trusted || answer == lobby.In
		verdict = a.enter()
	}
	if verdict == lobby.NoMeeting {
		verdict = lobby.Ended
	}
	a.handle(lobby.Event{Kind: lobby.Answered, Verdict: verdict})
}

// goIn moves the leg to the place that was taken for it.
func (a *attendant) goIn(action lobby.Action) {
	a.done = true
	p := a.seat
	a.seat = nil
	a.claim.redeemed = redeemed{} // for good
	a.s.log.Info("from the lobby into a meeting", zap.String("meeting", p.meeting.spec().Alias), zap.Bool("host", p.host))
	a.s.mu.Lock()
	a.s.keyedUntil = a.s.g.in.Now().Add(lastTone)
	if spoken := a.menu.Languages(); len(spoken) == 1 {
		a.s.language = spoken[0]
	}
	a.s.mu.Unlock()
	cause := a.s.take(p)
	a.s.setup.End(setup.Lobby)
	if cause.Code == call.NormalClearing {
		p.member.Play(a.sound(action.Clips), prompt.Rate, false)
	}
}

// lastTone is how long the tone of the last key may go on in the meeting, where it
// is none any more.
const lastTone = 500 * time.Millisecond

// lingers reports a tone that began in the lobby.
func (s *session) lingers() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.keyedUntil.IsZero() && s.g.in.Now().Before(s.keyedUntil)
}

// setWaiting notes whether the leg waits, for those who ask, and tells it.
func (a *attendant) setWaiting(waits lobby.Verdict) {
	s := a.s
	s.mu.Lock()
	changed := a.waits != waits
	if waits != 0 && a.waits == 0 {
		a.since = s.g.in.Now()
	}
	a.waits = waits
	meeting := a.meeting
	s.mu.Unlock()
	if !changed {
		return
	}
	kind := EventLobbyLeft
	if waits != 0 {
		kind = EventLobbyWaiting
	}
	s.g.events.publish(Event{Kind: kind, Call: s.view(), Meeting: meeting})
}

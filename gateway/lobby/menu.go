// Package lobby is the reception for those who do not say by what they dial
// where they belong, or may not go there at once: a voice menu that asks for
// the meeting and the PIN, and keeps people company while they wait.
//
// A Menu is a state machine without clock, sound or meetings. It is told what
// happens (Event) and answers with what is to be done (Action):
//
//	choosing -> meeting -> PIN -> [looking] -> [name] -> waiting -> in
//	                                  \-> leaving -> out
//
// Keys interrupt what is said. # ends what was keyed, and so does a pause;
// * starts it over.
package lobby

import (
	"strings"
	"time"

	"github.com/roomgate/roomgate/gateway/lobby/prompt"
)

// Config is how a menu begins.
type Config struct {
	// Language, when set, is not asked for. Who is asked for a PIN alone hears all
	// languages without one.
	Language prompt.Language
	// Meeting, when set, is not asked for. With Verdict it was looked for
	// already, and that came of it.
	Meeting string
	Verdict Verdict
	// Length is how long prompts last, one after the other.
	Length func([]prompt.Clip) time.Duration

	// Name, when set, is asked before a caller goes in or waits, and tells whether the
	// caller is to say a name, which is recorded.
	Name func() bool

	Tries     int           // 0 = 3
	FirstKey  time.Duration // that a caller may think about, after the prompt; 0 = 10 s
	OtherKeys time.Duration // between keys; 0 = 4 s
}

// Verdict is what comes of looking for a meeting.
type Verdict uint8

// The verdicts.
const (
	NoMeeting  Verdict = iota + 1
	WantsPIN           // a PIN is needed
	WantsHost          // a host may give a PIN, a guest needs none
	WrongPIN           // counts as a try
	TooMany            // wrong PINs from there: nothing is looked at
	Full               // no place is left
	Locked             // nobody is let in any more
	WaitHost           // no host has come yet
	WaitAdmit          // a host is to let the caller in
	Denied             // a host has not let the caller in
	Insecure           // the meeting takes encrypted calls only
	Ended              // the meeting ended while the caller waited, or is over
	WaitTime           // the meeting begins soon
	NotYet             // it begins later
	In                 // a place is taken
	InAndMuted         // the same, muted
)

// EventKind tells events apart.
type EventKind uint8

// What happens.
const (
	Started  EventKind = iota + 1 // the caller can hear
	Key                           // Digit was pressed
	Timeout                       // the moment of Next has come
	Answered                      // Verdict on the last Look or Again, or on who waits
	Spoken                        // the caller has said something and is silent
)

// Event is something that happened.
type Event struct {
	Kind    EventKind
	Digit   rune
	Verdict Verdict
}

// ActionKind tells actions apart.
type ActionKind uint8

// What is to be done.
const (
	Say    ActionKind = iota + 1 // Clips, in place of what is playing
	Hush                         // stop what is playing
	Look                         // for Meeting, with PIN; the answer comes as Answered
	Music                        // play, until something else is said
	Enter                        // go into the meeting; then hear Clips
	Leave                        // hang up, because of Verdict; 0: nobody pressed a key
	Record                       // what the caller says from now on, after a tone
	Keep                         // what was recorded as the caller's name; nothing, where nothing was said
	Again                        // look as before: it took a while; the answer comes as Answered
)

// Action is something to be done.
type Action struct {
	Kind         ActionKind
	Clips        []prompt.Clip
	Meeting, PIN string
	// HasPIN: PIN was asked for; an empty one is that of a guest who has none.
	HasPIN  bool
	Verdict Verdict
}

type state uint8

const (
	fresh    state = iota
	choosing       // the language
	meeting        // its number is keyed
	pin            // is keyed
	looking        // the answer is awaited
	naming         // the name is asked for
	speaking       // it is being said
	waiting        // for the host
	leaving        // goodbye is said
	over
)

// Menu is one caller's way through the lobby.
type Menu struct {
	in       Config
	state    state
	language prompt.Language
	keyed    strings.Builder
	meeting  string
	wants    Verdict // WantsPIN or WantsHost, of the meeting
	failures int
	next     time.Time
	why      Verdict // of leaving
	wait     Verdict // why the caller waits
	named    bool    // was asked for the name
	actions  []Action
}

// New makes a menu. It does nothing before it is told that it has Started.
func New(c Config) *Menu {
	if c.Tries <= 0 {
		c.Tries = 3
	}
	if c.FirstKey <= 0 {
		c.FirstKey = 10 * time.Second
	}
	if c.OtherKeys <= 0 {
		c.OtherKeys = 4 * time.Second
	}
	if c.Length == nil {
		c.Length = func([]prompt.Clip) time.Duration { return 0 }
	}
	return &Menu{in: c, language: c.Language}
}

// Next is when a Timeout is due; zero: never.
func (m *Menu) Next() time.Time { return m.next }

// Meeting is the one that the caller is for; "" while it is not known.
func (m *Menu) Meeting() string { return m.meeting }

// Languages are those that are spoken: all until one is chosen.
func (m *Menu) Languages() []prompt.Language {
	if m.language == "" {
		return prompt.Languages
	}
	return []prompt.Language{m.language}
}

// Waits is what the caller waits for: WaitHost, WaitAdmit or WaitTime; 0: nothing.
func (m *Menu) Waits() Verdict {
	if m.state != waiting {
		return 0
	}
	return m.wait
}

// Handle takes what happened and tells what is to be done, in order.
func (m *Menu) Handle(e Event, now time.Time) []Action {
	m.actions = nil
	switch m.state {
	case fresh:
		m.fresh(e, now)
	case choosing:
		m.choosing(e, now)
	case meeting:
		m.askingMeeting(e, now)
	case pin:
		m.askingPIN(e, now)
	case looking:
		if e.Kind == Answered {
			m.answered(e.Verdict, now)
		}
	case naming, speaking:
		m.takeName(e, now)
	case waiting:
		if e.Kind == Answered {
			m.answered(e.Verdict, now)
		} else if e.Kind == Timeout {
			m.do(Action{Kind: Music})
			m.next = time.Time{}
		}
	case leaving:
		if e.Kind == Timeout {
			m.state, m.next = over, time.Time{}
			m.do(Action{Kind: Leave, Verdict: m.why})
		}
	}
	return m.actions
}

func (m *Menu) do(a Action) { m.actions = append(m.actions, a) }

// say says prompts, and lets Timeout come so long after them.
func (m *Menu) say(now time.Time, after time.Duration, ids ...prompt.ID) {
	m.sayClips(now, after, m.clips(ids...))
}

func (m *Menu) clips(ids ...prompt.ID) (clips []prompt.Clip) {
	for _, l := range m.Languages() {
		for _, id := range ids {
			clips = append(clips, prompt.Clip{Language: l, ID: id})
		}
	}
	return clips
}

func (m *Menu) sayClips(now time.Time, after time.Duration, clips []prompt.Clip) {
	m.do(Action{Kind: Say, Clips: clips})
	m.next = now.Add(m.in.Length(clips) + after)
}

func (m *Menu) fresh(e Event, now time.Time) {
	if e.Kind != Started {
		return
	}
	m.meeting = m.in.Meeting
	switch {
	case m.in.Meeting != "" && m.in.Verdict != 0:
		m.answered(m.in.Verdict, now)
	case m.in.Meeting != "":
		m.look("", false)
	case m.language == "":
		m.state = choosing
		m.sayClips(now, m.in.FirstKey, []prompt.Clip{
			{Language: prompt.Vietnamese, ID: prompt.Welcome}, {Language: prompt.Vietnamese, ID: prompt.Choose}, {Language: prompt.English, ID: prompt.Choose},
		})
	default:
		m.askMeeting(now, prompt.Welcome)
	}
}

// choosing waits for the key of a language. Whoever presses none is spoken to
// in the first.
func (m *Menu) choosing(e Event, now time.Time) {
	switch {
	case e.Kind == Key && e.Digit >= '1' && int(e.Digit-'1') < len(prompt.Languages):
		m.language = prompt.Languages[e.Digit-'1']
		m.askMeeting(now)
	case e.Kind == Timeout:
		m.language = prompt.Languages[0]
		m.askMeeting(now)
	}
}

// askMeeting asks for the number, after what else is to be said.
func (m *Menu) askMeeting(now time.Time, before ...prompt.ID) {
	m.state, m.meeting = meeting, ""
	m.keyed.Reset()
	m.say(now, m.in.FirstKey, append(before, prompt.Meeting)...)
}

func (m *Menu) askPIN(now time.Time, before ...prompt.ID) {
	m.state = pin
	m.keyed.Reset()
	ask := prompt.PIN
	if m.wants == WantsHost {
		ask = prompt.HostPIN
	}
	m.say(now, m.in.FirstKey, append(before, ask)...)
}

// The longest that is taken of each.
const (
	maxMeeting = 32
	maxPIN     = 16
)

func (m *Menu) askingMeeting(e Event, now time.Time) {
	digits, done := m.collect(e, now, maxMeeting)
	switch {
	case !done:
	case digits != "":
		m.meeting = digits
		m.look("", false)
	default:
		m.failed(now, prompt.NoInput, 0, func(id prompt.ID) { m.askMeeting(now, id) })
	}
}

func (m *Menu) askingPIN(e Event, now time.Time) {
	digits, done := m.collect(e, now, maxPIN)
	switch {
	case !done:
	case digits != "" || m.wants == WantsHost: // a guest presses # alone, or nothing
		m.look(digits, true)
	default:
		m.failed(now, prompt.NoInput, WrongPIN, func(id prompt.ID) { m.askPIN(now, id) })
	}
}

// collect gathers digits; done when # or a pause ends them.
func (m *Menu) collect(e Event, now time.Time, most int) (digits string, done bool) {
	switch {
	case e.Kind == Timeout:
		return m.keyed.String(), true
	case e.Kind != Key:
		return "", false
	}
	if m.keyed.Len() == 0 {
		m.do(Action{Kind: Hush})
	}
	m.next = now.Add(m.in.OtherKeys)
	switch {
	case e.Digit == '#':
		return m.keyed.String(), true
	case e.Digit == '*':
		m.keyed.Reset()
		m.next = now.Add(m.in.FirstKey)
	case e.Digit >= '0' && e.Digit <= '9' && m.keyed.Len() < most:
		m.keyed.WriteRune(e.Digit)
	}
	return "", false
}

// look asks for a verdict; until it comes, nothing times out.
func (m *Menu) look(pin string, has bool) {
	m.state, m.next = looking, time.Time{}
	m.keyed.Reset()
	m.do(Action{Kind: Look, Meeting: m.meeting, PIN: pin, HasPIN: has})
}

// failed asks once more after saying what was wrong, or says goodbye.
func (m *Menu) failed(now time.Time, wrong prompt.ID, why Verdict, again func(prompt.ID)) {
	m.failures++
	if m.failures >= m.in.Tries {
		m.leave(now, why, wrong, prompt.Goodbye)
		return
	}
	again(wrong)
}

func (m *Menu) leave(now time.Time, why Verdict, ids ...prompt.ID) {
	m.state, m.why = leaving, why
	m.say(now, lastWords, ids...)
}

func (m *Menu) answered(v Verdict, now time.Time) {
	if v.hopeful() && !m.named && m.in.Name != nil && m.in.Name() {
		m.named, m.state = true, naming
		m.say(now, 0, prompt.Name)
		return
	}
	switch v {
	case NoMeeting:
		m.failed(now, prompt.NoMeeting, NoMeeting, func(id prompt.ID) { m.askMeeting(now, id) })
	case WantsPIN, WantsHost:
		m.wants = v
		m.askPIN(now)
	case WrongPIN:
		if m.wants == 0 {
			m.wants = WantsPIN
		}
		m.failed(now, prompt.WrongPIN, WrongPIN, func(id prompt.ID) { m.askPIN(now, id) })
	case WaitHost, WaitAdmit, WaitTime:
		m.waitFor(v, now)
	case In, InAndMuted:
		id := prompt.Joined
		if v == InAndMuted {
			id = prompt.JoinedMuted
		}
		m.state, m.next = over, time.Time{}
		m.do(Action{Kind: Enter, Meeting: m.meeting, Clips: m.clips(id)})
	default:
		m.leave(now, v, farewells[v], prompt.Goodbye)
	}
}

// hopeful: the caller is let in, or may be.
func (v Verdict) hopeful() bool {
	return v == In || v == InAndMuted || v == WaitHost || v == WaitAdmit || v == WaitTime
}

// longestName is how long a name is listened to.
const longestName = 6 * time.Second

// takeName records what is said after the question, to a key or a silence. A key in the
// question cuts it short.
func (m *Menu) takeName(e Event, now time.Time) {
	switch {
	case e.Kind == Answered:
	case m.state == naming && (e.Kind == Timeout || e.Kind == Key):
		if e.Kind == Key {
			m.do(Action{Kind: Hush})
		}
		m.state, m.next = speaking, now.Add(longestName)
		m.do(Action{Kind: Record})
	case m.state == speaking && (e.Kind == Timeout || e.Kind == Spoken || e.Kind == Key && e.Digit == '#'):
		m.state, m.next = looking, time.Time{}
		m.do(Action{Kind: Keep})
		m.do(Action{Kind: Again})
	}
}

// lastWords is what the end of a goodbye needs to reach the caller.
const lastWords = 500 * time.Millisecond

// farewells say why somebody has to go.
var farewells = map[Verdict]prompt.ID{
	TooMany: prompt.TooMany, Full: prompt.Full, Locked: prompt.Locked, Denied: prompt.Denied,
	Insecure: prompt.Insecure, Ended: prompt.Ended, NotYet: prompt.NotYet,
}

// waits say what somebody waits for.
var waits = map[Verdict]prompt.ID{WaitHost: prompt.WaitHost, WaitAdmit: prompt.WaitAdmit, WaitTime: prompt.WaitTime}

// waitFor says what for, then plays music.
func (m *Menu) waitFor(v Verdict, now time.Time) {
	if m.state == waiting && m.wait == v {
		return
	}
	m.state, m.wait = waiting, v
	m.say(now, 0, waits[v])
}

// Package gateway is the heart of the product: it takes the legs that the
// protocol stacks deliver, routes each to a meeting or to another terminal,
// keeps one bridge per meeting on this node, and tells the API what happens.
package gateway

import (
	"context"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/calendar"
	"github.com/roomgate/roomgate/media"
)

// MeetingSpec is what somebody asks of a meeting. Zero values mean the
// defaults of the configuration.
type MeetingSpec struct {
	Alias    string
	Name     string
	Agency   string
	HostPIN  string
	GuestPIN string
	Layout   string
	MaxLegs  int
	// Encryption is off, prefer or require: what legs of this meeting need.
	Encryption string
	// Presenting is free, ask or host: who may present and take over.
	Presenting string
	// Lobby lets hosts decide about every guest, WaitForHost lets guests in once a
	// host is there, Locked lets no guest in.
	Lobby       bool
	WaitForHost bool
	Locked      bool
	JoinMuted   bool // guests
	// MaxDuration ends the meeting so long after it began, RoomsOnly so long after
	// the last browser left terminals alone; 0: never.
	MaxDuration time.Duration
	RoomsOnly   time.Duration
	// Bandwidth of each call in kbit/s, sound included, and how long one lasts at most;
	// 0: any.
	Bandwidth int
	LegLast   time.Duration
	// Plan is when it is held, None: at any time; Extended the time that is held now, with
	// a later end.
	Plan     calendar.Plan
	Extended calendar.Occurrence
	// Invitees are called when it starts.
	Invitees []directory.Invitee
}

// Meeting is a meeting as it stands.
type Meeting struct {
	MeetingSpec
	Created time.Time
	// OnDemand meetings were made by somebody dialling in and end with the
	// last participant.
	OnDemand bool
	// Presenter is the identity of who presents; Waiting of who wants to and needs a
	// yes. They are known while a terminal or phone is there.
	Presenter, Waiting string
	// Recorded: the meeting server records it, as the legs of this node were told.
	Recorded bool
	// Legs counts the terminals and phones on this node.
	Legs int
	// Held is the time that it is held now or next; zero: at any time, or never any more.
	Held calendar.Occurrence
}

// Participant is one row of a meeting's roster.
type Participant struct {
	call.Participant
	// CallID is set for legs of this node.
	CallID   string
	Speaking bool
	Muted    bool
}

// Call is one leg and where it stands, as the API shows it.
type Call struct {
	Info     call.Info
	Meeting  string
	Identity string // in the meeting
	State    CallState
	Muted    bool
	// Layout and Pinned are its own; "" = the meeting's.
	Layout, Pinned string
	Media          []MediaInfo
	Ended          time.Time
	Cause          *call.Cause
	Terms          Terms
	Redial         *Redial // of calls out that were lost
}

// CallState is the life of a call.
type CallState string

// Call states.
const (
	StateRinging CallState = "ringing"
	StateLobby   CallState = "lobby"
	StateActive  CallState = "active"
	StateHeld    CallState = "held"
	StateEnded   CallState = "ended"
	// StateRedialling: the network lost it, and it is about to be made again.
	StateRedialling CallState = "redialling"
)

// MediaInfo is one direction of one medium of a call.
type MediaInfo struct {
	media.StreamStats
	Width, Height int
	FPS           float64
	// Mode is passthrough, transcoded or mixed.
	Mode string
	// Pipeline prints the stages.
	Pipeline string
	// Notice says why a medium does not flow ("level 4.0 exceeds 3.1").
	Notice string
}

// DialRequest asks for an outgoing call into a meeting.
type DialRequest struct {
	Target   string // sip:, h323:, tel: or an alias
	Meeting  string
	Name     string // display name shown in the meeting; default: the far side's
	Username string // for a digest challenge of the far side
	Password string

	// Rate in kbit/s, sound included. The smallest of this, the endpoint's and the
	// meeting's counts; so it is with Longest. 0: none.
	Rate    int
	Longest time.Duration
	// Digits are sent after the answer; a comma waits for a second.
	Digits string
	Layout string
	// MCU, TerminalType and ContentMaster are those of directory.Treatment, added to
	// what it says.
	MCU           bool
	TerminalType  int
	ContentMaster string
	// Redials bounds how often in a row it is called again when the network lost the
	// call; nil: as the directory says.
	Redials *int
}

// Token lets a browser into a meeting.
type Token struct {
	URL   string
	Token string
	Muted bool // the visitor is to come in muted
}

// Registration is one binding of a terminal.
type Registration struct {
	Protocol  call.Protocol
	Alias     string
	Contact   string
	Address   string
	Transport string
	UserAgent string
	Product   string
	Since     time.Time
	Expires   time.Time
}

// EventKind names an event of the stream; the names are those of the API.
type EventKind string

// Events.
const (
	EventCallStarted      EventKind = "call.started"
	EventCallUpdated      EventKind = "call.updated"
	EventCallEnded        EventKind = "call.ended"
	EventCallKeypad       EventKind = "call.keypad"
	EventCallRedial       EventKind = "call.redialling"
	EventMeetingStarted   EventKind = "meeting.started"
	EventMeetingEnded     EventKind = "meeting.ended"
	EventMeetingLayout    EventKind = "meeting.layout"    // Text: the layout
	EventMeetingRecording EventKind = "meeting.recording" // Text: on or off
	EventMeetingEnding    EventKind = "meeting.ending"    // in a minute
	EventJoined           EventKind = "participant.joined"
	EventRenamed          EventKind = "participant.renamed"
	EventLeft             EventKind = "participant.left"
	EventSpeaker          EventKind = "participant.speaking"
	EventPresenting       EventKind = "presentation.changed" // Text: identity, "" = nobody
	EventPresentingWanted EventKind = "presentation.wanted"  // Text: identity, "" = nobody any more
	EventLobbyWaiting     EventKind = "lobby.waiting"
	EventLobbyLeft        EventKind = "lobby.left"
	EventRegistered       EventKind = "registration.added"
	EventUnregistered     EventKind = "registration.removed"
	EventSFULost          EventKind = "sfu.lost"
	EventSFUBack          EventKind = "sfu.back"
	EventTrunkRefused     EventKind = "trunk.refused" // Text
	EventTrunkUp          EventKind = "trunk.up"      // Text
	EventTrunkDown        EventKind = "trunk.down"    // Text
	EventConfigReloaded   EventKind = "config.reloaded"
	EventConfigRefused    EventKind = "config.refused"
)

// Event is something that happened. Only the fields of its kind are set.
type Event struct {
	Seq          uint64 // ascending without gaps on this node
	Time         time.Time
	Kind         EventKind
	Meeting      string
	Call         *Call
	Participant  *Participant
	Registration *Registration
	Text         string
}

// Status is the node at a glance.
type Status struct {
	Version  string
	Started  time.Time
	Draining bool
	Calls    int
	Meetings int
	MaxCalls int
	SFU      string // "up", "down", "none"
	Video    string // "up": pictures can be transcoded and composed; "none"
	Pictures Pictures
	Ticks    Ticks     // of the sound of all meetings
	Routing  Durations // of decisions where calls go
	Refused  uint64    // calls refused over the limit
	Total    uint64    // calls since start
}

// ShownLayout is what a meeting's legs are shown.
type ShownLayout struct {
	Layout  string
	Default string // what the meeting was made with
	Pinned  string // identity of who takes the place of the speaker, or ""
}

// Ticks is how punctual the mixer is.
type Ticks struct {
	// Late counts ticks by how late they began: up to each of Bounds, and beyond the
	// last. LateSum adds it up.
	Bounds  []time.Duration
	Late    []uint64
	LateSum time.Duration
	Skipped uint64 // given up after a long stall
}

// Pictures is what the video workers of the node do, and have done.
type Pictures struct {
	Encoders int           // open now
	Frames   uint64        // decoded, drawn and encoded
	Busy     time.Duration // of all processors
	Restarts int           // of workers that died
}

// SFUAdmin is what the gateway asks of the SFU beyond media.
type SFUAdmin interface {
	// Token makes a browser's ticket. role is call.RoleHost or call.RoleGuest.
	Token(ctx context.Context, room, identity, name, role string) (url, token string, err error)
	// Participants lists the roster without hidden ones.
	Participants(ctx context.Context, room string) ([]call.Participant, error)
	Remove(ctx context.Context, room, identity string) error
	Mute(ctx context.Context, room, identity string, muted bool) error
	CloseRoom(ctx context.Context, room string) error
	Healthy(ctx context.Context) bool
}

// Package call holds the words that the SIP and the H.323 stack share with the
// gateway: a leg is one terminal's side of a call, an endpoint is a stack that
// takes and places calls. It is a leaf: it imports media only.
package call

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h224"
)

// Protocol names the signalling of a leg.
type Protocol string

// Protocols.
const (
	SIP  Protocol = "sip"
	H323 Protocol = "h323"
)

// Direction of a call as the gateway sees it.
type Direction string

// Directions of a call.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Endpoint is a protocol stack: SIP or H.323.
type Endpoint interface {
	// Serve takes calls until ctx ends, then stops listening and returns when
	// all it started has ended. incoming is called on its own goroutine once
	// per call, before any answer beyond 100 Trying was given; it decides by
	// Progress, Accept or Hangup, and may return before the call ends. A leg
	// that is neither accepted nor hung up when incoming returns stays
	// pending: whoever keeps it decides.
	Serve(ctx context.Context, incoming func(Leg)) error
	// Dial places a call and returns the leg at once; progress and the answer
	// come as events. An error means that nothing was sent.
	Dial(ctx context.Context, to Target) (Leg, error)
}

// Leg is one terminal's side of a call.
type Leg interface {
	media.Peer
	// Info is a snapshot; MediaChanged says that Streams changed.
	Info() Info
	// Progress sends a provisional answer to an incoming call.
	Progress(ctx context.Context, p Provisional) error
	// Accept answers an incoming call with what both can do. It returns when
	// the call is confirmed (ACK), or failed; ErrNoCommonMedia leaves the leg
	// ended with cause IncompatibleMedia.
	Accept(ctx context.Context, can media.Capabilities) error
	// Update offers anew within the call.
	Update(ctx context.Context, can media.Capabilities) error
	// Events delivers in order, is never blocked by the stack for long (the
	// stack queues), and is closed after Ended.
	Events() <-chan Event
	// Hangup ends or refuses the call; idempotent, returns at once.
	Hangup(cause Cause) error
}

// StatsReporter is a leg that counts its media.
type StatsReporter interface{ Stats() []media.StreamStats }

// Transferrer is a leg that can be sent elsewhere by signalling (REFER).
type Transferrer interface {
	Transfer(ctx context.Context, target string) error
}

// Focuser is a leg that can tell its far side that it is in a meeting. It is told before
// Accept.
type Focuser interface{ Focus() }

// DigitSender is a leg that can be sent keypad digits.
type DigitSender interface {
	SendDigits(ctx context.Context, digits string) error
}

// TextShower is a leg that can show a line of text to its user.
type TextShower interface {
	ShowText(ctx context.Context, text string) error
}

// CameraController is a leg whose far side may let its camera be moved (H.281).
type CameraController interface {
	// Camera is what the far camera can do; ok is false where there is none to move,
	// or it has not said.
	Camera() (can h224.Abilities, ok bool)
	// MoveCamera moves it for h224.Hold, or until told otherwise; the zero Motion stops.
	MoveCamera(m h224.Motion) error
	// CameraPreset stores its position under a number, or goes to it.
	CameraPreset(number uint8, store bool) error
}

// ErrNoCamera is returned where the far side has no camera to move.
var ErrNoCamera = errors.New("the far side has no camera to move")

// ContentHolder is a leg whose far side lets one at a time present: who holds the
// token of H.239, or the floor of BFCP.
type ContentHolder interface {
	// RequestContent asks for the right to send content. The outcome comes as
	// ContentGranted or ContentRefused, and then the stream as MediaChanged. An
	// error means that the far side takes none.
	RequestContent(ctx context.Context) error
	// ReleaseContent gives up the right, or the wish for it.
	ReleaseContent(ctx context.Context) error
	// AnswerContent answers ContentRequested. Granting takes the right from us.
	AnswerContent(ctx context.Context, grant bool) error
}

// Provisional is an answer before the answer.
type Provisional struct {
	Ringing bool // 180; otherwise 183 (session progress)
	// EarlyMedia, when not nil, opens media before the answer (183 with SDP).
	EarlyMedia *media.Capabilities
}

// Info describes a leg.
type Info struct {
	ID        string // unique on this node; also the correlation key in logs
	Protocol  Protocol
	Direction Direction
	// Called is the alias dialled: the user part, without domain or prefix.
	Called string
	// CalledURI is the whole dialled address.
	CalledURI string
	Remote    Remote
	Streams   []media.Stream
	// Encryption is none, srtp or h235 (the weakest of the media).
	Encryption string
	// LegacyTLS marks signalling under the opt-in legacy TLS profile.
	LegacyTLS bool
	Held      bool
	Created   time.Time
	Answered  time.Time // zero until then
	// MaxVideo is the bandwidth the far side allows for video, bit/s, 0 = any.
	MaxVideo int
}

// Remote is who is on the far side.
type Remote struct {
	Alias     string // registered alias when authenticated, otherwise the user part of From
	Name      string // display name
	URI       string
	Address   netip.AddrPort // signalling source
	Transport string         // udp, tcp, tls
	UserAgent string
	Product   string // recognised vendor and model, "" when unknown
	// Registered: the call came over an authenticated registration.
	// Trunk: over this trunk, in either direction.
	Registered bool
	Trunk      string
	// Focus: it says that it joins several, as an MCU does (RFC 4579, H.323 mc).
	Focus bool
	// Private: the caller wants its number kept from others (RFC 3323 §4.2).
	Private bool
}

// Target says where to call.
type Target struct {
	// Address is a sip: or h323: or tel: URI, or an alias to look up among the
	// registrations of the stack.
	Address string
	// Alternatives are forked in parallel with Address.
	Alternatives       []string
	From, FromName     string
	Username, Password string // answer to a digest challenge
	Via                string // outbound proxy URI, optional
	Can                media.Capabilities
	Timeout            time.Duration // to the answer; zero = the stack's default
	Encryption         string        // off, prefer, require; "" = the stack's policy

	// Trunk is the name of the line that Address, a number then, is called over.
	Trunk  string
	Domain string // of From; "" = ours, or that of the trunk's target

	// TerminalType decides who is master in H.245 (H.323 table 1); 0 = the stack's.
	TerminalType uint8
	// Focus: the far side comes into a meeting (RFC 4579).
	Focus bool

	// Asserted and Preferred say who calls to those who trust us or are to assert it
	// (RFC 3325); Anonymous asks them to keep it to themselves (RFC 3323).
	Asserted, Preferred Identity
	Anonymous           bool
}

// Identity is who somebody says to be; without User: nobody.
type Identity struct{ User, Name string }

// EventKind tells events apart.
type EventKind uint8

// Events of a leg.
const (
	Ringing      EventKind = iota + 1 // outgoing: 180
	EarlyMedia                        // outgoing: media before the answer is flowing
	Connected                         // answered and confirmed
	MediaChanged                      // Info().Streams changed
	Held                              // the far side stopped taking our media
	Resumed
	Keypad   // Digit
	Referred // ReferTo: the far side asks to be connected elsewhere
	Ended    // Cause; the last event

	// Events of a ContentHolder.
	ContentRequested // the far side wants to present: AnswerContent is due
	ContentGranted   // we may present
	ContentRefused
	ContentLost    // we may present no longer
	ContentStarted // the far side presents
	ContentStopped

	CameraCommand // Camera: the far side wants to move the camera it sees
)

// Event is something that happened on a leg.
type Event struct {
	Kind  EventKind
	Cause Cause  // of Ended
	Digit rune   // 0-9 A-D * # of Keypad
	Refer *Refer // of Referred

	Camera h224.Message // of CameraCommand
}

// Refer is a request of the far side to move the call (RFC 3515).
type Refer struct {
	To string // URI
	// Accept answers 202 and later notifies with the outcome given to the
	// returned function, the zero Cause when this call was moved itself and
	// goes on; Refuse answers with the cause.
	Accept func() (notify func(Cause))
	Refuse func(Cause)
}

package rtpconn

import (
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
)

// Config is what a session is made with, before anything was negotiated.
type Config struct {
	// Mux, when not nil, is the pair of sockets that the session shares with others;
	// Pool, Interface and DSCP are of no use then.
	Mux *Mux
	// Pool gives the ports; Local is the address to bind, Interface and DSCP
	// (0..63) are those of the network the far side is reached by.
	Pool      *portpool.Pool
	Local     netip.Addr
	Interface string
	DSCP      uint8

	// Role is what the medium is for. Track IDs begin with it.
	Role media.Role

	Latching Latching
	// Timeout is the silence (no valid RTP and no valid RTCP) after which
	// TimedOut is reported; zero means never. It does not run while the leg is
	// held or the far side is not to send.
	Timeout time.Duration

	// CNAME is the canonical name of the leg (RFC 7022); all sessions of a leg
	// are given the same one. "" draws one.
	CNAME string
	// SSRC of what we send; zero draws one.
	SSRC uint32
	// Clock is shared by the sessions of a leg; nil means WallClock.
	Clock Clock
	// Logger may be nil.
	Logger *zap.Logger

	// OnEvent is told what happened. It is called on the session's own
	// goroutines, one call at a time, while they receive: it must not block,
	// must not call Apply or Close, and must not take a lock that its owner
	// holds while calling them. It may be nil.
	OnEvent func(Event)
	// KeyframeFallback asks the far side for a picture by signalling (SIP
	// INFO, H.245) where neither PLI nor FIR was negotiated. It is called on
	// the session's goroutine, at the rate keyframe requests are limited to,
	// and must not block. It may be nil.
	KeyframeFallback func()
	// BitrateFallback tells the far side by signalling (H.245) to send no more
	// than bps, 0 lifting the bound, where neither TMMBR nor REMB was
	// negotiated. It is called when the bound changes, must not block, and may be
	// nil.
	BitrateFallback func(bps int)
	// Impair, when not nil, says of each datagram sent or received whether it gets
	// through: simulated terminals sit on bad paths by it.
	Impair func(sent bool, octets int) bool
}

// Latching says whether media goes to where it was signalled or to where the
// far side's media comes from.
type Latching uint8

// The modes of latching.
const (
	// LatchOff sends to the signalled address, and takes media from that host
	// only.
	LatchOff Latching = iota
	// LatchAuto follows the source of valid media: from the signalled host and
	// the host that signals at once; from another host only when the signalled
	// address cannot be reached from here (private, unspecified) or the media
	// is authenticated.
	LatchAuto
	// LatchOn follows the first source of valid media, whoever it is.
	LatchOn
)

// ParseLatching reads off, auto or on; ok is false for anything else.
func ParseLatching(s string) (l Latching, ok bool) {
	for l, name := range latchingNames {
		if s == name {
			return Latching(l), true
		}
	}
	return LatchOff, false
}

var latchingNames = [...]string{LatchOff: "off", LatchAuto: "auto", LatchOn: "on"}

func (l Latching) String() string {
	if int(l) < len(latchingNames) {
		return latchingNames[l]
	}
	return "unknown"
}

// Event is something that happened on the medium.
type Event struct {
	Kind  EventKind
	Digit rune  // of Keypad: 0-9 A-D * #, and '!' for a hook flash
	Err   error // of SecurityFailed
	// Source is of Latched: where media now goes to.
	Source netip.AddrPort
	// Bitrate is of SendLimited, in bit/s; 0 lifts the limit.
	Bitrate int
}

// EventKind tells events apart.
type EventKind uint8

// Events of a session.
const (
	Keypad         EventKind = iota + 1 // a digit was pressed (RFC 4733)
	TimedOut                            // nothing valid arrived for Config.Timeout; once per silence
	Recovered                           // media is back after TimedOut
	Latched                             // media is sent to Source from now on
	Secured                             // the DTLS handshake is done and the fingerprint is right
	SecurityFailed                      // the DTLS handshake failed: Err
	Goodbye                             // the far side said BYE for its source
	SendLimited                         // the far side takes no more than Bitrate
)

func (k EventKind) String() string {
	names := [...]string{"", "keypad", "timed out", "recovered", "latched", "secured",
		"security failed", "goodbye", "send limited"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

package media

import "time"

// Stream is one negotiated medium of a peer, as it stands.
type Stream struct {
	Role      Role
	Direction Direction
	// Send is the format the peer takes from us, Recv the one it sends
	// (the first one, where it may change between several).
	Send, Recv Format
	// MaxSend bounds what we may send, in bit/s of media; 0 = no bound.
	MaxSend int
	// Encryption is "none", "srtp" (SDES), "dtls-srtp" or "h235".
	Encryption string
	// Slides: the peer says that its main picture shows slides in place of the camera.
	Slides bool
	// Keypad reports that digits can be sent as RFC 4733 events.
	Keypad bool
}

// StreamStats are the counters of one direction of a Stream since it opened.
type StreamStats struct {
	Role     Role
	Sent     bool // true: what we send; false: what we receive
	Codec    Codec
	Packets  uint64
	Bytes    uint64 // payload
	Lost     uint64 // received: by sequence; sent: as the far side reports
	Jitter   time.Duration
	RTT      time.Duration // zero until known
	Dropped  uint64        // malformed, unauthenticated, from a stranger
	LastSeen time.Time     // of the last valid packet received
	Kbps     int           // over the last second or so
}

// Capabilities is what we are able and willing to do with a peer, in order of
// preference. A stack intersects it with what the far side offers.
type Capabilities struct {
	Audio   []Format // Format.PayloadType is a proposal, used in offers
	Video   []Format
	Content []Format
	// MaxVideo and MaxContent bound what we ask to receive, in bit/s.
	MaxVideo, MaxContent int
	// Rate bounds the whole call in either direction, sound included, in bit/s; 0 = no
	// bound. See Within.
	Rate int
	// Encryption of media: "off", "prefer", "require"; "" leaves it to the
	// policy of the stack. A stricter one wins.
	Encryption string
	// Keypad offers telephone-event for every audio clock rate in Audio.
	Keypad bool
	// Camera takes part in the control of cameras.
	Camera bool
	// Hold asks for a direction that stops the far side's media (re-offer).
	Hold bool
}

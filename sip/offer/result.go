package offer

import (
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/media"
)

// Result is what an exchange agreed on.
type Result struct {
	// Media are the accepted streams, at most one per role, in the order of
	// their m-lines; the control of cameras among them.
	Media []Medium
	// Applications are the m-lines that carry no sound or pictures, whether
	// the far side has them open or not. What was taken of them is in Floor.
	Applications []Application
	// Floor is set when floor control was agreed on.
	Floor *FloorAgreement
	// Held says that the far side takes no audio of ours (or, in a call
	// without audio, no video): sendonly, inactive or c=0.0.0.0.
	Held bool
	// State starts the next exchange.
	State *State
}

// Medium returns the accepted stream of a role, nil if there is none.
func (r *Result) Medium(role media.Role) *Medium {
	for i := range r.Media {
		if r.Media[i].Stream.Role == role {
			return &r.Media[i]
		}
	}
	return nil
}

// Encryption is the weakest of sound and pictures: none, srtp or dtls-srtp.
func (r *Result) Encryption() string {
	weakest := ""
	for _, m := range r.Media {
		switch {
		case m.Stream.Role == media.Camera:
		case m.Stream.Encryption == encryptionNone:
			return encryptionNone
		case weakest == "" || m.Stream.Encryption == encryptionSDES:
			weakest = m.Stream.Encryption
		}
	}
	if weakest == "" {
		return encryptionNone
	}
	return weakest
}

// Values of media.Stream.Encryption.
const (
	encryptionNone = "none"
	encryptionSDES = "srtp"
	encryptionDTLS = "dtls-srtp"
)

// Medium is one accepted stream.
type Medium struct {
	Index int // of the m-line
	// Stream holds role, direction and the formats. Send.H264 and Send.Opus
	// are the limits of the far side's receiver, Recv.H264 and Recv.Opus ours;
	// parameter sets the far side announced are in Recv.
	Stream media.Stream
	// Receive lists everything the far side may send, by payload type;
	// telephone-event and CN included.
	Receive []media.Format
	// SendEvents and RecvEvents are the telephone-event payloads of either
	// direction (RFC 4733); the zero value means none.
	SendEvents, RecvEvents Events
	// ComfortNoise is the CN payload we may send (RFC 3389); nil means none.
	ComfortNoise *media.Format

	// RTP and RTCP are where to send. Invalid addresses mean that the far
	// side gave none that can be used (Host may name it).
	RTP, RTCP netip.AddrPort
	// Host is set where c= held a name instead of an address.
	Host string
	// Mux: RTCP shares the RTP port in both directions (RFC 5761).
	Mux bool
	// ReducedSize: RTCP need not be compound (RFC 5506).
	ReducedSize bool
	// Profile of the m-line in capitals, for example "RTP/SAVPF".
	Profile  string
	Feedback Feedback
	// SRTP is set when keys came in a=crypto, DTLS when they come by
	// handshake; neither when the stream is not encrypted.
	SRTP *SRTP
	DTLS *DTLS

	Label   string // a=label of the far side
	Content string // a=content of the far side
	// Ptime and MaxPtime are what the far side stated; zero: nothing.
	Ptime, MaxPtime time.Duration
}

// Format looks up a payload type among Receive.
func (m *Medium) Format(pt uint8) (media.Format, bool) {
	for _, f := range m.Receive {
		if f.PayloadType == pt {
			return f, true
		}
	}
	return media.Format{}, false
}

// Events is a telephone-event payload.
type Events struct {
	PayloadType uint8
	ClockRate   uint32 // zero: no telephone-event
	Set         EventSet
}

// SRTP holds the keys of either direction (RFC 4568).
type SRTP struct {
	In, Out Crypto
}

// DTLS says how the handshake of DTLS-SRTP goes (RFC 5763).
type DTLS struct {
	// Fingerprints of the far side, one of which its certificate must match.
	Fingerprints []Fingerprint
	// Active: we are the DTLS client.
	Active bool
}

package rtpconn

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// Params is what was negotiated. The zero value of a field means that nothing
// was said about it.
type Params struct {
	// Remote is where the far side wants RTP. The port may be odd.
	Remote netip.AddrPort
	// RemoteRTCP is a=rtcp (RFC 3605); zero means the port after Remote's. It
	// may equal Remote even where Mux was not negotiated.
	RemoteRTCP netip.AddrPort
	// Signalling is the host the signalling comes from, for LatchAuto.
	Signalling netip.Addr
	// Mux is rtcp-mux (RFC 5761). What arrives is told apart in any case.
	Mux bool

	// Direction is as we see it. Held suspends the media time-out.
	Direction media.Direction
	Held      bool

	// Receive maps the payload types the far side may use, and switch between
	// at any packet, to their formats. Comfort noise is a format, telephone
	// events are not: see ReceiveEvents.
	Receive map[uint8]media.Format
	// Send is what we send; its PayloadType is the far side's. A zero Codec
	// means nothing.
	Send media.Format
	// MaxSend bounds what we send, in bit/s; zero means no bound.
	MaxSend int
	// FlowControl is what the far side holds us to in the course of the call (H.245
	// flowControlCommand), in bit/s: as TMMBR it tells of a path. Zero means no bound.
	FlowControl int

	// ReceiveEvents maps payload types of telephone events to clock rates.
	ReceiveEvents map[uint8]uint32
	// SendEvents is how we send digits; a zero ClockRate means not at all.
	SendEvents EventFormat

	// AudioLevel is the identifier under which the far side sends the header
	// extension of RFC 6464; zero means it does not.
	AudioLevel uint8

	Feedback  Feedback
	Security  Security
	Traversal Traversal
}

// EventFormat is a payload type for telephone events.
type EventFormat struct {
	PayloadType uint8
	ClockRate   uint32
}

// Feedback is what the far side was agreed to understand (RFC 4585, RFC 5104).
// Feedback that comes in unagreed is honoured all the same.
type Feedback struct {
	// AVPF is the profile with early feedback and shorter report intervals.
	AVPF  bool
	NACK  bool
	PLI   bool
	FIR   bool
	TMMBR bool
	REMB  bool
}

// Security is how media is protected: not at all, by SDES keys, by DTLS, or by the
// payload keys of H.235.6.
type Security struct {
	// Send and Receive are the SDES keys, both or neither.
	Send, Receive *secure.Key
	DTLS          *DTLS
	H235          *H235
}

// DTLS is what was signalled for DTLS-SRTP (RFC 5763).
type DTLS struct {
	// Client is a=setup:active on our side.
	Client bool
	// Fingerprints of the far side's certificate.
	Fingerprints []secure.Fingerprint
}

// Encryption names the protection in the words of media.Stream.
func (s Security) Encryption() string {
	switch {
	case s.DTLS != nil:
		return "dtls-srtp"
	case s.Send != nil:
		return "srtp"
	case s.H235 != nil:
		return "h235"
	}
	return "none"
}

// ErrSecurity is returned for contradicting or incomplete security parameters.
var ErrSecurity = errors.New("security parameters")

func (s Security) validate() error {
	if (s.Send == nil) != (s.Receive == nil) {
		return fmt.Errorf("%w: a key for one direction only", ErrSecurity)
	}
	if s.DTLS != nil && s.Send != nil {
		return fmt.Errorf("%w: both sdes and dtls", ErrSecurity)
	}
	if s.DTLS != nil && len(s.DTLS.Fingerprints) == 0 {
		return fmt.Errorf("%w: dtls without a fingerprint", ErrSecurity)
	}
	if s.H235 != nil {
		if s.Send != nil || s.DTLS != nil {
			return fmt.Errorf("%w: both srtp and h.235", ErrSecurity)
		}
		return s.H235.validate()
	}
	if s.Send == nil {
		return nil
	}
	if err := s.Send.Validate(); err != nil {
		return fmt.Errorf("%w: send: %w", ErrSecurity, err)
	}
	if err := s.Receive.Validate(); err != nil {
		return fmt.Errorf("%w: receive: %w", ErrSecurity, err)
	}
	return nil
}

func (p Params) validate() error {
	for pt, f := range p.Receive {
		if pt > 127 || f.ClockRate == 0 {
			return fmt.Errorf("receive payload type %d (%v): want 0 to 127 and a clock rate", pt, f)
		}
	}
	for pt, rate := range p.ReceiveEvents {
		if pt > 127 || rate == 0 {
			return fmt.Errorf("event payload type %d at %d Hz: want 0 to 127 and a clock rate", pt, rate)
		}
	}
	if p.Send.Codec != "" && (p.Send.PayloadType > 127 || p.Send.ClockRate == 0) {
		return fmt.Errorf("send payload type %d (%v): want 0 to 127 and a clock rate", p.Send.PayloadType, p.Send)
	}
	if p.AudioLevel > 14 {
		return fmt.Errorf("audio level extension %d: want 0 to 14", p.AudioLevel)
	}
	if p.MaxSend < 0 || p.FlowControl < 0 {
		return fmt.Errorf("send limit %d, flow control %d bit/s: must not be negative", p.MaxSend, p.FlowControl)
	}
	if err := p.Traversal.validate(); err != nil {
		return err
	}
	return p.Security.validate()
}

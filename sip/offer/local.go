package offer

import (
	"io"
	"net/netip"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h224"
)

// Policy says what to do about media encryption.
type Policy uint8

// Policies. Off never encrypts: lines with a secure profile are refused.
// Prefer encrypts when the far side can. Require refuses what is not encrypted,
// see EncryptionRequiredError.
const (
	Off Policy = iota
	Prefer
	Require
)

func (p Policy) String() string {
	switch p {
	case Prefer:
		return "prefer"
	case Require:
		return "require"
	}
	return "off"
}

// ParsePolicy reads the configuration's word: off, prefer or require.
func ParsePolicy(word string) (Policy, bool) {
	switch word {
	case "off":
		return Off, true
	case "prefer", "":
		return Prefer, true
	case "require":
		return Require, true
	}
	return Off, false
}

// Local is our side of a negotiation.
type Local struct {
	Capabilities media.Capabilities
	// Address is what we advertise in o= and in c=.
	Address netip.Addr
	// Transport tells by role where we receive. A role whose RTP port is zero
	// is refused, and not offered.
	Transport [media.Camera + 1]Transport
	// User, ID and Name fill o= and s= of the first body of a dialog ("-" and
	// "-" when empty); later ones repeat them. Version is the first version.
	User, Name  string
	ID, Version uint64

	Encryption Policy
	// Secure says that the signalling is encrypted all the way to the peer we
	// talk to. Under Prefer keys are offered only then (RFC 4568 §8.3); keys
	// offered to us are answered in any case.
	Secure bool
	// Suites are the SRTP suites we use, in the order we offer them; of an
	// offer the first line with one of them is taken. Nil means DefaultSuites.
	Suites []Suite
	// Rand gives key material: crypto/rand.Reader but in tests. It is read
	// only when a new key is needed.
	Rand io.Reader
	// Fingerprint identifies our DTLS certificate; the zero value means that
	// DTLS-SRTP is not answered.
	Fingerprint Fingerprint
	// Mux offers rtcp-mux; offered to us it is always taken.
	Mux bool
	// Floor is our side of floor control; nil refuses it and offers none.
	Floor *LocalFloor
	// Extend makes an offer within a dialog ask again for every role the
	// capabilities have, also for those the far side refused or never had: for
	// an INVITE without an offer, or to add video or content. Without it such
	// an offer (hold, resume) keeps to the lines that are open.
	Extend bool
}

// Transport is where we receive one medium.
type Transport struct {
	// Address, when valid, is advertised in place of Local.Address.
	Address netip.Addr
	// RTP and RTCP are ports; RTCP zero means RTP+1.
	RTP, RTCP uint16
}

func (t Transport) rtcp() uint16 {
	if t.RTCP == 0 {
		return t.RTP + 1
	}
	return t.RTCP
}

// address is what is advertised for a role.
func (l *Local) address(role media.Role) netip.Addr {
	if a := l.Transport[role].Address; a.IsValid() {
		return a.Unmap().WithZone("")
	}
	return l.Address.Unmap().WithZone("")
}

// formats are our codecs for a role, in order of preference.
func (l *Local) formats(role media.Role) []media.Format {
	switch role {
	case media.Audio:
		return l.Capabilities.Audio
	case media.Main:
		return l.Capabilities.Video
	case media.Camera:
		if l.Capabilities.Camera {
			return []media.Format{h224.Format}
		}
		return nil
	}
	return l.Capabilities.Content
}

// maxReceive is the bandwidth we ask for, in bit/s; zero means no limit.
func (l *Local) maxReceive(role media.Role) int {
	switch role {
	case media.Main:
		return l.Capabilities.MaxVideo
	case media.Content:
		return l.Capabilities.MaxContent
	}
	return 0
}

// withinRate bounds what is sent by the rate of the call.
func (l *Local) withinRate(m *Medium) {
	if most := l.Capabilities.PictureRate(m.Stream.Role); most > 0 && (m.Stream.MaxSend == 0 || most < m.Stream.MaxSend) {
		m.Stream.MaxSend = most
	}
}

// direction is what we want of every stream.
func (l *Local) direction() media.Direction {
	if l.Capabilities.Hold {
		return media.SendOnly
	}
	return media.SendRecv
}

func (l *Local) suites() []Suite {
	if l.Suites == nil {
		return DefaultSuites()
	}
	return l.Suites
}

package control

import (
	"io"
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// Config is what a session is made of. Send, Emit and Local are required.
type Config struct {
	// Capabilities is what we can do, best first.
	Capabilities media.Capabilities
	// TerminalType decides who is master (H.323 Table 1); zero means a gateway, 60.
	TerminalType uint8

	// Send takes the messages for the far side.
	Send func(*h245.MultimediaSystemControlMessage)
	// Emit takes what happened.
	Emit func(Event)
	// Local gives the addresses on which a role's media is received, and opens
	// them when asked first. An error refuses the channel.
	Local func(media.Role) (Transport, error)

	// Encryption of media: "off", "prefer" or "require"; "" is off. The stricter one of
	// this and Capabilities.Encryption counts.
	Encryption string
	// Security holds the secrets both sides agreed on in call signalling; nil when there
	// are none, and media goes in clear, or not at all where encryption is required.
	Security Security
	// Traversal adds the parameters of H.460.19 to channels; nil without it.
	Traversal Traversal

	// Identity is what we tell about ourselves.
	Identity Identity
	// Yields lets the far side win when both ask for the token at once: who asks there is
	// a person, and here a gateway that wants to show something.
	Yields bool
	// KeepAlive is the interval of roundTripDelayRequest; zero sends none.
	KeepAlive time.Duration
	// Timeout is how long an answer is waited for (T101, T103, T106..); zero means 10 s.
	Timeout time.Duration
	// Rand is the source of random numbers; nil means crypto/rand.
	Rand io.Reader
}

// Transport is where a role's media is received.
type Transport struct{ RTP, RTCP netip.AddrPort }

// Identity is what we tell about ourselves.
type Identity struct {
	Vendor           h245.NonStandardIdentifier // of vendorIdentification; none is sent without it
	Product, Version string
	// Name answers requests for the terminal's identity (H.243).
	Name  string
	label h245.TerminalLabel // as the far side numbered us
}

// Security makes and reads the keys of media channels (H.235.6). The master of the call
// makes the keys of both directions.
type Security interface {
	// Algorithms of media encryption that both sides can do, best first; empty when
	// the exchange of call signalling gave no secret.
	Algorithms() []per.OID
	// NewKey makes the session key of a channel. synch is the payload type of the
	// encrypted stream, which is the synchFlag.
	NewKey(algorithm per.OID, synch uint8) (*Key, *h245.EncryptionSync, error)
	// ReadKey takes a session key out of what the master sent.
	ReadKey(algorithm per.OID, sync *h245.EncryptionSync) (*Key, error)
}

// Key protects the media of one channel.
type Key struct {
	Algorithm per.OID
	Synch     uint8 // payload type the key belongs to
	Key       []byte
	Salt      []byte // of the enhanced modes, nil otherwise
}

// Traversal adds the parameters of H.460.19 to logical channels, and reads those of the
// far side. Addresses that it replaces are its own matter. One with a method Enabled() bool
// may be there for calls that turn out not to need it.
type Traversal interface {
	// Offer gives the genericInformation of a channel that we open.
	Offer(Channel) []h245.GenericMessage
	// Answer takes that of a channel they open, and gives that of our acknowledgement.
	Answer(c Channel, theirs []h245.GenericMessage) []h245.GenericMessage
	// Acknowledged takes that of their acknowledgement.
	Acknowledged(c Channel, theirs []h245.GenericMessage)
}

// Channel names a logical channel.
type Channel struct {
	Number  uint16 // of the side that opened it
	Role    media.Role
	Session uint8
	Sends   bool // we send on it
	// PayloadType of its media.
	PayloadType uint8
}

package offer

import "net/netip"

// ApplicationKind tells what an m-line that is neither sound nor picture is
// for.
type ApplicationKind string

// Kinds of application lines.
const (
	BFCPLine  ApplicationKind = "bfcp" // floor control, RFC 8856
	H224Line  ApplicationKind = "h224" // far-end camera control, RFC 4573
	IXLine    ApplicationKind = "ix"   // Cisco's iX channel
	OtherLine ApplicationKind = "other"
)

// Application is one such m-line as the far side has it.
type Application struct {
	Index   int
	Kind    ApplicationKind
	Profile string // "UDP/BFCP", "TCP/BFCP", "RTP/AVP" ..
	// Address is where the far side listens; the port is zero when it has the
	// line closed.
	Address netip.AddrPort
	// PayloadType of H.224 in RTP.
	PayloadType uint8
	Setup       string // active, passive, actpass, holdconn or empty
	Connection  string // new, existing or empty
	BFCP        *BFCP  // set on a BFCPLine
}

// BFCP are the facts of a floor control line (RFC 8856 §5).
type BFCP struct {
	// Client and Server: the roles the far side is ready to take. Both are
	// false where it said nothing.
	Client, Server bool
	ConferenceID   uint32
	UserID         uint16
	Floors         []Floor
	Versions       []uint8 // a=bfcpver
}

// Floor ties a floor to the labels of the streams it controls.
type Floor struct {
	ID     uint16
	Labels []string // may name labels that no m-line has
}

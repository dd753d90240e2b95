package offer

import (
	"net/netip"

	"github.com/pion/sdp/v3"

	"github.com/roomgate/roomgate/media"
)

// Description is a session description as it was received.
type Description struct {
	// Session holds the lines that could be read, in pion's model.
	Session sdp.SessionDescription
	// Sections are the m-lines, in order.
	Sections []Section
	// Skipped counts the lines that could not be read.
	Skipped int
}

// Section is one m-line and what belongs to it, in the sense of whoever wrote
// it: SendOnly means that the writer sends.
type Section struct {
	Index   int
	Kind    string // audio, video, application .. as written
	Port    int    // zero: closed
	Profile string // RTP/AVP .. as written
	Formats []string
	// Address is the c= in force; invalid where there is none or a name,
	// which then stands in Host.
	Address   netip.Addr
	Host      string
	RTCP      netip.AddrPort // a=rtcp; zero port: not stated
	Direction media.Direction
	Mux       bool
	Label     string
	Content   string
}

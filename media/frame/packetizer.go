package frame

import (
	"math/rand/v2"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// Packetizer makes packets of coded pictures for the next writer. It sets
// sequence number, timestamp and marker. Not for concurrent use.
type Packetizer struct {
	next     media.Writer
	room     int // payload bytes a packet has room for
	write    func(f *Frame, side []byte) error
	h264     *h264.Packetizer
	sequence uint16
	packet   rtp.Packet
	payload  []byte
	picture  uint16 // PictureID of VP8
}

const rtpHeader = 12

// NewPacketizer writes packets of the format, none longer than maxPacket bytes
// with the RTP header (0 = h264.DefaultPacket).
func NewPacketizer(next media.Writer, f media.Format, maxPacket int) (*Packetizer, error) {
	if maxPacket <= 0 {
		maxPacket = h264.DefaultPacket
	}
	p := &Packetizer{
		next: next, room: max(maxPacket-rtpHeader, 64), sequence: uint16(rand.Uint32N(1 << 15)),
		packet: rtp.Packet{Header: rtp.Header{Version: 2}}, picture: uint16(rand.Uint32N(1 << 15)),
	}
	switch c := f.Codec; {
	case c.Is(string(media.H264)):
		p.h264 = h264.NewPacketizer(next, f.H264.PacketizationMode, maxPacket)
		p.write = p.writeH264
	case c.Is(string(media.VP8)):
		p.write = p.writeVP8
	case c.Is(string(media.H263)):
		p.write = p.writeH263
	case c.Is(string(media.H263Plus)), c.Is(string(media.H2632000)):
		p.write = p.writeH263Plus
	case c.Is(string(media.H261)):
		p.write = p.writeH261
	default:
		return nil, ErrCodec
	}
	return p, nil
}

// Room is how long a piece may be to travel in one packet.
func (p *Packetizer) Room() int { return p.room }

// Write sends one picture. side is what the encoder says about the places of
// macroblocks in H.263. The error is the next writer's.
func (p *Packetizer) Write(f Frame, side []byte) error {
	if len(f.Data) == 0 {
		return nil
	}
	return p.write(&f, side)
}

// Skip leaves a sequence number out, so that the far side sees a loss.
func (p *Packetizer) Skip() {
	if p.h264 != nil {
		p.h264.Skip()
		return
	}
	p.sequence++
}

func (p *Packetizer) send(timestamp uint32, last bool) error {
	p.packet.SequenceNumber = p.sequence
	p.packet.Timestamp = timestamp
	p.packet.Marker = last
	p.packet.Payload = p.payload
	p.sequence++
	return p.next.WriteRTP(&p.packet)
}

func (p *Packetizer) writeH264(f *Frame, _ []byte) error {
	rest := f.Data
	for len(rest) > 0 {
		var nal []byte
		nal, rest = h264.NextAnnexB(rest)
		if len(nal) == 0 {
			continue
		}
		if err := p.h264.Write(h264.Unit{NAL: nal, Timestamp: f.Timestamp, Last: len(rest) == 0}); err != nil {
			return err
		}
	}
	return nil
}

// writeVP8 sends a frame as one partition, with PictureIDs of 15 bits.
func (p *Packetizer) writeVP8(f *Frame, _ []byte) error {
	const header, extended, start, pictureID, long = 4, 0x80, 0x10, 0x80, 0x80
	p.picture = (p.picture + 1) & 0x7fff
	first := byte(extended | start)
	return p.pieces(f.Data, header, func(n int) {
		p.payload = append(p.payload[:0], first, pictureID, long|byte(p.picture>>8), byte(p.picture))
		first = extended
	}, f.Timestamp)
}

// pieces sends data in packets of about equal length, each behind a header of
// so many bytes that begin writes.
func (p *Packetizer) pieces(data []byte, header int, begin func(piece int), timestamp uint32) error {
	room := p.room - header
	count := (len(data) + room - 1) / room
	for i := range count {
		n := (len(data) + count - i - 1) / (count - i)
		begin(i)
		p.payload = append(p.payload, data[:n]...)
		data = data[n:]
		if err := p.send(timestamp, len(data) == 0); err != nil {
			return err
		}
	}
	return nil
}

// writeH263Plus is RFC 4629: any cut will do, those at start codes leave out
// their two zero bytes.
func (p *Packetizer) writeH263Plus(f *Frame, _ []byte) error {
	const startCode = 0x04
	data := f.Data
	for len(data) > 0 {
		n := len(data)
		p.payload = append(p.payload[:0], 0, 0)
		if len(data) > 2 && data[0] == 0 && data[1] == 0 {
			p.payload[0] = startCode
			data, n = data[2:], n-2
		}
		if n > p.room-2 {
			n = lastStart(data, p.room-2)
		}
		p.payload = append(p.payload, data[:n]...)
		data = data[n:]
		if err := p.send(f.Timestamp, len(data) == 0); err != nil {
			return err
		}
	}
	return nil
}

// lastStart finds the last start code (16 zeros and a one) that stands on a
// byte within the first room bytes, or gives room.
func lastStart(data []byte, room int) int {
	for i := room; i > 1; i-- {
		if i+2 < len(data) && data[i] == 0 && data[i+1] == 0 && data[i+2]&0x80 != 0 {
			return i
		}
	}
	return room
}

// Package pcap reads and writes packet captures (the classic libpcap format with
// Ethernet frames), as far as tests of the H.323 protocols need them: UDP datagrams and
// TCP streams put together again.
package pcap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Packet is a datagram, or a segment of a TCP stream.
type Packet struct {
	Frame    int // number in the capture, from 1
	From, To netip.AddrPort
	TCP      bool
	Sequence uint32
	SYN      bool
	Payload  []byte
}

const (
	headerSize = 24
	recordSize = 16
	magic      = 0xA1B2C3D4
	ethernet   = 1
)

var errFormat = errors.New("pcap: not a little-endian capture of Ethernet frames")

// Parse gives the UDP and TCP packets of a capture.
func Parse(data []byte) ([]Packet, error) {
	if len(data) < headerSize || binary.LittleEndian.Uint32(data) != magic || binary.LittleEndian.Uint32(data[20:]) != ethernet {
		return nil, errFormat
	}
	data = data[headerSize:]
	var packets []Packet
	for frame := 1; len(data) > 0; frame++ {
		if len(data) < recordSize {
			return nil, fmt.Errorf("pcap: frame %d: cut", frame)
		}
		n := int(binary.LittleEndian.Uint32(data[8:]))
		if data = data[recordSize:]; n > len(data) {
			return nil, fmt.Errorf("pcap: frame %d: cut", frame)
		}
		if p, ok := parseFrame(data[:n]); ok {
			p.Frame = frame
			packets = append(packets, p)
		}
		data = data[n:]
	}
	return packets, nil
}

// parseFrame takes an IPv4 packet of TCP or UDP out of an Ethernet frame.
func parseFrame(frame []byte) (p Packet, ok bool) {
	if len(frame) < 14+20 || frame[12] != 8 || frame[13] != 0 {
		return p, false
	}
	ip := frame[14:]
	header, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	if total > len(ip) || header+8 > total {
		return p, false
	}
	from, _ := netip.AddrFromSlice(ip[12:16])
	to, _ := netip.AddrFromSlice(ip[16:20])
	segment := ip[header:total]
	p.From = netip.AddrPortFrom(from, binary.BigEndian.Uint16(segment))
	p.To = netip.AddrPortFrom(to, binary.BigEndian.Uint16(segment[2:]))
	switch ip[9] {
	case 17:
		p.Payload = segment[8:]
		return p, true
	case 6:
		if len(segment) < 20 || int(segment[12]>>4)*4 > len(segment) {
			return p, false
		}
		p.TCP, p.Sequence, p.SYN = true, binary.BigEndian.Uint32(segment[4:]), segment[13]&2 != 0
		p.Payload = segment[int(segment[12]>>4)*4:]
		return p, true
	}
	return p, false
}

// Stream is one direction of a TCP connection.
type Stream struct {
	Frame    int // of its first octet
	From, To netip.AddrPort
	Data     []byte
}

// Streams puts the TCP streams of a capture together, up to the first gap.
func Streams(packets []Packet) []*Stream {
	type key struct{ from, to netip.AddrPort }
	type assembly struct {
		*Stream
		next    uint32
		pending map[uint32][]byte
	}
	open := map[key]*assembly{}
	var list []*Stream
	for _, p := range packets {
		if !p.TCP {
			continue
		}
		k := key{p.From, p.To}
		s := open[k]
		if s == nil || p.SYN {
			s = &assembly{Stream: &Stream{Frame: p.Frame, From: p.From, To: p.To}, next: p.Sequence, pending: map[uint32][]byte{}}
			if p.SYN {
				s.next++
			}
			open[k] = s
			list = append(list, s.Stream)
		}
		if len(p.Payload) > 0 {
			s.pending[p.Sequence] = p.Payload
		}
		for b := s.pending[s.next]; b != nil; b = s.pending[s.next] {
			delete(s.pending, s.next)
			s.Data = append(s.Data, b...)
			s.next += uint32(len(b))
		}
	}
	return list
}

package pcap

import (
	"encoding/binary"
	"net/netip"
)

// Writer makes a capture of packets that were never on a wire.
type Writer struct {
	buf      []byte
	sequence map[[2]netip.AddrPort]uint32
}

// Bytes gives the capture so far.
func (w *Writer) Bytes() []byte { return w.buf }

// UDP adds a datagram.
func (w *Writer) UDP(from, to netip.AddrPort, payload []byte) {
	header := make([]byte, 8)
	binary.BigEndian.PutUint16(header, from.Port())
	binary.BigEndian.PutUint16(header[2:], to.Port())
	binary.BigEndian.PutUint16(header[4:], uint16(8+len(payload)))
	w.frame(17, from, to, append(header, payload...))
}

// TCP adds a segment behind the last one of its direction. The handshake is not written.
func (w *Writer) TCP(from, to netip.AddrPort, payload []byte) {
	if w.sequence == nil {
		w.sequence = map[[2]netip.AddrPort]uint32{}
	}
	key := [2]netip.AddrPort{from, to}
	const largest = 1400
	for len(payload) > 0 {
		n := min(largest, len(payload))
		header := make([]byte, 20)
		binary.BigEndian.PutUint16(header, from.Port())
		binary.BigEndian.PutUint16(header[2:], to.Port())
		binary.BigEndian.PutUint32(header[4:], 1+w.sequence[key])
		binary.BigEndian.PutUint32(header[8:], 1)
		header[12], header[13] = 5<<4, 0x18
		binary.BigEndian.PutUint16(header[14:], 65535)
		w.frame(6, from, to, append(header, payload[:n]...))
		w.sequence[key] += uint32(n)
		payload = payload[n:]
	}
}

func (w *Writer) frame(protocol byte, from, to netip.AddrPort, segment []byte) {
	if w.buf == nil {
		header := make([]byte, headerSize)
		binary.LittleEndian.PutUint32(header, magic)
		binary.LittleEndian.PutUint16(header[4:], 2)
		binary.LittleEndian.PutUint16(header[6:], 4)
		binary.LittleEndian.PutUint32(header[16:], 1<<18)
		binary.LittleEndian.PutUint32(header[20:], ethernet)
		w.buf = header
	}
	ip := make([]byte, 14+20)
	ip[12] = 8
	ip[14], ip[14+8], ip[14+9] = 0x45, 64, protocol
	binary.BigEndian.PutUint16(ip[14+2:], uint16(20+len(segment)))
	a, b := from.Addr().As4(), to.Addr().As4()
	copy(ip[14+12:], a[:])
	copy(ip[14+16:], b[:])
	packet := append(ip, segment...)
	record := make([]byte, recordSize)
	binary.LittleEndian.PutUint32(record[8:], uint32(len(packet)))
	binary.LittleEndian.PutUint32(record[12:], uint32(len(packet)))
	w.buf = append(append(w.buf, record...), packet...)
}

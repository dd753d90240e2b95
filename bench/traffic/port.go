package traffic

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Port is a UDP socket that many streams share; they are told apart by where
// their packets come from.
type Port struct {
	conn *net.UDPConn
	done chan struct{}

	mu      sync.RWMutex
	streams map[netip.AddrPort]*Stream
}

// NewPort binds address, any free port.
func NewPort(address netip.Addr) (*Port, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		return nil, fmt.Errorf("media socket: %w", err)
	}
	_ = conn.SetReadBuffer(4 << 20) // as much as the system allows
	p := &Port{conn: conn, done: make(chan struct{}), streams: map[netip.AddrPort]*Stream{}}
	go p.read()
	return p, nil
}

// Addr is what a session description names.
func (p *Port) Addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Close releases the socket.
func (p *Port) Close() {
	_ = p.conn.Close()
	<-p.done
}

// Open begins a stream to and from a far address. received, if not nil, sees
// each packet as it comes and must not keep it.
func (p *Port) Open(far netip.AddrPort, payloadType uint8, received func(now time.Time, payload []byte)) *Stream {
	s := &Stream{port: p, far: far, received: received}
	s.packet = make([]byte, headerSize, 1500)
	s.packet[0], s.kind = 2<<6, payloadType
	binary.BigEndian.PutUint32(s.packet[8:], uint32(far.Port())<<16|0x5eed)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams[far] = s
	return s
}

func (p *Port) read() {
	defer close(p.done)
	buf := make([]byte, 2048)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < headerSize || buf[1]&0x7f >= 72 && buf[1]&0x7f <= 79 { // RTCP of a multiplexing sender
			continue
		}
		p.mu.RLock()
		s := p.streams[from]
		p.mu.RUnlock()
		if s != nil {
			s.take(buf[:n])
		}
	}
}

const headerSize = 12 // of RTP without extensions

// Stream is what one call sends and receives of one kind.
type Stream struct {
	port     *Port
	far      netip.AddrPort
	received func(now time.Time, payload []byte)

	packet    []byte // of the sender alone
	kind      uint8
	sequence  uint16
	timestamp uint32

	packets, bytes atomic.Uint64
	frames         atomic.Uint64 // packets with a marker
	first          atomic.Int64  // Unix nanoseconds of the first packet
}

func (s *Stream) take(b []byte) {
	now := time.Now()
	s.packets.Add(1)
	s.bytes.Add(uint64(len(b)))
	if b[1]&0x80 != 0 {
		s.frames.Add(1)
	}
	if s.first.Load() == 0 {
		s.first.Store(now.UnixNano())
	}
	if s.received == nil {
		return
	}
	start := headerSize + int(b[0]&15)*4
	if b[0]&0x10 != 0 && len(b) >= start+4 { // a header extension
		start += 4 + 4*int(binary.BigEndian.Uint16(b[start+2:]))
	}
	if start <= len(b) {
		s.received(now, b[start:])
	}
}

// Packets is how many came so far.
func (s *Stream) Packets() uint64 { return s.packets.Load() }

// Frames is how many pictures, or other things that end with a marker, came so
// far.
func (s *Stream) Frames() uint64 { return s.frames.Load() }

// Send sends one payload; step is how far the timestamp moves after it.
func (s *Stream) Send(payload []byte, marker bool, step uint32) {
	s.packet[1] = s.kind
	if marker {
		s.packet[1] |= 0x80
	}
	binary.BigEndian.PutUint16(s.packet[2:], s.sequence)
	binary.BigEndian.PutUint32(s.packet[4:], s.timestamp)
	s.sequence++
	s.timestamp += step
	s.packet = append(s.packet[:headerSize], payload...)
	_, _ = s.port.conn.WriteToUDPAddrPort(s.packet, s.far) // what is lost is counted at the other side
}

// Close forgets the stream.
func (s *Stream) Close() {
	s.port.mu.Lock()
	defer s.port.mu.Unlock()
	if s.port.streams[s.far] == s {
		delete(s.port.streams, s.far)
	}
}

package rtpconn

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Traversal is what was agreed on for media through a firewall (H.460.19).
type Traversal struct {
	// Serves: the far side is behind the firewall. It opens the way with packets that
	// have a header and no payload, or with nothing in them, and media goes to where
	// they come from.
	Serves bool
	// SendID is the identifier that the far side wants before each datagram; nil for
	// none.
	SendID *uint32
	// KeepAlive is what we open the way with, when we are behind the firewall.
	KeepAlive KeepAlive
}

// KeepAlive says how we keep a way through a firewall open. RTCP keeps its own.
type KeepAlive struct {
	To          netip.AddrPort // the keepAliveChannel; invalid for none
	PayloadType uint8          // must not be that of media
	Interval    time.Duration
}

func (t Traversal) validate() error {
	k := t.KeepAlive
	if k.To.IsValid() && (k.PayloadType > 127 || k.Interval < time.Second) {
		return fmt.Errorf("keep-alive of payload type %d every %v: want 0 to 127, and a second at least", k.PayloadType, k.Interval)
	}
	return nil
}

// pinged notes a keep-alive: before there is media it shows where ours is to go.
func (s *Session) pinged(from netip.AddrPort, now time.Time) {
	agreed := s.agreed.Load()
	if agreed == nil || !agreed.Traversal.Serves || !s.route.admits(from, now) {
		return
	}
	if moved := s.route.confirm(from, now); moved.IsValid() {
		s.emit(Event{Kind: Latched, Source: moved})
	}
}

// pinhole is the state of our own keep-alives.
type pinhole struct {
	to     netip.AddrPort
	sent   int
	at     time.Time
	seq    uint16
	ssrc   uint32
	header [headerSize]byte
}

// opening is how many keep-alives are sent at once, since one may be lost and media
// waits for them.
const opening = 3

// pierce sends a keep-alive when one is due (H.460.19).
func (s *Session) pierce(agreed *agreement, p *pinhole, now time.Time) {
	k := agreed.Traversal.KeepAlive
	if !k.To.IsValid() {
		p.to = netip.AddrPort{}
		return
	}
	if k.To != p.to {
		*p = pinhole{to: k.To, seq: uint16(rand.UintN(1 << 15)), ssrc: rand.Uint32()}
	}
	if p.sent >= opening && now.Sub(p.at) < k.Interval {
		return
	}
	p.sent, p.at = p.sent+1, now
	p.seq++
	p.header[0], p.header[1] = 2<<6, k.PayloadType
	binary.BigEndian.PutUint16(p.header[2:], p.seq)
	binary.BigEndian.PutUint32(p.header[8:], p.ssrc)
	rtp, _ := s.ports.conns()
	// Whether it arrives does not matter: another one follows.
	_ = s.transmit(rtp, p.header[:], k.To)
}

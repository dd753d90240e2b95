package rtpconn

import (
	"encoding/binary"
	"net/netip"

	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/udp"
)

// sockets is what a session sends and receives by: a pair of its own, or a share of a
// Mux.
type sockets interface {
	// local are the addresses to tell the far side.
	local() (rtp, rtcp netip.AddrPort)
	// conns are the sockets to send by.
	conns() (rtp, rtcp udp.Socket)
	// following is the socket to send packets of a picture by that others follow.
	following() udp.Socket
	// serve hands what arrives to the session's receive, until close.
	serve(*Session) error
	close() error
}

// own is a pair of sockets that no other session uses.
type own struct {
	pair      *portpool.Pair
	rtp, rtcp udp.Socket // since serve
	pictures  udp.Socket // rtp as it takes packets of pictures that others follow; since serve
}

func (o *own) local() (rtp, rtcp netip.AddrPort) {
	a := o.pair.Addr
	return a, netip.AddrPortFrom(a.Addr(), a.Port()+1)
}

func (o *own) conns() (rtp, rtcp udp.Socket) { return o.rtp, o.rtcp }
func (o *own) following() udp.Socket         { return o.pictures }
func (o *own) close() error                  { return o.pair.Close() }

func (o *own) serve(s *Session) (err error) {
	take := func(b []byte, from netip.AddrPort) { s.receive(b, unmap(from)) }
	o.rtp, o.rtcp, err = o.pair.Serve(take, take)
	o.pictures = o.rtp
	if more, ok := o.rtp.(udp.More); ok {
		o.pictures = together{more}
	}
	return err
}

// together sends what others follow together with these.
type together struct{ udp.More }

func (t together) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return t.WriteMore(b, to)
}

// prefix is the room that an identifier takes before a datagram (H.460.19).
const prefix = 4

// transmit sends a datagram, behind the identifier that the far side wants to see.
func (s *Session) transmit(conn udp.Socket, b []byte, to netip.AddrPort) error {
	if s.cfg.Impair != nil && !s.cfg.Impair(true, len(b)) {
		return nil
	}
	agreed := s.agreed.Load()
	if agreed == nil || agreed.Traversal.SendID == nil {
		_, err := conn.WriteToUDPAddrPort(b, to)
		return err
	}
	buf := datagrams.Get().(*[maxDatagram]byte)
	defer datagrams.Put(buf)
	binary.BigEndian.PutUint32(buf[:], *agreed.Traversal.SendID)
	n := copy(buf[prefix:], b)
	_, err := conn.WriteToUDPAddrPort(buf[:prefix+n], to)
	return err
}

func openSockets(cfg Config) (sockets, error) {
	if cfg.Mux != nil {
		return cfg.Mux.join(cfg.Local)
	}
	pair, err := cfg.Pool.Pair(cfg.Local, portpool.Options{
		Interface: cfg.Interface, DSCP: cfg.DSCP, ReadBuffer: readBuffer(cfg.Role),
	})
	if err != nil {
		return nil, err
	}
	return &own{pair: pair}, nil
}

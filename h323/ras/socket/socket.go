// Package socket holds the UDP sockets of RAS (ITU-T H.225.0 clause 7.1 and annex on
// discovery): any number of them, and one that hears searches sent to the group
// 224.0.1.41, port 1718. Answers leave from the address that the question was sent to,
// which matters on hosts with several.
package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/roomgate/roomgate/h323/ras"
)

// Group is where terminals search for a gatekeeper.
var Group = netip.MustParseAddrPort("224.0.1.41:1718")

// largest datagram; RAS messages with many aliases are larger than an MTU.
const largest = 64 << 10

// burst, in octets, is what all terminals send at once after an outage of the network.
const burst = 4 << 20

// Set is sockets that belong together.
type Set struct {
	// Warnings is why the group could not be joined; the set works without.
	Warnings []error

	sockets []*socket
	group   *net.UDPConn
	once    sync.Once
	closed  error
}

// socket is one of a set.
type socket struct {
	conn *net.UDPConn
	at   netip.AddrPort
}

// Open binds addresses of the form host:port, and the group when discovery is wanted.
// An address that cannot be bound is an error, the group is not: another gatekeeper on
// the host may have it.
func Open(addresses []string, discovery bool) (*Set, error) {
	s := &Set{}
	for _, a := range addresses {
		one, err := bind(a)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("RAS: %w", err), s.Close())
		}
		s.sockets = append(s.sockets, one)
	}
	if discovery {
		group, err := joinGroup()
		if err != nil {
			s.Warnings = append(s.Warnings, err)
		}
		s.group = group
	}
	return s, nil
}

func bind(address string) (*socket, error) {
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	conn := packets.(*net.UDPConn)
	_ = conn.SetReadBuffer(burst) // the system may allow less
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	// Which of our addresses a datagram was sent to is told for wildcard sockets only.
	// A system that does not tell leaves the choice of the source to its routes.
	if at.Addr().IsUnspecified() {
		if at.Addr().Is4() {
			_ = ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst, true)
		} else {
			_ = ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst, true)
			_ = ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst, true)
		}
	}
	return &socket{conn, at}, nil
}

// joinGroup listens for searches on every interface that can hear them.
func joinGroup() (*net.UDPConn, error) {
	conn, err := net.ListenMulticastUDP("udp4", nil, net.UDPAddrFromAddrPort(Group))
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return conn, nil // the system's choice has joined
	}
	p := ipv4.NewPacketConn(conn)
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagMulticast != 0 {
			_ = p.JoinGroup(&i, &net.UDPAddr{IP: Group.Addr().AsSlice()}) // some have no IPv4 address
		}
	}
	return conn, nil
}

// Addresses are those that are bound.
func (s *Set) Addresses() []netip.AddrPort {
	list := make([]netip.AddrPort, len(s.sockets))
	for i, one := range s.sockets {
		list[i] = one.at
	}
	return list
}

// Serve hands every datagram to receive, one at a time for each socket, until ctx ends;
// then it closes them. pdu is valid during the call.
func (s *Set) Serve(ctx context.Context, receive func(from ras.Path, pdu []byte)) error {
	var reading sync.WaitGroup
	for _, one := range s.sockets {
		reading.Go(func() { one.read(ctx, receive) })
	}
	if s.group != nil {
		reading.Go(func() { readGroup(ctx, s.group, receive) })
	}
	<-ctx.Done()
	err := s.Close()
	reading.Wait()
	return err
}

func (o *socket) read(ctx context.Context, receive func(ras.Path, []byte)) {
	buffer, control := make([]byte, largest), make([]byte, 256)
	for {
		n, nc, _, from, err := o.conn.ReadMsgUDPAddrPort(buffer, control)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			pause(ctx) // an ICMP error of an earlier datagram; the socket lives
			continue
		}
		local := o.at
		if to := destination(control[:nc]); to.IsValid() {
			local = netip.AddrPortFrom(to, o.at.Port())
		}
		receive(ras.Path{Remote: unmapped(from), Local: local}, buffer[:n])
	}
}

func readGroup(ctx context.Context, conn *net.UDPConn, receive func(ras.Path, []byte)) {
	buffer := make([]byte, largest)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			pause(ctx)
		default:
			receive(ras.Path{Remote: unmapped(from), Multicast: true}, buffer[:n])
		}
	}
}

// pause keeps a socket that only fails from taking a core.
func pause(ctx context.Context) {
	t := time.NewTimer(time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// destination is the address that a datagram was sent to; not valid when it is not
// told, or is no address to answer from.
func destination(control []byte) netip.Addr {
	if len(control) == 0 {
		return netip.Addr{}
	}
	var six ipv6.ControlMessage
	if six.Parse(control) == nil && six.Dst != nil {
		return unicast(six.Dst)
	}
	var four ipv4.ControlMessage
	if four.Parse(control) == nil && four.Dst != nil {
		return unicast(four.Dst)
	}
	return netip.Addr{}
}

func unicast(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	if a = a.Unmap(); a.IsMulticast() || a.IsUnspecified() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}
	}
	return a
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// Send sends a datagram: from the socket, and the address, that path names, or from the
// first that can reach it. What cannot be sent is lost, like what the network loses.
func (s *Set) Send(path ras.Path, pdu []byte) {
	o := s.from(path)
	if o == nil {
		return
	}
	remote := path.Remote
	dual := !o.at.Addr().Is4()
	if dual && remote.Addr().Is4() {
		remote = netip.AddrPortFrom(netip.AddrFrom16(remote.Addr().As16()), remote.Port())
	}
	var control []byte
	if a := path.Local.Addr(); o.at.Addr().IsUnspecified() && a.IsValid() && !a.IsUnspecified() {
		control = source(a)
	}
	if _, _, err := o.conn.WriteMsgUDPAddrPort(pdu, control, remote); err != nil && control != nil {
		_, _, _ = o.conn.WriteMsgUDPAddrPort(pdu, nil, remote) // that address is gone
	}
}

// source asks the system to send from an address of ours.
func source(a netip.Addr) []byte {
	if a.Is4() {
		return (&ipv4.ControlMessage{Src: a.AsSlice()}).Marshal()
	}
	return (&ipv6.ControlMessage{Src: a.AsSlice()}).Marshal()
}

func (s *Set) from(path ras.Path) *socket {
	var fits *socket
	for _, o := range s.sockets {
		if !o.reaches(path.Remote.Addr()) {
			continue
		}
		if o.at == path.Local || o.at.Addr().IsUnspecified() && o.at.Port() == path.Local.Port() {
			return o
		}
		if fits == nil {
			fits = o
		}
	}
	return fits
}

// reaches reports whether the socket is of the family of an address; one that is bound
// to all IPv6 addresses takes IPv4 too.
func (o *socket) reaches(a netip.Addr) bool {
	return o.at.Addr().Is4() == a.Is4() || o.at.Addr().Is6() && o.at.Addr().IsUnspecified()
}

// Close closes all sockets.
func (s *Set) Close() error {
	s.once.Do(func() {
		var list []error
		for _, o := range s.sockets {
			list = append(list, o.conn.Close())
		}
		if s.group != nil {
			list = append(list, s.group.Close())
		}
		s.closed = errors.Join(list...)
	})
	return s.closed
}

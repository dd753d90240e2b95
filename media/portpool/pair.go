package portpool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/roomgate/roomgate/media/udp"
)

// errInUse marks a port that another process, or another address, holds.
var errInUse = syscall.EADDRINUSE

// Options say how a socket is opened.
type Options struct {
	// Interface binds the socket to a network interface; "" means any. It
	// needs CAP_NET_RAW on kernels before 5.7.
	Interface string
	// DSCP (0..63) marks what is sent: IP_TOS or IPV6_TCLASS.
	DSCP uint8
	// ReadBuffer asks the kernel for a receive buffer in bytes; 0 keeps the
	// system's default.
	ReadBuffer int
}

// Pair is an even UDP port for RTP and the odd one above it for RTCP.
type Pair struct {
	RTP, RTCP *net.UDPConn
	// Addr is the address and port of RTP; RTCP has the next port.
	Addr netip.AddrPort

	pool   *Pool
	served []udp.Socket // in place of RTP and RTCP, after Serve
	once   sync.Once
	err    error
}

// Pair binds two neighbouring ports on local. It returns ErrExhausted when none
// is left.
func (p *Pool) Pair(local netip.Addr, opt Options) (*Pair, error) {
	if !local.IsValid() {
		return nil, errors.New("port pair: no local address")
	}
	pair := &Pair{pool: p}
	port, err := p.take(shelfKey{addr: local}, func(port uint16) error {
		var err error
		if pair.RTP, err = listenUDP(netip.AddrPortFrom(local, port), opt); err != nil {
			return err
		}
		if pair.RTCP, err = listenUDP(netip.AddrPortFrom(local, port+1), opt); err != nil {
			return errors.Join(err, pair.RTP.Close())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	pair.Addr = netip.AddrPortFrom(local, port)
	return pair, nil
}

// Serve has the sockets read by the Readers of the pool, until Close. RTP and RTCP
// are of no use any more; what is returned sends in their place. It is called once.
func (pair *Pair) Serve(rtp, rtcp udp.Taker) (toRTP, toRTCP udp.Socket, err error) {
	if toRTP, err = pair.pool.cfg.Readers.Take(pair.RTP, rtp); err != nil {
		return nil, nil, err
	}
	if toRTCP, err = pair.pool.cfg.Readers.Take(pair.RTCP, rtcp); err != nil {
		return nil, nil, errors.Join(err, toRTP.Close())
	}
	pair.served = []udp.Socket{toRTP, toRTCP}
	return toRTP, toRTCP, nil
}

// Close closes both sockets, waits for who is served, and gives the ports back;
// idempotent.
func (pair *Pair) Close() error {
	pair.once.Do(func() {
		if pair.served != nil {
			pair.err = errors.Join(pair.served[0].Close(), pair.served[1].Close())
		} else {
			pair.err = errors.Join(pair.RTP.Close(), pair.RTCP.Close())
		}
		pair.pool.release(shelfKey{addr: pair.Addr.Addr()}, pair.Addr.Port())
	})
	return pair.err
}

// Listener is a TCP port of the range.
type Listener struct {
	*net.TCPListener
	addr netip.AddrPort
	pool *Pool
	once sync.Once
	err  error
}

// Listen binds a TCP port on local and listens on it.
func (p *Pool) Listen(local netip.Addr, opt Options) (*Listener, error) {
	if !local.IsValid() {
		return nil, errors.New("tcp port: no local address")
	}
	l := &Listener{pool: p}
	port, err := p.take(shelfKey{addr: local, tcp: true}, func(port uint16) error {
		lc := net.ListenConfig{Control: opt.control}
		nl, err := lc.Listen(context.Background(), "tcp", netip.AddrPortFrom(local, port).String())
		if err != nil {
			return err
		}
		l.TCPListener = nl.(*net.TCPListener)
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.addr = netip.AddrPortFrom(local, port)
	return l, nil
}

// Port is the address and port listened on.
func (l *Listener) Port() netip.AddrPort { return l.addr }

// Close stops listening and gives the port back; idempotent. Connections that
// were accepted live on.
func (l *Listener) Close() error {
	l.once.Do(func() {
		l.err = l.TCPListener.Close()
		l.pool.release(shelfKey{addr: l.addr.Addr(), tcp: true}, l.addr.Port())
	})
	return l.err
}

func listenUDP(at netip.AddrPort, opt Options) (*net.UDPConn, error) {
	network := "udp4"
	if at.Addr().Is6() && !at.Addr().Is4In6() {
		network = "udp6"
	}
	lc := net.ListenConfig{Control: opt.control}
	pc, err := lc.ListenPacket(context.Background(), network, at.String())
	if err != nil {
		return nil, err
	}
	conn := pc.(*net.UDPConn)
	if opt.ReadBuffer > 0 {
		if err := conn.SetReadBuffer(opt.ReadBuffer); err != nil {
			return nil, errors.Join(fmt.Errorf("read buffer of %v: %w", at, err), conn.Close())
		}
	}
	return conn, nil
}

package udp

import (
	"errors"
	"net"
	"net/netip"
)

// Largest is the largest datagram that is read whole: a jumbo frame.
const Largest = 9216

// Taker takes a datagram, which is its own only until it returns. It must not
// block, nor close the socket.
type Taker func(b []byte, from netip.AddrPort)

// Socket is a bound UDP socket that is read for its owner. It is safe for
// concurrent use.
type Socket interface {
	// WriteToUDPAddrPort sends a datagram.
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	// LocalAddr is where it is bound, a *net.UDPAddr.
	LocalAddr() net.Addr
	// Close returns when the taker is at rest, for good; idempotent.
	Close() error
}

// Take has a socket read by r, which owns it from then on; conn is of no use to
// anybody else any more. A nil r reads with a goroutine for this socket alone.
func (r *Readers) Take(conn *net.UDPConn, take Taker) (Socket, error) {
	if r == nil {
		return readAlone(conn, take), nil
	}
	return r.watch(conn, take)
}

// alone is a socket with a goroutine of its own.
type alone struct {
	*net.UDPConn
	done chan struct{}
}

func readAlone(conn *net.UDPConn, take Taker) *alone {
	a := &alone{UDPConn: conn, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		buf := make([]byte, Largest)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err == nil: // otherwise something the network said about a datagram of ours
				take(buf[:n], from)
			}
		}
	}()
	return a
}

func (a *alone) Close() error {
	err := a.UDPConn.Close()
	<-a.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

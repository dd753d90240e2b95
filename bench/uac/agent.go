// Package uac is a SIP user agent made to load a server: over UDP it registers,
// calls and hangs up, many calls on one socket, and does no more of SIP than
// that takes. RFC 3261 numbers the clauses named here.
package uac

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// T1 of §17.1.1.1: requests are repeated after T1, 2*T1, ... up to T2.
const (
	t1 = 500 * time.Millisecond
	t2 = 4 * time.Second
)

// ErrTimeout is the outcome of a request that nobody answered.
var ErrTimeout = errors.New("no final response")

// Refused is the outcome of a request that was answered with a failure.
type Refused struct {
	Status     int
	RetryAfter int // seconds; 0 = not stated
}

func (r *Refused) Error() string { return "refused with " + strconv.Itoa(r.Status) }

// Agent is one socket that calls a server.
type Agent struct {
	conn    *net.UDPConn
	server  netip.AddrPort
	local   netip.AddrPort
	ids     atomic.Uint64
	Repeats atomic.Uint64 // requests sent again for want of an answer

	mu      sync.Mutex
	dialogs map[string]*exchange // by Call-ID

	done chan struct{}
}

// exchange is what waits for the messages of one Call-ID.
type exchange struct {
	responses chan message
	ended     chan struct{} // closed by a BYE of the far side
	over      sync.Once
	ack       atomic.Pointer[[]byte] // repeated when the 200 is (§13.2.2.4)
}

// NewAgent binds a socket on address, any free port.
func NewAgent(address netip.Addr, server netip.AddrPort) (*Agent, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		return nil, fmt.Errorf("sip socket: %w", err)
	}
	_ = conn.SetReadBuffer(4 << 20) // as much as the system allows
	a := &Agent{
		conn: conn, server: server, local: conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		dialogs: map[string]*exchange{}, done: make(chan struct{}),
	}
	go a.read()
	return a, nil
}

// Close releases the socket.
func (a *Agent) Close() {
	_ = a.conn.Close()
	<-a.done
}

// Addr is the local address.
func (a *Agent) Addr() netip.Addr { return a.local.Addr() }

func (a *Agent) read() {
	defer close(a.done)
	buf := make([]byte, 65535)
	for {
		n, _, err := a.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a port unreachable of an earlier packet
		}
		m, ok := parse(buf[:n])
		if !ok {
			continue
		}
		a.mu.Lock()
		x := a.dialogs[m.get("Call-ID")]
		a.mu.Unlock()
		switch {
		case m.status == 0:
			a.answer(m, x)
		case x == nil:
		default:
			a.response(m, x)
		}
	}
}

// response hands a response to who waits; a repeated 200 gets its ACK again.
func (a *Agent) response(m message, x *exchange) {
	if ack := x.ack.Load(); ack != nil && m.method == "INVITE" && m.status >= 200 {
		a.send(*ack)
		return
	}
	select {
	case x.responses <- m:
	default: // a repetition nobody reads
	}
}

// answer gives a request of the server what it expects.
func (a *Agent) answer(m message, x *exchange) {
	if m.method == "ACK" {
		return
	}
	status := "200 OK"
	switch {
	case x == nil:
		status = "481 Call/Transaction Does Not Exist"
	case m.method == "BYE":
		x.over.Do(func() { close(x.ended) })
	case m.method == "INVITE":
		status = "488 Not Acceptable Here" // the call goes on as it was (§14.1)
	}
	b := []byte("SIP/2.0 " + status + "\r\n")
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, v := range m.all(name) {
			b = fmt.Appendf(b, "%s: %s\r\n", name, v)
		}
	}
	a.send(append(b, "Content-Length: 0\r\n\r\n"...))
}

func (a *Agent) send(datagram []byte) {
	_, _ = a.conn.WriteToUDPAddrPort(datagram, a.server) // what is lost is repeated
}

// open begins to listen for a Call-ID.
func (a *Agent) open() (id string, x *exchange) {
	id = fmt.Sprintf("%d-%d@%s", a.local.Port(), a.ids.Add(1), a.local.Addr())
	x = &exchange{responses: make(chan message, 8), ended: make(chan struct{})}
	a.mu.Lock()
	a.dialogs[id] = x
	a.mu.Unlock()
	return id, x
}

func (a *Agent) drop(id string) {
	a.mu.Lock()
	delete(a.dialogs, id)
	a.mu.Unlock()
}

// transact sends a request and waits for its final response, repeating the
// request until something is heard: an INVITE until a provisional response
// (§17.1.1.2), another to the end (§17.1.2.2).
func (a *Agent) transact(ctx context.Context, x *exchange, request []byte, sequence int, method string) (message, error) {
	a.send(request)
	wait, heard := t1, false
	again := time.NewTimer(wait)
	defer again.Stop()
	for {
		select {
		case m := <-x.responses:
			if m.sequence() != sequence || m.method != method {
				continue
			}
			if m.status >= 200 {
				return m, nil
			}
			heard = true
		case <-again.C:
			if !heard || method != "INVITE" {
				a.Repeats.Add(1)
				a.send(request)
			}
			wait = min(2*wait, t2)
			again.Reset(wait)
		case <-ctx.Done():
			return message{}, fmt.Errorf("%s: %w", method, ErrTimeout)
		}
	}
}

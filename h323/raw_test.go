package h323_test

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/tpkt"
	"github.com/roomgate/roomgate/media"
)

// raw is a far side that does as the test says.
type raw struct {
	net.Conn
	t      testing.TB
	reader *tpkt.Reader
}

func wrap(t testing.TB, conn net.Conn) *raw {
	t.Cleanup(func() { conn.Close() })
	return &raw{Conn: conn, t: t, reader: tpkt.NewReader(conn)}
}

// dialRaw connects to an agent from an address of loopback.
func dialRaw(t testing.TB, to *agent, from string) *raw {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.Dial("tcp", to.at().String())
	require.NoError(t, err)
	return wrap(t, conn)
}

// send gives a packet to the far side; it takes what a composer returns.
func (r *raw) send(payload []byte, err error) {
	r.t.Helper()
	require.NoError(r.t, err)
	packet, err := tpkt.Append(nil, payload)
	require.NoError(r.t, err)
	_, err = r.Write(packet)
	require.NoError(r.t, err)
}

// next reads a message.
func (r *raw) next() *callsig.Message {
	r.t.Helper()
	require.NoError(r.t, r.SetReadDeadline(time.Now().Add(patience)))
	payload, err := r.reader.Next()
	require.NoError(r.t, err)
	m, err := callsig.Parse(payload)
	require.NoError(r.t, err)
	return m
}

// await reads messages until one of a type.
func (r *raw) await(kind q931.MessageType) *callsig.Message {
	r.t.Helper()
	for {
		if m := r.next(); m.Type() == kind {
			return m
		}
	}
}

// gone waits for the end of the connection.
func (r *raw) gone() {
	r.t.Helper()
	require.NoError(r.t, r.SetReadDeadline(time.Now().Add(patience)))
	for {
		if _, err := r.reader.Next(); err != nil {
			require.NotErrorIs(r.t, err, net.ErrClosed)
			require.False(r.t, isTimeout(err), "the connection stays")
			return
		}
	}
}

func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

var rawType = h225.EndpointType{Terminal: &h225.TerminalInfo{}}

// dialled is a call of the far side.
func dialled(reference uint16) *callsig.Call {
	return &callsig.Call{Reference: reference, Caller: true, CallID: [16]byte{byte(reference), byte(reference >> 8), 1}, Self: rawType}
}

func setupTo(name string) callsig.SetupOptions {
	o := callsig.SetupOptions{From: []h225.AliasAddress{alias.Of("raw")}, Destination: netip.MustParseAddrPort("127.0.0.1:1720")}
	if name != "" {
		o.Called = []h225.AliasAddress{alias.Of(name)}
	}
	return o
}

// calls sends a SETUP and waits for the leg.
func (r *raw) calls(a *agent, c *callsig.Call, name string) call.Leg {
	r.t.Helper()
	r.send(c.Setup(setupTo(name), callsig.Carry{Tunnelling: true}))
	leg := a.next()
	m := r.await(q931.CallProceeding)
	c.Take(m.Type())
	return leg
}

// rawListener is where a far side of the test is called.
type rawListener struct {
	net.Listener
	t testing.TB
}

func listenRaw(t testing.TB) *rawListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	r := &rawListener{l, t}
	listening([]netip.AddrPort{r.addr()})
	return r
}

func (l *rawListener) at() string           { return l.Addr().String() }
func (l *rawListener) addr() netip.AddrPort { return netip.MustParseAddrPort(l.at()) }

func (l *rawListener) accept() *raw {
	l.t.Helper()
	require.NoError(l.t, l.Listener.(*net.TCPListener).SetDeadline(time.Now().Add(patience)))
	conn, err := l.Accept()
	require.NoError(l.t, err)
	return wrap(l.t, conn)
}

// picture is a packet of H.264: a key frame in one piece.
func picture(n uint16) *rtp.Packet {
	return &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 3000, Marker: true},
		Payload: []byte{0x65, 0x88, 0x84, 0x00, 0x10},
	}
}

// rawControl is H.245 of a far side, on a connection of its own.
type rawControl struct {
	*raw
	session *control.Session
	mu      sync.Mutex // of the session
	media   *net.UDPConn
}

// control connects to where an agent listens for H.245, and talks.
func (r *raw) control(to netip.AddrPort, can media.Capabilities) *rawControl {
	r.t.Helper()
	conn, err := net.Dial("tcp", to.String())
	require.NoError(r.t, err)
	c := &rawControl{raw: wrap(r.t, conn)}
	c.media, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	require.NoError(r.t, err)
	r.t.Cleanup(func() { c.media.Close() })
	at := netip.MustParseAddrPort(c.media.LocalAddr().String())
	c.session, err = control.New(control.Config{
		Capabilities: can, TerminalType: 50, Emit: func(control.Event) {},
		Send: func(m *h245.MultimediaSystemControlMessage) {
			if pdu, err := m.Marshal(); err == nil {
				packet, _ := tpkt.Append(nil, pdu)
				_, _ = c.Write(packet) // the test sees that nothing comes of it
			}
		},
		Local: func(media.Role) (control.Transport, error) { return control.Transport{RTP: at, RTCP: at}, nil },
	})
	require.NoError(r.t, err)
	c.session.Start(time.Now())
	go func() {
		for {
			payload, err := c.reader.Next()
			if err != nil {
				return
			}
			list, _ := h245.Parse(payload)
			for _, m := range list {
				c.mu.Lock()
				c.session.Receive(time.Now(), m)
				c.mu.Unlock()
			}
		}
	}()
	return c
}

// close says endSession.
func (c *rawControl) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session.Close(time.Now())
}

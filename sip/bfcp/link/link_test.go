package link_test

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
	"github.com/roomgate/roomgate/sip/bfcp"
	"github.com/roomgate/roomgate/sip/bfcp/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	pool     = func() *portpool.Pool {
		p, err := portpool.New(portpool.Config{Low: 39000, High: 39199})
		if err != nil {
			panic(err)
		}
		return p
	}()
)

// end is a link and what happens on it.
type end struct {
	*link.Link
	t      *testing.T
	events chan bfcp.Event
}

func open(t *testing.T, transport link.Transport) *end {
	t.Helper()
	e := &end{t: t, events: make(chan bfcp.Event, 100)}
	l, err := link.Open(link.Config{
		Transport: transport, Pool: pool, Local: loopback,
		OnEvent: func(ev bfcp.Event) { e.events <- ev },
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Link = l
	t.Cleanup(l.Close)
	return e
}

func (e *end) expect(want ...bfcp.Event) {
	e.t.Helper()
	for _, w := range want {
		select {
		case got := <-e.events:
			if got != w {
				e.t.Fatalf("%v, want %v", got, w)
			}
		case <-time.After(10 * time.Second):
			e.t.Fatalf("no %v", w)
		}
	}
}

func at(port uint16) netip.AddrPort { return netip.AddrPortFrom(loopback, port) }

// params are what a server and a client agreed on who expect each other's certificate.
func params(t *testing.T, server, client *end) (s, c link.Params) {
	t.Helper()
	fingerprint, err := secure.LocalFingerprint()
	if err != nil {
		t.Fatal(err)
	}
	secured, err := secure.TLS([]secure.Fingerprint{fingerprint})
	if err != nil {
		t.Fatal(err)
	}
	s = link.Params{Conference: 9, User: 3, Floors: []uint16{1}, TLS: secured}
	c = s
	s.Server, s.Remote, c.Remote = true, at(client.Port()), at(server.Port())
	return s, c
}

// pair is a server and a client who know of each other; which of them connects is
// for the test to say.
func pair(t *testing.T, transport link.Transport, serverConnects bool) (server, client *end) {
	server, client = open(t, transport), open(t, transport)
	s, c := params(t, server, client)
	s.Active, c.Active = serverConnects, !serverConnects
	if serverConnects {
		client.Apply(c)
		server.Apply(s)
	} else {
		server.Apply(s)
		client.Apply(c)
	}
	server.expect(bfcp.Connected)
	client.expect(bfcp.Connected)
	return server, client
}

func TestEveryTransport(t *testing.T) {
	for _, transport := range []link.Transport{link.UDP, link.TCP, link.TLS} {
		for _, serverConnects := range []bool{false, true} {
			t.Run(string(transport), func(t *testing.T) {
				server, client := pair(t, transport, serverConnects)
				began := time.Now()
				client.Request()
				server.expect(bfcp.Requested)
				server.Answer(true)
				server.expect(bfcp.Taken)
				client.expect(bfcp.OursIs)
				if took := time.Since(began); took > 100*time.Millisecond {
					t.Errorf("the floor took %v", took)
				}
				server.Request()
				server.expect(bfcp.Freed, bfcp.OursIs)
				client.expect(bfcp.Lost, bfcp.Taken)
				server.Release()
				client.expect(bfcp.Freed)
			})
		}
	}
}

// The floor of who hangs up is free at once.
func TestHangUpFreesTheFloor(t *testing.T) {
	for _, transport := range []link.Transport{link.UDP, link.TCP, link.TLS} {
		server, client := pair(t, transport, false)
		client.Request()
		server.expect(bfcp.Requested)
		server.Answer(true)
		server.expect(bfcp.Taken)
		client.Close()
		server.expect(bfcp.Freed)
	}
}

// A connection that broke is opened again by who opened it before.
func TestReconnect(t *testing.T) {
	server := open(t, link.TCP)
	ear, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	server.Apply(link.Params{
		Server: true, Conference: 9, User: 3, Floors: []uint16{1}, Active: true,
		Remote: ear.Addr().(*net.TCPAddr).AddrPort(),
	})
	for range 2 {
		conn, err := ear.Accept()
		if err != nil {
			t.Fatal(err)
		}
		hello, err := (&bfcp.Message{Header: bfcp.Header{Version: 1, Conference: 9, Transaction: 1, User: 3}, Body: &bfcp.Hello{}}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range hello { // in as many segments as there are octets
			if _, err := conn.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		server.expect(bfcp.Connected)
		conn.Close()
		server.expect(bfcp.Broken)
	}
}

// Strangers are not heard, and what is no message does no harm.
func TestStrangersAndRubbish(t *testing.T) {
	for _, transport := range []link.Transport{link.UDP, link.TCP} {
		server := open(t, transport)
		server.Apply(link.Params{Server: true, Conference: 9, User: 3, Floors: []uint16{1}, Remote: netip.MustParseAddrPort("192.0.2.7:5000")})
		network := "udp"
		if transport == link.TCP {
			network = "tcp"
		}
		send := func(data []byte) {
			conn, err := net.Dial(network, at(server.Port()).String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		hello := []byte{0x20, 11, 0, 0, 0, 0, 0, 9, 0, 1, 0, 3}
		send(hello)
		wait(t, func() bool { return server.Dropped() > 0 })
		server.Apply(link.Params{Server: true, Conference: 9, User: 3, Floors: []uint16{1}, Remote: at(1)})
		send([]byte{1, 2, 3})
		send(append([]byte{0x60, 11, 0, 0}, hello[4:]...))
		send([]byte{0x20, 11, 0xff, 0xff, 0, 0, 0, 9, 0, 1, 0, 3})
		send(hello)
		server.expect(bfcp.Connected)
	}
}

// A certificate that signalling did not announce is refused, and with it, in time, the floor.
func TestForeignCertificate(t *testing.T) {
	server, client := open(t, link.TLS), open(t, link.TLS)
	foreign, err := secure.TLS([]secure.Fingerprint{{Hash: "sha-256", Value: "00:11"}})
	if err != nil {
		t.Fatal(err)
	}
	p := link.Params{Conference: 9, User: 3, Floors: []uint16{1}, TLS: foreign}
	s, c := p, p
	s.Server, s.Remote = true, at(client.Port())
	c.Remote, c.Active = at(server.Port()), true
	server.Apply(s)
	client.Request()
	client.Apply(c)
	client.Request()
	client.expect(bfcp.Refused)
}

// What is asked while TLS shakes hands is asked once, when it has.
func TestRequestDuringHandshake(t *testing.T) {
	server, client := open(t, link.TLS), open(t, link.TLS)
	s, c := params(t, server, client)
	gate, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	c.Active, c.Remote = true, netip.MustParseAddrPort(gate.Addr().String())
	server.Apply(s)
	client.Apply(c)
	out, err := gate.Accept()
	if err != nil {
		t.Fatal(err)
	}
	hello := make([]byte, 1)
	if _, err := out.Read(hello); err != nil { // the handshake is under way
		t.Fatal(err)
	}
	client.Request()
	in, err := net.Dial("tcp", at(server.Port()).String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(hello); err != nil {
		t.Fatal(err)
	}
	both := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
			both <- struct{}{}
		}()
	}
	server.expect(bfcp.Connected, bfcp.Requested)
	client.expect(bfcp.Connected)
	server.Answer(true)
	client.expect(bfcp.OursIs)
	client.Close()
	<-both
	<-both
}

func wait(t *testing.T, what func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !what() {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
		time.Sleep(time.Millisecond)
	}
}

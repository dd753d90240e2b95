package transport_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/h323/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a connection under test and the raw far end.
func pair(t *testing.T, cfg transport.Config) (*transport.Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return transport.New(near, cfg), far
}

// run reads c in the background and gives its packets and its end.
func run(c *transport.Conn) (<-chan []byte, <-chan error) {
	packets, end := make(chan []byte, 64), make(chan error, 1)
	go func() { end <- c.Run(func(p []byte) { packets <- p }) }()
	return packets, end
}

func TestPacketsHoweverCut(t *testing.T) {
	c, far := pair(t, transport.Config{})
	packets, end := run(c)
	stream := []byte("\x03\x00\x00\x05A\x03\x00\x00\x04\x00\x03\x00\x04\x03\x00\x00\x06BC\x03\x00\x00\x05D")
	for _, b := range stream { // one octet a segment, keep-alives of both forms between
		if _, err := far.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := far.Write(stream); err != nil { // all in one segment
		t.Fatal(err)
	}
	for _, want := range []string{"A", "BC", "D", "A", "BC", "D"} {
		if got := <-packets; string(got) != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	far.Close()
	if err := <-end; err == nil {
		t.Fatal("no reason for the end")
	}
}

func TestWhatIsNoTPKTEndsTheConnection(t *testing.T) {
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\x03\x00\x00\x03", "\x03\x00\xff\xff"} {
		c, far := pair(t, transport.Config{Limit: 1000})
		_, end := run(c)
		if _, err := far.Write([]byte(garbage)); err != nil {
			t.Fatal(err)
		}
		if err := <-end; err == nil {
			t.Errorf("%q: no reason for the end", garbage)
		}
	}
}

func TestASlowPacketEndsTheConnection(t *testing.T) {
	for name, cfg := range map[string]transport.Config{
		"\x03\x00\x00\x10half": {PacketTimeout: 20 * time.Millisecond},
		"":                     {First: 20 * time.Millisecond},
		"\x03\x00\x00\x05A":    {Idle: 20 * time.Millisecond},
	} {
		c, far := pair(t, cfg)
		_, end := run(c)
		if _, err := far.Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
		if err := <-end; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: ended with %v", name, err)
		}
	}
}

func TestSlowReaderLosesTheConnectionNobodyWaits(t *testing.T) {
	c, _ := pair(t, transport.Config{Queue: 1 << 20, WriteTimeout: time.Minute})
	_, end := run(c)
	big := bytes.Repeat([]byte{1}, 60_000)
	var err error
	for range 10_000 {
		if err = c.Send(big); err != nil {
			break
		}
	}
	if !errors.Is(err, transport.ErrSlow) {
		t.Fatalf("sending to somebody who does not read: %v", err)
	}
	if err := <-end; !errors.Is(err, transport.ErrSlow) {
		t.Fatalf("ended with %v", err)
	}
	if err := c.Send(nil); !errors.Is(err, transport.ErrClosed) {
		t.Fatalf("sending on a closed connection: %v", err)
	}
}

// What was sent before Close arrives, although the far side has sent octets that
// nobody reads any more.
func TestCloseSendsWhatWaits(t *testing.T) {
	c, far := pair(t, transport.Config{})
	_, end := run(c)
	for range 100 {
		if err := c.Send([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	if err := c.Send(nil); !errors.Is(err, transport.ErrClosed) {
		t.Fatalf("sending after Close: %v", err)
	}
	got := make([]byte, 500)
	n := 0
	for n < len(got) {
		m, err := far.Read(got[n:])
		if err != nil {
			t.Fatalf("after %d octets: %v", n, err)
		}
		n += m
	}
	if _, err := far.Write([]byte("\x03\x00\x00\x05Z")); err != nil {
		t.Fatal(err)
	}
	far.Close()
	<-end
}

func TestTooLargeAPacketIsRefused(t *testing.T) {
	c, _ := pair(t, transport.Config{})
	_, end := run(c)
	if err := c.Send(make([]byte, 1<<16)); err == nil {
		t.Error("a packet of 64 KB was taken")
	}
	if err := c.Send(make([]byte, 1<<16-5)); err != nil {
		t.Errorf("the largest packet was refused: %v", err)
	}
	c.Abort()
	<-end
}

func TestGate(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	g := transport.NewGate(4, 2, 3)
	first, second := g.Enter(a), g.Enter(a)
	if first == nil || second == nil {
		t.Fatal("no way in")
	}
	if g.Enter(a) != nil {
		t.Error("a third connection of one source")
	}
	third := g.Enter(b)
	if third == nil || g.Enter(b) != nil {
		t.Error("three silent ones are enough, not more")
	}
	first.Spoke()
	first.Spoke()
	fourth := g.Enter(b)
	if fourth == nil {
		t.Error("one spoke, but nobody may come")
	}
	second.Spoke()
	if g.Enter(netip.MustParseAddr("10.0.0.3")) != nil {
		t.Error("a fifth connection")
	}
	for _, p := range []*transport.Pass{first, second, third, fourth} {
		p.Leave()
		p.Leave()
	}
	if g.Open() != 0 || g.Enter(a) == nil {
		t.Errorf("%d open after all have left", g.Open())
	}
}

package edge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const tortureDir = "../../testdata/torture"

// torture is a line of outcomes.txt.
type torture struct{ file, udp, tcp string }

func tortures(t *testing.T) []torture {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(tortureDir, "outcomes.txt"))
	require.NoError(t, err)
	var list []torture
	for _, l := range strings.Split(string(table), "\n") {
		if f := strings.Fields(l); len(f) >= 4 && f[0] != "#" {
			list = append(list, torture{f[0], f[2], f[3]})
		}
	}
	return list
}

func (c torture) message(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(tortureDir, c.file+".dat"))
	require.NoError(t, err)
	return b
}

// isResponse tells which messages have no answer however they fare.
func isResponse(b []byte) bool { return bytes.HasPrefix(b, []byte("SIP/2.0 ")) }

// TestTortureTableIsWhole: every file has its line.
func TestTortureTableIsWhole(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(tortureDir, "rfc*", "*.dat"))
	require.NoError(t, err)
	listed := map[string]bool{}
	for _, c := range tortures(t) {
		listed[filepath.Join(tortureDir, c.file+".dat")] = true
	}
	require.Len(t, files, 62)
	for _, f := range files {
		require.True(t, listed[f], f)
	}
	require.Len(t, listed, len(files))
}

// vias are the ports that answers to the messages go to: with a Via of
// another host and no rport, the port of sent-by at the source's address.
var vias = []int{5060, 5050, 6050, 19823}

func TestTortureUDP(t *testing.T) {
	sender := newUDPSender(t, "127.77.0.1")
	for _, c := range tortures(t) {
		t.Run(c.file, func(t *testing.T) {
			// A stack each: several messages share a branch, and would be one
			// transaction.
			s := newStack(t, Config{})
			sender.to = net.UDPAddrFromAddrPort(s.serve(s.edge.ListenUDP("127.0.0.1:0")).Addr())
			message := c.message(t)
			before := s.edge.Stats()
			sender.send(t, message)
			switch {
			case c.udp == "drop":
				s.settle(t, func(now Stats) bool { return now.Dropped == before.Dropped+1 })
			case c.udp == "stack" && isResponse(message):
				s.settle(t, func(now Stats) bool { return now.Accepted == before.Accepted+1 })
			case c.udp == "stack":
				require.Equal(t, reached, status(sender.receive(t, message)))
			default:
				answer := sender.receive(t, message)
				require.Equal(t, c.udp, fmt.Sprint(status(answer)), "%s", answer)
				require.Contains(t, string(answer), "\r\nVia: SIP/")
				require.Contains(t, string(answer), ";received=127.77.0.1")
				require.Contains(t, string(answer), "\r\nWarning: 399 ")
				require.NotContains(t, string(answer), "m=audio")
			}
			next := options()
			sender.send(t, next)
			require.Equal(t, reached, status(sender.receive(t, next)), "the next request")
			s.noBodyLogged(t)
		})
	}
}

func TestTortureTCP(t *testing.T) {
	for _, c := range tortures(t) {
		t.Run(c.file, func(t *testing.T) {
			s := newStack(t, Config{MessageTimeout: 200 * time.Millisecond})
			l := s.serve(s.edge.ListenTCP("127.0.0.1:0"))
			bystander := dialTCP(t, l.Addr(), nil)
			message := c.message(t)
			conn := dialTCP(t, l.Addr(), nil)
			before := s.edge.Stats()
			_, err := conn.Write(message)
			require.NoError(t, err)
			switch {
			case c.tcp == "wait":
				require.Empty(t, receive(t, conn))
				s.settle(t, func(now Stats) bool { return now.Slow == before.Slow+1 })
			case c.tcp == "drop":
				s.settle(t, func(now Stats) bool { return now.Dropped == before.Dropped+1 })
			case c.tcp == "stack" && isResponse(message):
				s.settle(t, func(now Stats) bool { return now.Accepted == before.Accepted+1 })
			case c.tcp == "stack":
				require.Equal(t, reached, status(receive(t, conn)))
			default:
				require.Equal(t, c.tcp, fmt.Sprint(status(receive(t, conn))))
			}
			require.Equal(t, reached, status(exchange(t, bystander, options())), "the next request of another")
			require.NoError(t, conn.Close())
			s.noBodyLogged(t)
		})
	}
}

// settle waits until the counters are as wanted.
func (s *stack) settle(t *testing.T, wanted func(Stats) bool) {
	t.Helper()
	require.Eventually(t, func() bool { return wanted(s.edge.Stats()) }, patience, time.Millisecond)
}

// noBodyLogged: nothing of a body stands in the log, at any level.
func (s *stack) noBodyLogged(t *testing.T) {
	t.Helper()
	for _, e := range s.logs.All() {
		line := fmt.Sprint(e.Message, e.ContextMap())
		require.NotContains(t, line, "RTP/AVP")
		require.NotContains(t, line, "v=0")
	}
}

// udpSender sends from one port of a loopback address and hears on that and on
// those that Via headers name.
type udpSender struct {
	from  *net.UDPConn
	to    *net.UDPAddr
	heard chan []byte
}

func newUDPSender(t *testing.T, host string) *udpSender {
	t.Helper()
	u := &udpSender{heard: make(chan []byte, 64)}
	for _, port := range append([]int{0}, vias...) {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host), Port: port})
		require.NoError(t, err)
		if port == 0 {
			u.from = conn
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			u.listen(conn)
		}()
		t.Cleanup(func() { _ = conn.Close(); <-done })
	}
	return u
}

func (u *udpSender) listen(conn *net.UDPConn) {
	buf := make([]byte, 65536)
	for {
		n, err := conn.Read(buf)
		if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
			return
		}
		select {
		case u.heard <- append([]byte(nil), buf[:n]...):
		default:
		}
	}
}

func (u *udpSender) send(t *testing.T, message []byte) {
	t.Helper()
	_, err := u.from.WriteToUDP(message, u.to)
	require.NoError(t, err)
}

// receive returns the next answer to the request; those to earlier ones are
// retransmitted in between.
func (u *udpSender) receive(t *testing.T, request []byte) []byte {
	t.Helper()
	id := callIDOf(request)
	timeout := time.After(patience)
	for {
		select {
		case b := <-u.heard:
			if bytes.Equal(callIDOf(b), id) {
				return b
			}
		case <-timeout:
			t.Fatal("no answer")
		}
	}
}

func callIDOf(message []byte) []byte {
	_, head, _ := bytes.Cut(message, crlf)
	for len(head) > 0 {
		var l line
		if l, head, _, _ = nextLine(head, nil); len(l.name) == 0 {
			break
		}
		if h, _ := known(l.name); h.kind == callIDKind {
			return l.value
		}
	}
	return nil
}

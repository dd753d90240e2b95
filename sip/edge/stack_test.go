package edge

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reached is what the test's user agent answers: no status the edge uses.
const reached = 499

// stack is a sipgo user agent behind an edge.
type stack struct {
	t      *testing.T
	edge   *Edge
	server *sipgo.Server
	ua     *sipgo.UserAgent
	logs   *observer.ObservedLogs

	mu       sync.Mutex
	requests []*sip.Request
}

func newStack(t *testing.T, c Config) *stack {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	c.Log = zap.New(core)
	s := &stack{t: t, edge: New(c), logs: logs}
	logger := Logger(c.Log)
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(logger)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(logger),
			sip.WithTransactionLayerUnhandledResponseHandler(func(*sip.Response) {})),
	)
	require.NoError(t, err)
	s.ua = ua
	s.server, err = sipgo.NewServer(ua, sipgo.WithServerLogger(logger))
	require.NoError(t, err)
	s.server.OnNoRoute(func(req *sip.Request, tx sip.ServerTransaction) {
		s.mu.Lock()
		s.requests = append(s.requests, req.Clone())
		s.mu.Unlock()
		_ = tx.Respond(sip.NewResponseFromRequest(req, reached, "Reached the Stack", nil))
	})
	t.Cleanup(func() { require.NoError(t, ua.Close()) })
	return s
}

// serve runs a listener until the test ends.
func (s *stack) serve(l *Listener, err error) *Listener {
	s.t.Helper()
	require.NoError(s.t, err)
	done := make(chan error, 1)
	go func() { done <- l.Serve(s.server) }()
	s.t.Cleanup(func() {
		_ = l.Close()
		require.NoError(s.t, <-done)
	})
	return l
}

func (s *stack) last() *sip.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == 0 {
		return nil
	}
	return s.requests[len(s.requests)-1]
}

var serial struct {
	sync.Mutex
	n int
}

// options is a good request.
func options(extra ...string) []byte {
	serial.Lock()
	serial.n++
	n := serial.n
	serial.Unlock()
	lines := []string{
		"OPTIONS sip:demo@example.com SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKok%d", n),
		"Max-Forwards: 70",
		"From: <sip:a@example.com>;tag=1",
		"To: <sip:demo@example.com>",
		fmt.Sprintf("Call-ID: ok%d", n),
		"CSeq: 1 OPTIONS",
	}
	lines = append(lines, extra...)
	return []byte(strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n")
}

// status of a response, 0 when b is none.
func status(b []byte) int {
	var code int
	if _, err := fmt.Sscanf(string(b), "SIP/2.0 %d ", &code); err != nil {
		return 0
	}
	return code
}

const patience = 5 * time.Second

// dialTCP connects over TCP, or TLS when c is not nil.
func dialTCP(t *testing.T, to netip.AddrPort, c *tls.Config) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	require.NoError(t, err)
	if c != nil {
		conn = tls.Client(conn, c)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// exchange writes a message and returns the first message that comes back.
func exchange(t *testing.T, conn net.Conn, message []byte) []byte {
	t.Helper()
	_, err := conn.Write(message)
	require.NoError(t, err)
	return receive(t, conn)
}

func receive(t *testing.T, conn net.Conn) []byte {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	var got []byte
	buf := make([]byte, 65536)
	for !bytes.Contains(got, endOfHeaders) {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			break
		}
	}
	return got
}

package registrar_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/edge"
	"github.com/roomgate/roomgate/sip/registrar"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// site is a registrar behind an edge and the SIP stack.
type site struct {
	*registrar.Registrar
	edge          *edge.Edge
	udp, tcp, tls netip.AddrPort
}

func newSite(t testing.TB) *site {
	t.Helper()
	accounts, err := registrar.NewList([]registrar.Account{
		{Username: "room1", Password: "secret"}, {Username: "room2", Password: "other"},
	})
	require.NoError(t, err)
	auth, err := digest.NewServer(digest.ServerConfig{Realm: "roomgate", Credentials: accounts})
	require.NoError(t, err)
	s := &site{}
	s.Registrar, err = registrar.New(registrar.Config{
		Accounts: accounts, Auth: auth, Lockout: limit.NewLockout(limit.LockoutConfig{}),
	})
	require.NoError(t, err)
	s.edge = edge.New(edge.Config{Closed: func(f edge.Flow) {
		s.Disconnected(string(f.Transport), f.Remote.String())
	}})
	logger := edge.Logger(zap.NewNop())
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(logger)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(logger)),
	)
	require.NoError(t, err)
	server, err := sipgo.NewServer(ua, sipgo.WithServerLogger(logger))
	require.NoError(t, err)
	server.OnRegister(func(req *sip.Request, tx sip.ServerTransaction) {
		remote, err := netip.ParseAddrPort(req.Source())
		if err != nil {
			return
		}
		_ = tx.Respond(s.Handle(req, registrar.Flow{Transport: req.Transport(), Remote: remote, Local: s.udp}))
	})
	t.Cleanup(func() { require.NoError(t, ua.Close()) })
	var listeners []*edge.Listener
	bound := func(l *edge.Listener, err error) netip.AddrPort {
		require.NoError(t, err)
		listeners = append(listeners, l)
		return l.Addr()
	}
	s.udp = bound(s.edge.ListenUDP("127.0.0.1:0"))
	s.tcp = bound(s.edge.ListenTCP("127.0.0.1:0"))
	cert, err := edge.LoadCertificate(issue(t))
	require.NoError(t, err)
	config, err := cert.TLSConfig("", false)
	require.NoError(t, err)
	s.tls = bound(s.edge.ListenTLS("127.0.0.1:0", config))
	for _, l := range listeners {
		done := make(chan error, 1)
		go func() { done <- l.Serve(server) }()
		t.Cleanup(func() {
			_ = l.Close()
			require.NoError(t, <-done)
		})
	}
	return s
}

func issue(t testing.TB) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return certFile, keyFile
}

// start runs a program until the test ends and returns what it has written so
// far.
func start(t *testing.T, program string, args ...string) (output func() string, wait func() error) {
	t.Helper()
	path, err := exec.LookPath(program)
	require.NoError(t, err, "the tests need %s; make test installs it", program)
	cmd := exec.Command(path, args...)
	cmd.Dir = t.TempDir()
	log := filepath.Join(cmd.Dir, "output")
	file, err := os.Create(log)
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = file, file
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	done := false
	t.Cleanup(func() {
		if !done {
			_ = cmd.Process.Kill()
			<-ended
		}
		_ = file.Close()
	})
	output = func() string {
		b, _ := os.ReadFile(log)
		return string(b)
	}
	return output, func() error {
		done = true
		return <-ended
	}
}

// baresip starts a terminal with one account.
func baresip(t *testing.T, account string) (output func() string) {
	t.Helper()
	dir := t.TempDir()
	config := `poll_method epoll
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
module_path /usr/lib/baresip/modules
module g711.so
module_tmp uuid.so
module_tmp account.so
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "accounts"), []byte(account+"\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "contacts"), nil, 0o600))
	output, _ = start(t, "baresip", "-f", dir, "-v")
	return output
}

func TestBaresip(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		transport string
		to        netip.AddrPort
		extra     string
		reg       int
	}{
		{"udp", s.udp, "", 0}, {"tcp", s.tcp, "", 0}, {"tls", s.tls, "", 0},
		{"tcp", s.tcp, fmt.Sprintf(";sipnat=outbound;outbound=\"sip:%s;transport=tcp\"", s.tcp), 1},
	} {
		t.Run(fmt.Sprint(c.transport, c.reg), func(t *testing.T) {
			output := baresip(t, fmt.Sprintf("<sip:room1@%s;transport=%s>;auth_user=room1;auth_pass=secret;regint=600%s",
				c.to, c.transport, c.extra))
			ok := func() bool {
				for _, r := range s.Lookup("room1") {
					if strings.EqualFold(r.Flow.Transport, c.transport) && r.RegID == c.reg && strings.Contains(r.UserAgent, "baresip") {
						return true
					}
				}
				return false
			}
			if !assertEventually(ok) {
				t.Fatalf("not registered; stats %+v, registrations %+v, baresip says:\n%s", s.edge.Stats(), s.Registrations(), output())
			}
		})
	}
}

func assertEventually(ok func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// sipp runs a scenario of testdata to its end.
func sipp(t *testing.T, scenario, from string, to netip.AddrPort, args ...string) (output func() string, wait func() error) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", scenario))
	require.NoError(t, err)
	probe, err := net.ListenPacket("udp", net.JoinHostPort(from, "0"))
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(probe.LocalAddr().String())
	require.NoError(t, err)
	require.NoError(t, probe.Close())
	return start(t, "sipp", append([]string{to.String(), "-sf", path, "-i", from, "-p", port, "-nostdin", "-timeout", "40s"}, args...)...)
}

// TestFloodOfWrongPasswords: a source that guesses is locked out, while
// another registers as ever.
func TestFloodOfWrongPasswords(t *testing.T) {
	s := newSite(t)
	guesser, guessed := sipp(t, "guess.xml", "127.0.0.66", s.udp, "-m", "300", "-r", "200", "-au", "room1", "-ap", "wrong")
	good, done := sipp(t, "register.xml", "127.0.0.67", s.udp, "-m", "20", "-r", "20", "-au", "room1", "-ap", "secret")
	if err := done(); err != nil {
		t.Fatalf("the good one: %v\n%s", err, good())
	}
	if err := guessed(); err != nil {
		t.Fatalf("the guesser: %v\n%s", err, guesser())
	}
	require.NotEmpty(t, s.Lookup("room1"))
	// From the guesser's address the right password is of no use now.
	late, err2 := sipp(t, "locked.xml", "127.0.0.66", s.udp, "-m", "1", "-au", "room1", "-ap", "secret")
	if err := err2(); err != nil {
		t.Fatalf("not locked out: %v\n%s", err, late())
	}
}

// BenchmarkStack is a registration through sockets, edge, stack and registrar:
// REGISTER, 401, REGISTER with credentials, 200. The client, which takes its
// share of the core too, writes bytes only.
func BenchmarkStack(b *testing.B) {
	s := newSite(b)
	conn, err := net.Dial("udp", s.udp.String())
	require.NoError(b, err)
	defer func() { _ = conn.Close() }()
	session := digest.NewSession("room1", "secret")
	buf := make([]byte, 65536)
	cseq := 0
	exchange := func(authorize bool) *sip.Response {
		cseq++
		req := register(conn.LocalAddr().String(), cseq)
		if authorize {
			if err := session.Authorize(req); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := conn.Write([]byte(req.String())); err != nil {
			b.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		msg, err := sip.ParseMessage(buf[:n])
		if err != nil {
			b.Fatal(err)
		}
		res, ok := msg.(*sip.Response)
		if !ok {
			b.Fatalf("%q", buf[:n])
		}
		return res
	}
	for b.Loop() {
		if err := session.Challenge(exchange(false)); err != nil {
			b.Fatal(err)
		}
		if res := exchange(true); res.StatusCode != 200 {
			b.Fatal(res)
		} else {
			session.Accepted(res)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "registrations/s")
}

func register(local string, cseq int) *sip.Request {
	var text bytes.Buffer
	text.WriteString("REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP " + local + ";rport;branch=z9hG4bKb" + strconv.Itoa(cseq) +
		"\r\nMax-Forwards: 70\r\nFrom: <sip:room1@127.0.0.1>;tag=1\r\nTo: <sip:room1@127.0.0.1>\r\nCall-ID: bench\r\nCSeq: " +
		strconv.Itoa(cseq) + " REGISTER\r\nContact: <sip:room1@" + local + ">\r\nContent-Length: 0\r\n\r\n")
	msg, err := sip.ParseMessage(text.Bytes())
	if err != nil {
		panic(err)
	}
	req, _ := msg.(*sip.Request)
	return req
}

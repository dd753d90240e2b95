package h323_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/media"
)

// The network of these tests: a terminal behind a router that translates addresses and
// lets nothing in that was not asked for, and a site that has no way to the inside.
//
//	site 203.0.113.1 ---- 203.0.113.254 router 10.77.0.1 ---- 10.77.0.2 terminal
const (
	siteHost     = "203.0.113.1"
	terminalHost = "10.77.0.2"
)

// rules translate to random ports, so that nothing is where it was by luck.
const rules = `
table ip translate {
	chain out {
		type nat hook postrouting priority srcnat;
		oifname "outside" masquerade random
	}
	chain through {
		type filter hook forward priority filter; policy drop;
		iifname "inside" accept
		ct state established,related accept
	}
}`

// natted makes the network in namespaces of its own, gone with the test.
func natted(t *testing.T) (site, terminal string) {
	t.Helper()
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil || os.Getuid() != 0 {
			t.Skipf("NOT TESTED: address translation, which needs root, ip and nft")
		}
	}
	name := func(role string) string { return fmt.Sprintf("rg-%s-%d", role, os.Getpid()) }
	site, router, terminal := name("site"), name("router"), name("terminal")
	do := func(stdin string, args ...string) {
		t.Helper()
		c := exec.Command(args[0], args[1:]...)
		c.Stdin = strings.NewReader(stdin)
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
	}
	ip := func(line string) {
		t.Helper()
		do("", append([]string{"ip"}, strings.Fields(line)...)...)
	}
	for _, ns := range []string{site, router, terminal} {
		ip("netns add " + ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		ip("-n " + ns + " link set lo up")
	}
	wire := func(ns, host, port, gateway string) {
		t.Helper()
		ip("link add eth0 netns " + ns + " type veth peer name " + port + " netns " + router)
		ip("-n " + ns + " addr add " + host + "/24 dev eth0")
		ip("-n " + ns + " link set eth0 up")
		ip("-n " + router + " addr add " + gateway + "/24 dev " + port)
		ip("-n " + router + " link set " + port + " up")
	}
	wire(site, siteHost, "outside", "203.0.113.254")
	wire(terminal, terminalHost, "inside", "10.77.0.1")
	ip("-n " + terminal + " route add default via 10.77.0.1")
	do("", "ip", "netns", "exec", router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
	do(rules, "ip", "netns", "exec", router, "nft", "-f", "-")
	return site, terminal
}

// role is a process of the test that plays a part in one of the namespaces.
type role struct {
	t     *testing.T
	name  string
	in    io.WriteCloser
	lines chan string
}

// play starts this test program again as a role.
func play(t *testing.T, ns, name, way string) *role {
	t.Helper()
	c := exec.Command("ip", "netns", "exec", ns, os.Args[0], "-test.run", "^TestNATRole$", "-test.v")
	// The race detector would sleep a second at the end of each.
	c.Env = append(os.Environ(), "NAT_ROLE="+name, "NAT_WAY="+way, "GORACE=atexit_sleep_ms=0")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	r := &role{t: t, name: name, in: in, lines: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(out); s.Scan(); {
			r.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		in.Close() // the role ends with its input
		<-done
		if err := c.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return r
}

func (r *role) tell(line string) {
	r.t.Helper()
	_, err := fmt.Fprintln(r.in, line)
	require.NoError(r.t, err)
}

// expect waits for a line that begins with a word.
func (r *role) expect(word string) string {
	r.t.Helper()
	var before []string
	for deadline := time.After(2 * patience); ; {
		select {
		case line := <-r.lines:
			if rest, ok := strings.CutPrefix(line, "> "+word); ok {
				return strings.TrimSpace(rest)
			}
			before = append(before, line)
		case <-deadline:
			r.t.Fatalf("%s does not say %q; it said\n%s", r.name, word, strings.Join(before, "\n"))
		}
	}
}

func say(format string, args ...any) { fmt.Printf("> "+format+"\n", args...) }

// TestNATRole is a role of the tests below, in a process of its own.
func TestNATRole(t *testing.T) {
	name := os.Getenv("NAT_ROLE")
	if name == "" {
		t.Skip("a part of TestTerminalBehindNAT")
	}
	var way passage
	for _, w := range translated {
		if w.name == os.Getenv("NAT_WAY") {
			way = w
		}
	}
	var a *agent
	mine, theirs := byte('s'), byte('t')
	if name == "site" {
		s := startSite(t, siteHost, way.multiplex, func(c *h323.Config) {
			c.Listen = []string{siteHost + ":1720"}
			if way.tune != nil {
				way.tune(c)
			}
		})
		a = s.agent
		defer func() {
			if way.multiplex {
				say("multiplexed %+v", s.mux.Counters())
			}
		}()
	} else {
		mine, theirs = theirs, mine
		a = start(t, func(c *h323.Config) {
			c.Listen, c.Terminal, c.Aliases = []string{terminalHost + ":1720"}, true, []string{"room9"}
			c.Traversal = h323.Traversal{Client: !way.bare, Tunnel: way.tunnel}
			if way.tune != nil {
				way.tune(c)
			}
		})
		registrar := "h323:" + rasPort(siteHost)
		if way.tunnel {
			registrar = "h323:" + siteHost + ":1720"
		}
		unregister, err := a.Register(within(t), registrar, "room9", "")
		require.NoError(t, err)
		defer unregister()
	}
	say("ready")
	commands := make(chan string)
	go func() {
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			commands <- s.Text()
		}
		close(commands)
	}()
	for {
		select {
		case l := <-a.calls:
			require.NoError(t, l.Accept(within(t), phone))
			talk(t, l, mine, theirs, way.shy && name == "terminal")
			await(t, l, call.Ended)
			say("ended")
		case command, more := <-commands:
			if !more {
				return
			}
			l, err := a.Dial(within(t), call.Target{Address: command, Can: phone})
			require.NoError(t, err)
			talk(t, l, mine, theirs, way.shy && name == "terminal")
			require.NoError(t, l.Hangup(call.Cause{Code: call.NormalClearing}))
			await(t, l, call.Ended)
			say("ended")
		}
	}
}

// talk sends one sound until the other is heard, and a moment longer; one who is shy
// says nothing before.
func talk(t *testing.T, l call.Leg, mine, theirs byte, shy bool) {
	stand(t, phone, l)
	src := newSource(media.Audio, l.Info().Streams[0].Send)
	unpublish, err := l.Publish(within(t), src)
	require.NoError(t, err)
	defer unpublish()
	w := <-src.attach
	heard, tracks := make(chan byte, 64), l.Tracks()
	var until <-chan time.Time
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for n := uint16(0); ; n++ {
		select {
		case track, open := <-tracks:
			if !open { // the other has hung up
				tracks = nil
				continue
			}
			defer track.Attach(media.WriterFunc(func(p *rtp.Packet) error {
				select {
				case heard <- p.Payload[0]:
				default:
				}
				return nil
			}))()
		case b := <-heard:
			require.Equal(t, theirs, b)
			if until == nil {
				until, shy = time.After(200*time.Millisecond), false
				say("heard %c encryption %s", b, l.Info().Encryption)
			}
		case <-tick.C:
			if shy {
				continue
			}
			require.NoError(t, w.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 160},
				Payload: []byte(strings.Repeat(string(mine), 160)),
			}))
		case <-until:
			return
		case <-deadline:
			t.Fatal("nothing was heard")
		}
	}
}

// translated are the ways through a translator of addresses.
var translated = append(slices.Clip(traversals),
	passage{name: "nothing", bare: true},
	passage{name: "nothing, without tunnelling", bare: true, tune: separate},
	passage{name: "nothing, with fast start", bare: true, tune: fast},
	passage{name: "nothing, encrypted", bare: true, tune: encrypts(h323.EncryptPrefer)},
)

// A terminal behind a translator registers, is called, and calls; sound goes both ways.
func TestTerminalBehindNAT(t *testing.T) {
	for _, way := range translated {
		t.Run(way.name, func(t *testing.T) {
			siteNS, terminalNS := natted(t)
			s := play(t, siteNS, "site", way.name)
			s.expect("ready")
			terminal := play(t, terminalNS, "terminal", way.name)
			terminal.expect("ready")
			encryption := "none"
			if strings.Contains(way.name, "encrypted") {
				encryption = "h235"
			}
			for _, call := range []struct {
				from, to *role
				target   string
			}{{s, terminal, "room9"}, {terminal, s, "88001"}} {
				if way.bare && call.from == s {
					continue
				}
				call.from.tell(call.target)
				require.Equal(t, "t encryption "+encryption, s.expect("heard"))
				require.Equal(t, "s encryption "+encryption, terminal.expect("heard"))
				call.from.expect("ended")
				call.to.expect("ended")
			}
		})
	}
}

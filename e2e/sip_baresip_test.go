package e2e

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// callRow is a baresip in a meeting of its own with a terminal of ours.
type callRow struct {
	name       string
	peer       peerOptions
	host       string // dialled
	codec      string
	encryption string

	*baresip
	mate    *room
	meeting string
	mateHz  float64
}

// Every transport, address family, keying and way to be known, one gateway:
// the tone of each side is measured at the other, and its pictures decoded.
func TestBaresipCalls(t *testing.T) {
	rows := []*callRow{
		{name: "udp", peer: peerOptions{codecs: "PCMU/8000/1"}, codec: "PCMU", encryption: "none"},
		{name: "udp video", peer: peerOptions{codecs: "G722/16000/1", video: true}, codec: "G722", encryption: "none"},
		{name: "tcp", peer: peerOptions{transport: "tcp", codecs: "PCMA/8000/1"}, codec: "PCMA", encryption: "none"},
		{name: "tls sdes", peer: peerOptions{transport: "tls", codecs: "opus/48000/2", mediaenc: "srtp-mand"}, codec: "opus", encryption: "srtp"},
		{name: "tls sdes video", peer: peerOptions{transport: "tls", codecs: "G722/16000/1", mediaenc: "srtp-mand", video: true, size: "640x360"}, codec: "G722", encryption: "srtp"},
		{name: "udp dtls", peer: peerOptions{codecs: "PCMU/8000/1", mediaenc: "dtls_srtp"}, codec: "PCMU", encryption: "srtp"},
		{name: "udp ipv6", peer: peerOptions{address: peerIP6, domain: gatewayIP6, codecs: "G722/16000/1"}, codec: "G722", encryption: "none"},
		{name: "tcp ipv6", peer: peerOptions{address: peerIP6, domain: gatewayIP6, transport: "tcp", codecs: "opus/48000/2"}, codec: "opus", encryption: "none"},
		{name: "tls ipv6 video", peer: peerOptions{address: peerIP6, domain: gatewayIP6, transport: "tls", codecs: "PCMU/8000/1", mediaenc: "srtp-mand", video: true, size: "640x360"}, codec: "PCMU", encryption: "srtp"},
		{name: "udp registered", peer: peerOptions{user: "room-a", password: "secret-a", codecs: "PCMU/8000/1"}, codec: "PCMU", encryption: "none"},
		{name: "tls registered", peer: peerOptions{user: "room-b", password: "secret-b", transport: "tls", codecs: "G722/16000/1", mediaenc: "srtp-mand"}, codec: "G722", encryption: "srtp"},
	}
	g := startGateway(t, "")
	const together = 4 // calls: all of them at once leave no processor to any
	begun := 0
	for i, row := range rows {
		for ; begun < min(i+together, len(rows)); begun++ {
			rows[begun].begin(t, begun)
		}
		t.Run(row.name, func(t *testing.T) { row.check(t, g) })
		row.hangup()
	}
	g.noCalls()
}

// begin starts both sides and places their calls.
func (row *callRow) begin(t *testing.T, n int) {
	row.meeting = fmt.Sprintf("meeting-%d", n)
	row.peer.hz = 400 + 60*n
	row.mateHz = float64(1300 + 70*n)
	row.baresip = startBaresip(t, row.peer)
	if row.peer.password != "" {
		row.registered()
	}
	if row.peer.domain == "" {
		row.peer.domain = gatewayIP
	}
	args := []string{"--call", row.meeting + "@" + gatewayIP}
	if !row.peer.video {
		args = append(args, "--audio-only")
	}
	row.mate = startRoom(t, row.mateHz, args...)
	row.dial("sip:" + row.meeting + "@" + bracketed(row.peer.domain) + transportParameter(row.peer.transport))
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func transportParameter(transport string) string {
	if transport == "" {
		return ""
	}
	return ";transport=" + transport
}

func (row *callRow) check(t *testing.T, g *gateway) {
	during(t, row.process, row.mate.process)
	b := row.baresip
	b.established()
	b.hears(row.mateHz, float64(row.peer.hz))
	width, height := 0, 0
	if row.peer.video {
		b.seesSize(1280, 720)
		width, height = 1280, 720
		if row.peer.size != "" {
			_, _ = fmt.Sscanf(row.peer.size, "%dx%d", &width, &height)
		}
	}
	mine, mates := g.callsIn(t, row.meeting)
	if mine.Encryption != row.encryption {
		t.Errorf("the gateway says encryption %q, want %q", mine.Encryption, row.encryption)
	}
	eventually(t, 15*time.Second, "media flows to the terminal", func() bool {
		_, mates = g.callsIn(t, row.meeting)
		return mates.packets("audio", "send") > 100 && (width == 0 || mates.packets("video", "send") > 200)
	})
	if a := row.peer.address; a == "" && !strings.HasPrefix(mine.Remote.Address, peerIP) || a != "" && !strings.HasPrefix(mine.Remote.Address, bracketed(a)) {
		t.Errorf("the gateway says %s, the call comes from %q", mine.Remote.Address, a)
	}
	if tr := row.peer.transport; mine.Remote.Transport != tr && tr != "" {
		t.Errorf("transport %q, want %q", mine.Remote.Transport, tr)
	}
	for _, m := range mine.Media {
		if m.Kind == "audio" && !strings.EqualFold(m.Codec, row.codec) {
			t.Errorf("audio %s in %s, want %s", m.Direction, m.Codec, row.codec)
		}
	}
	row.mate.heard(float64(row.peer.hz), "G722", "none", width, height)
}

// callsIn finds, in a meeting of two, the call whose user agent is baresip's
// and the other one.
func (g *gateway) callsIn(t *testing.T, meeting string) (mine, mates apiCall) {
	t.Helper()
	for _, c := range g.calls() {
		switch {
		case c.Meeting != meeting:
		case strings.HasPrefix(c.Remote.UserAgent, "baresip"):
			mine = c
		default:
			mates = c
		}
	}
	return mine, mates
}

// seesSize waits until the picture decoded has a size: snapshots are taken
// until one has, for senders begin small.
func (b *baresip) seesSize(width, height int) {
	b.t.Helper()
	b.sees()
	file := filepath.Join(b.dir, "size.png")
	got := ""
	eventually(b.t, 30*time.Second, fmt.Sprintf("%s decodes %dx%d", b.name, width, height), func() bool {
		if f, err := os.Open(file); err == nil {
			if c, err := png.DecodeConfig(f); err == nil {
				got = fmt.Sprintf("%dx%d", c.Width, c.Height)
			}
			f.Close()
			_ = os.Remove(file)
		} else {
			b.command("snapshot_recv", file)
		}
		return got == fmt.Sprintf("%dx%d", width, height)
	})
}

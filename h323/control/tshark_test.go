package control

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/internal/pcap"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/tpkt"
	"github.com/roomgate/roomgate/media"
)

// TestDissect has tshark read everything that two sessions say to each other: it finds the
// messages that were sent, and nothing malformed.
func TestDissect(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("NO TSHARK: what we send is not dissected by anybody else")
	}
	var w pcap.Writer
	sent := 0
	for _, policy := range []string{"off", "require"} {
		p := talkative(t, policy)
		for _, s := range []*side{p.a, p.b} {
			from, to := addr("192.0.2.1:40001"), addr("192.0.2.2:40002")
			if s == p.b {
				from, to = to, from
			}
			for _, m := range s.sent {
				data, err := m.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				packet, err := tpkt.Append(nil, data)
				if err != nil {
					t.Fatal(err)
				}
				w.TCP(from, to, packet)
				sent++
			}
		}
	}
	file := filepath.Join(t.TempDir(), "h245.pcap")
	if err := os.WriteFile(file, w.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	fields := func(filter string, more ...string) string {
		var stderr bytes.Buffer
		cmd := exec.Command(tshark, append([]string{"-r", file, "-d", "tcp.port==40001,h245", "-Y", filter}, more...)...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("tshark: %v\n%s", err, &stderr)
		}
		return string(out)
	}
	if bad := fields("_ws.malformed || _ws.expert.severity >= 0x800000 && h245", "-V"); bad != "" {
		t.Errorf("malformed:\n%.4000s", bad)
	}
	if n := strings.Count(fields("h245", "-T", "fields", "-e", "frame.number"), "\n"); n != sent {
		t.Errorf("%d messages sent, %d dissected", sent, n)
	}
}

// talkative is a call in which everything is said that a session can say.
func talkative(t *testing.T, policy string) *pair {
	t.Helper()
	vendor := h245.NonStandardIdentifier{H221NonStandard: &h245.NonStandardIdentifierH221NonStandard{T35CountryCode: 188, ManufacturerCode: 1}}
	config := func() Config {
		c := Config{Capabilities: allCodecs(), Encryption: policy, KeepAlive: time.Minute, Identity: Identity{Vendor: vendor, Product: "roomgate", Version: "1", Name: "Room 1"}}
		c.Capabilities.Audio = formats(media.Opus, media.G7221, media.G722, media.PCMA)
		if policy != "off" {
			c.Security = &fakeSecurity{algorithms: []per.OID{aes128}}
		}
		return c
	}
	p := newPair(t, config(), config()).start()
	p.a.granting(&p.now, true)
	p.b.granting(&p.now, true)
	for _, s := range []*side{p.a, p.b} {
		if err := s.RequestToken(p.now); err != nil {
			t.Fatal(err)
		}
		p.settle()
		s.RequestKeyframe(p.now, media.Main)
		s.LimitReceive(p.now, media.Main, 256_000)
		s.Mute(p.now, media.Audio, true)
		s.Number(p.now, 1, 2)
		s.Joined(p.now, 1, 3)
		s.Left(p.now, 1, 3)
		s.Seen(p.now, true)
		if err := s.SendDigits(p.now, "1#", 100*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		s.hears(p.now, &h245.RequestMessage{ConferenceRequest: &h245.ConferenceRequest{EnterH243TerminalID: true}})
		s.hears(p.now, &h245.RequestMessage{RequestMode: &h245.RequestMode{RequestedModes: [][]h245.ModeElement{{{Type: h245.ModeElementType{AudioMode: &h245.AudioMode{G711Alaw64k: true}}}}}}})
		s.hears(p.now, &h245.RequestMessage{CommunicationModeRequest: &h245.CommunicationModeRequest{}})
		s.hears(p.now, &h245.RequestMessage{MaintenanceLoopRequest: &h245.MaintenanceLoopRequest{Type: h245.MaintenanceLoopRequestType{SystemLoop: true}}})
		p.settle()
	}
	p.a.ReleaseToken(p.now)
	p.b.ReleaseToken(p.now)
	hold := p.a.can
	hold.Hold = true
	if err := p.a.Update(p.now, hold); err != nil {
		t.Fatal(err)
	}
	p.settle()
	hold.Hold = false
	if err := p.a.Update(p.now, hold); err != nil {
		t.Fatal(err)
	}
	p.settle()
	p.pass(2 * time.Minute)
	p.a.Close(p.now)
	p.settle()
	return p
}

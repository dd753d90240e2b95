package sip_test

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/sip"
)

// baresip registers with an agent, calls it and talks at 500 Hz.
func baresip(t *testing.T, to netip.AddrPort, transport, encryption string) {
	t.Helper()
	path, err := exec.LookPath("baresip")
	if err != nil {
		t.Skip("BARESIP IS NOT INSTALLED: calls of another implementation are NOT tested")
	}
	dir := t.TempDir()
	config := fmt.Sprintf("sip_listen 127.0.0.1:%d\nsip_verify_server no\naudio_source ausine,500\naudio_player nil,nil\n"+
		"audio_alert nil,nil\nausrc_srate 48000\nauplay_srate 48000\nausrc_channels 2\nauplay_channels 2\n"+
		"net_interface 127.0.0.1\nmodule_path /usr/lib/baresip/modules\n", freePort(t))
	for _, m := range strings.Fields("g711 ausine srtp uuid menu account") {
		config += "module " + m + ".so\n"
	}
	account := fmt.Sprintf("<sip:hall@%s;transport=%s>;auth_user=hall;auth_pass=secret;regint=60", to, transport)
	if encryption != "" {
		account += ";mediaenc=" + encryption
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "accounts"), []byte(account+"\n"), 0o600))
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	cmd := exec.Command(path, "-f", dir, "-v", "-e", fmt.Sprintf("/dial sip:88001@%s;transport=%s", to, transport))
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("baresip: %s", text)
		}
		log.Close()
	})
}

// Another implementation calls: registered with digest, over every transport,
// with and without SRTP. Its tone is measured here.
func TestBaresipCalls(t *testing.T) {
	cert, _ := certificate(t)
	for _, tc := range []struct{ transport, mediaenc, encryption string }{
		{"udp", "", "none"}, {"tcp", "srtp", "srtp"}, {"tls", "srtp-mand", "srtp"},
	} {
		t.Run(tc.transport, func(t *testing.T) {
			a := start(t, func(c *sip.Config) {
				withAccounts(c)
				c.Direct = false
				c.Domains = nil
				c.Listen = []sip.Listener{{Transport: tc.transport, Address: "127.0.0.1:0"}}
				c.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil }
			})
			baresip(t, a.address(tc.transport), tc.transport, tc.mediaenc)
			leg := a.next()
			require.True(t, leg.Info().Remote.Registered)
			require.Contains(t, leg.Info().Remote.Product, "baresip")
			require.NoError(t, leg.Accept(within(t), phone))
			require.Equal(t, tc.encryption, leg.Info().Encryption)
			require.InDelta(t, 500, heard(t, leg), 15)
			require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
			await(t, leg, call.Ended)
		})
	}
}

// heard measures the frequency of half a second of G.711 by its zero
// crossings: the top bit of a sample is its sign.
func heard(t *testing.T, leg call.Leg) float64 {
	t.Helper()
	var track media.Track
	select {
	case track = <-leg.Tracks():
	case <-time.After(patience):
		t.Fatal("no audio came")
	}
	const wanted = 25 // packets of 160 samples
	done := make(chan float64, 1)
	packets, crossings, samples := 0, 0, 0
	last := byte(0)
	detach := track.Attach(media.WriterFunc(func(p *rtp.Packet) error {
		if packets++; packets <= 10 || packets > 10+wanted { // the tone is faded in
			return nil
		}
		for _, b := range p.Payload {
			if b&0x80 != last {
				crossings++
				last = b & 0x80
			}
			samples++
		}
		if packets == 10+wanted {
			done <- float64(crossings) / 2 / (float64(samples) / 8000)
		}
		return nil
	}))
	defer detach()
	select {
	case f := <-done:
		return f
	case <-time.After(patience):
		t.Fatal("too little audio came")
		return 0
	}
}

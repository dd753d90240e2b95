package terminal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// freePort finds a port that is free for UDP and TCP, with the next one.
func freePort(t *testing.T) int {
	t.Helper()
	// Below the ports that the kernel gives to others.
	for range 1000 {
		at := net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 10000 + 2*rand.IntN(5000)}
		if free(at) && free(net.UDPAddr{IP: at.IP, Port: at.Port + 1}) {
			return at.Port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func free(at net.UDPAddr) bool {
	u, err := net.ListenUDP("udp", &at)
	if err != nil {
		return false
	}
	defer u.Close()
	c, err := net.Listen("tcp", at.String())
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// startBaresip runs a baresip that answers, talks at 500 Hz and sends a test
// picture, and gives its address.
func startBaresip(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("baresip"); err != nil {
		t.Skip("baresip is missing: the terminal is NOT tried against another implementation; run make setup-test")
	}
	dir, port := t.TempDir(), freePort(t)
	config := fmt.Sprintf(`sip_listen 127.0.0.1:%d
audio_source ausine,500
audio_player nil,nil
audio_alert nil,nil
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 2
video_source fakevideo,nil
video_display fakevideo,nil
video_size 640x360
video_bitrate 500000
video_fps 25
avcodec_h264enc libx264
avcodec_h264dec h264
net_interface 127.0.0.1
module_path /usr/lib/baresip/modules
`, port)
	for _, m := range strings.Fields("account menu g711 g722 ausine avcodec fakevideo uuid") {
		config += "module " + m + ".so\n"
	}
	account := fmt.Sprintf("<sip:peer@127.0.0.1:%d>;regint=0;answermode=auto\n", port)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "accounts"), []byte(account), 0o600))
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	cmd := exec.Command("baresip", "-f", dir, "-v")
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
	awaitSIP(t, port)
	return fmt.Sprintf("peer@127.0.0.1:%d", port)
}

// awaitSIP sends OPTIONS until something answers.
func awaitSIP(t *testing.T, port int) {
	t.Helper()
	c, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	require.NoError(t, err)
	defer c.Close()
	message := fmt.Sprintf("OPTIONS sip:peer@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKawait;rport\r\n"+
		"From: <sip:t@127.0.0.1>;tag=a\r\nTo: <sip:peer@127.0.0.1>\r\nCall-ID: await\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n", c.LocalAddr())
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		_, _ = c.Write([]byte(message))
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if n, _ := c.Read(make([]byte, 2000)); n > 0 {
			return
		}
	}
	t.Fatal("baresip does not listen")
}

func TestBaresip(t *testing.T) {
	target := startBaresip(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := Run(ctx, Options{
		Call: target, Address: "127.0.0.1", Codecs: []string{"PCMA"},
		enough: func(packets uint64, frames pictures, _ string) bool { return packets > 100 && frames[media.Main] > 45 },
	})
	require.NoError(t, err)
	assert.True(t, r.OK(), "%+v", r)
	require.NotNil(t, r.Audio)
	assert.Equal(t, "PCMA", r.Audio.Codec)
	assert.InDelta(t, 500, r.Audio.FrequencyHz, 5)
	require.NotNil(t, r.Video)
	assert.Equal(t, [2]int{640, 360}, [2]int{r.Video.Width, r.Video.Height})
	assert.Greater(t, r.Video.Frames, 40)
}

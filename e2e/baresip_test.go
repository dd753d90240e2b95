package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// baresip is a running baresip with a tone of its own as microphone, what it
// hears and sees kept in files.
type baresip struct {
	*process
	user    string
	address string // where it listens for calls
	dir     string
	conn    net.Conn
}

// peerOptions say what a baresip is like.
type peerOptions struct {
	address   string // its own; default peerIP
	transport string // udp, tcp, tls
	user      string // registers with the password when set
	password  string
	hz        int // its tone
	video     bool
	size      string // of its pictures; default 1280x720
	mediaenc  string // "", srtp, srtp-mand, dtls_srtp
	codecs    string // audio_codecs of the account
	domain    string // default the gateway's address
	answer    bool   // answers calls by itself
	mode      string // answermode: manual (default), early
	keys      string // dtmfmode: rtpevent (default), info
}

var peerPorts atomic.Int32

// startBaresip configures and runs a baresip and connects to its control port.
func startBaresip(t *testing.T, o peerOptions) *baresip {
	t.Helper()
	n := int(peerPorts.Add(1))
	if o.address == "" {
		o.address = peerIP
	}
	if o.transport == "" {
		o.transport = "udp"
	}
	if o.domain == "" {
		o.domain = gatewayIP
	}
	if o.user == "" {
		o.user = "peer" + strconv.Itoa(n)
	}
	dir := t.TempDir()
	ctrl := 14000 + n
	writeFiles(t, dir, map[string]string{
		"config":   o.config(dir, ctrl, n),
		"accounts": o.account(),
	})
	b := &baresip{user: o.user, address: o.listen(n), dir: dir, process: start(t, fmt.Sprintf("baresip%d", n), inPeers("baresip", "-f", dir, "-v"))}
	eventually(t, 10*time.Second, "baresip listens for commands", func() bool {
		conn, err := net.Dial("tcp", net.JoinHostPort(peerIP, strconv.Itoa(ctrl)))
		if err == nil {
			b.conn = conn
		}
		return err == nil
	})
	t.Cleanup(func() { b.conn.Close() })
	return b
}

func (o peerOptions) config(dir string, ctrl, n int) string {
	modules := []string{"g711.so", "g722.so", "opus.so", "srtp.so", "dtls_srtp.so", "stdio.so", "ausine.so", "sndfile.so", "plc.so", "aufile.so", "uuid.so"}
	if o.video {
		modules = append(modules, "avcodec.so", "fakevideo.so", "snapshot.so", "swscale.so", "avformat.so")
	}
	modules = append(modules, "account.so", "ctrl_tcp.so", "menu.so") // after the codecs that accounts name
	var b strings.Builder
	fmt.Fprintf(&b, "sip_listen %s\n", o.listen(n))
	fmt.Fprintf(&b, "ctrl_tcp_listen 0.0.0.0:%d\n", ctrl)
	fmt.Fprintf(&b, "call_local_timeout 60\ncall_max_calls 4\n")
	hz := o.hz
	if hz == 0 {
		hz = 440
	}
	fmt.Fprintf(&b, "audio_source ausine,%d\naudio_player nil,nil\naudio_alert nil,nil\n", hz)
	fmt.Fprintf(&b, "ausrc_srate 48000\nauplay_srate 48000\nausrc_channels 2\nauplay_channels 2\naudio_level no\n")
	fmt.Fprintf(&b, "snd_path %s\n", dir)
	if o.video {
		size := o.size
		if size == "" {
			size = "1280x720"
		}
		fmt.Fprintf(&b, "video_source fakevideo,nil\nvideo_display fakevideo,nil\nvideo_size %s\nvideo_bitrate 1000000\nvideo_fps 30\nvideo_fullscreen no\n", size)
		fmt.Fprintf(&b, "avcodec_h264enc libx264\navcodec_h264dec h264\n")
	}
	fmt.Fprintf(&b, "rtp_ports %d-%d\nrtcp_mux no\njitter_buffer_type fixed\njitter_buffer_delay 5-10\nrtp_stats yes\nnet_interface %s\n", 30000+100*n, 30098+100*n, o.address)
	fmt.Fprintf(&b, "module_path /usr/lib/baresip/modules\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "module %s\n", m)
	}
	return b.String()
}

func (o peerOptions) listen(n int) string {
	return net.JoinHostPort(o.address, strconv.Itoa(16000+2*n))
}

func (o peerOptions) account() string {
	host := o.domain
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	line := fmt.Sprintf("<sip:%s@%s;transport=%s>", o.user, host, o.transport)
	if o.password != "" {
		line += ";auth_pass=" + o.password + ";regint=60"
	} else {
		line += ";regint=0"
	}
	if o.answer {
		line += ";answermode=auto"
	}
	if o.mode != "" {
		line += ";answermode=" + o.mode
	}
	if o.mediaenc != "" {
		line += ";mediaenc=" + o.mediaenc
	}
	if o.keys != "" {
		line += ";dtmfmode=" + o.keys
	}
	if o.codecs != "" {
		line += ";audio_codecs=" + o.codecs
	}
	return line + "\n"
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// command sends one command over the control port (a netstring of JSON).
func (b *baresip) command(name, params string) {
	b.t.Helper()
	msg, err := json.Marshal(map[string]string{"command": name, "params": params})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(msg), msg); err != nil {
		b.t.Fatalf("baresip command %s: %v", name, err)
	}
}

func (b *baresip) dial(target string) { b.command("dial", target) }

func (b *baresip) hangup() { b.command("hangup", "") }

// established waits until a call is up.
func (b *baresip) established() {
	b.t.Helper()
	eventually(b.t, 15*time.Second, "baresip has a call", func() bool {
		return strings.Contains(b.text(), "Call established")
	})
}

// registered waits until the registrar has taken it.
func (b *baresip) registered() {
	b.t.Helper()
	eventually(b.t, 15*time.Second, "baresip is registered", func() bool {
		return strings.Contains(b.text(), "200 OK") || strings.Contains(b.text(), "registered successfully")
	})
}

// heard is the recording of what was heard so far: the newest one.
func (b *baresip) heard() string {
	files, _ := filepath.Glob(filepath.Join(b.dir, "dump-*-dec.wav"))
	if len(files) == 0 {
		return ""
	}
	return files[len(files)-1]
}

// hears waits until a tone is heard and others are not (more than 20 dB below).
func (b *baresip) hears(hz float64, not ...float64) {
	b.t.Helper()
	var level, other float64
	eventually(b.t, 45*time.Second, fmt.Sprintf("%s hears %.0f Hz and not %v", b.name, hz, not), func() bool {
		rate, pcm := lastSecond(b.heard())
		level, other = power(pcm, rate, hz), -200
		for _, n := range not {
			other = max(other, power(pcm, rate, n))
		}
		return level > -45 && other < level-20
	})
	b.t.Logf("%s hears %.0f Hz at %.1f dBFS, others at %.1f", b.name, hz, level, other)
}

// sees waits until a picture was decoded, and keeps it as PNG.
func (b *baresip) sees() {
	b.t.Helper()
	eventually(b.t, 15*time.Second, b.name+" decodes a picture", func() bool {
		return strings.Contains(b.text(), "receiving with resolution")
	})
	file := filepath.Join(b.dir, "seen.png")
	b.command("snapshot_recv", file)
	eventually(b.t, 5*time.Second, b.name+" keeps a decoded picture", func() bool {
		info, err := os.Stat(file)
		return err == nil && info.Size() > 1000
	})
}

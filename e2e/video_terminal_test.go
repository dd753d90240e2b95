package e2e

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media/h264"
)

// publishModeZero makes the meeting page publish with packetization-mode 0.
const publishModeZero = `(() => {
	const add = RTCPeerConnection.prototype.addTransceiver;
	RTCPeerConnection.prototype.addTransceiver = function (track, init) {
		const tr = add.call(this, track, init);
		if (track.kind === "video") {
			tr.setCodecPreferences(RTCRtpSender.getCapabilities("video").codecs.filter((c) => c.mimeType !== "video/H264" ||
				c.sdpFmtpLine.includes("packetization-mode=0;profile-level-id=42e01f")));
		}
		return tr;
	};
	return true;
})()`

// lobby opens the meeting page and stops before joining.
func lobby(t *testing.T, alias string, o browserOptions) *browser {
	t.Helper()
	b := openBrowser(t, o)
	b.visit(alias)
	return b
}

// enter joins from the lobby.
func (b *browser) enter() {
	b.t.Helper()
	b.run("join", 30*time.Second,
		chromedp.SendKeys(chromedp.CSS(`[data-testid=name]`), "Chromium"),
		chromedp.Click(chromedp.CSS(`[data-testid=join]`)),
		chromedp.WaitVisible(chromedp.CSS(`[data-testid=meeting]`)))
}

// videoNotice is why the only call is sent no video, or "".
func (g *gateway) videoNotice() string {
	g.t.Helper()
	code, body := g.get("/api/v1/calls")
	if code != 200 {
		g.t.Fatalf("GET calls: %d %s", code, body)
	}
	m := regexp.MustCompile(`"notice":"([^"]*)"`).FindSubmatch(body)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// videoTerminal is a terminal that takes H.264 of one kind, and looks into its
// packets.
type videoTerminal struct {
	t   *testing.T
	rtp net.PacketConn

	sip   net.Conn
	alias string
	tag   string       // of the gateway, as a parameter
	rtcp  *net.UDPAddr // where the gateway hears of its pictures
	asked uint32       // requests for a keyframe

	mu   sync.Mutex
	seen seenVideo
}

// callWithVideo calls a meeting with the least there is of SIP; fmtp is that of
// its H.264.
func callWithVideo(t *testing.T, alias, fmtp string) *videoTerminal {
	t.Helper()
	audio, video := listenLoopback(t), listenLoopback(t)
	sip, err := net.Dial("udp", net.JoinHostPort("127.0.0.1", strconv.Itoa(sipPort)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sip.Close() })
	m := &videoTerminal{t: t, rtp: video, seen: seenVideo{Units: map[h264.Type]int{}, begun: time.Now()}}
	go m.read()
	offer := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8\r\n"+
		"m=video %d RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\na=fmtp:99 %s\r\n", portOf(audio), portOf(video), fmtp)
	fmt.Fprint(sip, videoRequest(sip, "INVITE", alias, "", offer))
	answer := finalAnswer(t, sip)
	to := regexp.MustCompile(`(?m)^To:[^\r]*(;tag=[^\r;]+)`).FindStringSubmatch(answer)
	if to == nil || !strings.Contains(answer, "m=video ") || strings.Contains(answer, "packetization-mode=1") != strings.Contains(fmtp, "packetization-mode=1") {
		t.Fatalf("answer: %s", answer)
	}
	fmt.Fprint(sip, videoRequest(sip, "ACK", alias, to[1], ""))
	m.sip, m.alias, m.tag = sip, alias, to[1]
	where := regexp.MustCompile(`(?s)c=IN IP4 ([0-9.]+).*m=video (\d+) `).FindStringSubmatch(answer)
	if where == nil {
		t.Fatalf("no address of pictures in %s", answer)
	}
	port, _ := strconv.Atoi(where[2])
	m.rtcp = &net.UDPAddr{IP: net.ParseIP(where[1]), Port: port + 1}
	return m
}

func listenLoopback(t *testing.T) net.PacketConn {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func portOf(c net.PacketConn) int { return c.LocalAddr().(*net.UDPAddr).Port }

func videoRequest(sip net.Conn, method, alias, tag, body string) string {
	head := fmt.Sprintf("%[1]s sip:%[2]s@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bK%[1]s;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:video@127.0.0.1>;tag=video\r\nTo: <sip:%[2]s@127.0.0.1>%[4]s\r\nCall-ID: video-%[3]s\r\nCSeq: 1 %[1]s\r\n"+
		"Contact: <sip:video@%[3]s>\r\n", method, alias, sip.LocalAddr(), tag)
	if body != "" {
		head += "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// finalAnswer waits for a 200.
func finalAnswer(t *testing.T, sip net.Conn) string {
	t.Helper()
	buf := make([]byte, 8192)
	_ = sip.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		n, err := sip.Read(buf)
		if err != nil {
			t.Fatalf("no answer to INVITE: %v", err)
		}
		answer := string(buf[:n])
		switch {
		case strings.HasPrefix(answer, "SIP/2.0 200"):
			return answer
		case !strings.HasPrefix(answer, "SIP/2.0 1"):
			t.Fatalf("INVITE: %s", answer)
		}
	}
}

func (m *videoTerminal) read() {
	buf := make([]byte, 2048)
	for {
		n, _, err := m.rtp.ReadFrom(buf)
		if err != nil {
			return
		}
		var p rtp.Packet
		if p.Unmarshal(buf[:n]) != nil || len(p.Payload) == 0 {
			continue
		}
		m.mu.Lock()
		m.seen.count(p.PayloadType, p.Timestamp, p.Payload)
		m.mu.Unlock()
	}
}

func (m *videoTerminal) packets() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen.Packets
}

// video waits for so many pictures.
func (m *videoTerminal) video(pictures int) seenVideo {
	m.t.Helper()
	eventually(m.t, 30*time.Second, fmt.Sprintf("%d pictures", pictures), func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.seen.Pictures >= pictures
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}

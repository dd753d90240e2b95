package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// metric is the value of a metric without labels.
func (g *gateway) metric(name string) float64 {
	g.t.Helper()
	_, text := g.get("/metrics")
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		g.t.Fatalf("no metric %s", name)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

// begs asks for a keyframe in the three ways there are: PLI (RFC 4585 §6.3.1), FIR
// (RFC 5104 §4.3.1) and picture_fast_update in an INFO (RFC 5168), in turn.
func (m *videoTerminal) begs() {
	m.t.Helper()
	m.asked++
	var p rtcp.Packet = &rtcp.PictureLossIndication{SenderSSRC: 7}
	switch m.asked % 3 {
	case 1:
		p = &rtcp.FullIntraRequest{SenderSSRC: 7, FIR: []rtcp.FIREntry{{SequenceNumber: uint8(m.asked)}}}
	case 2:
		const body = `<?xml version="1.0"?><media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>`
		fmt.Fprintf(m.sip, "INFO sip:%[1]s@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bKinfo%[3]d;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:video@127.0.0.1>;tag=video\r\nTo: <sip:%[1]s@127.0.0.1>%[4]s\r\nCall-ID: video-%[2]s\r\nCSeq: %[3]d INFO\r\n"+
			"Contact: <sip:video@%[2]s>\r\nContent-Type: application/media_control+xml\r\nContent-Length: %[5]d\r\n\r\n%[6]s",
			m.alias, m.sip.LocalAddr(), m.asked+1, m.tag, len(body), body)
		return
	}
	b, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7}, p})
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.rtp.WriteTo(b, m.rtcp); err != nil {
		m.t.Fatal(err)
	}
}

func (m *videoTerminal) counts() (pictures, keyframes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen.Pictures, m.seen.Keyframes
}

// Six terminals that look at one screen cost one encode. Who asks for keyframes without
// end, by RTCP and by SIP, or comes meanwhile, changes nothing about that, and keyframes
// stay few.
func TestManyLookAtOneEncode(t *testing.T) {
	g := startGateway(t, "video: {worker: auto}\n")
	g.meeting("many", "3x3")
	for i := range 2 {
		startRoom(t, 440+110*float64(i), "--call", "many@"+gatewayIP, "--video", fmt.Sprintf("card:%d", i+1), "--codecs", "PCMA")
	}
	const takes = "profile-level-id=42e01e;packetization-mode=1"
	eventually(t, 20*time.Second, "both are in", func() bool { return g.legsIn("many") == 2 })
	var crowd []*videoTerminal
	for range 5 {
		crowd = append(crowd, callWithVideo(t, "many", takes))
	}
	for _, m := range crowd {
		m.video(30)
	}
	// One for the two terminals, one for the five that take less.
	eventually(t, 20*time.Second, "two encoders", func() bool { return g.metric("roomgate_video_encoders") == 2 })

	first := crowd[0]
	pictures, keyframes := first.counts()
	began, requests := time.Now(), 0
	storm := func(until int) func() bool {
		return func() bool {
			for _, m := range crowd {
				m.begs()
				requests++
			}
			now, _ := first.counts()
			return now-pictures >= until
		}
	}
	eventually(t, 30*time.Second, "pictures in a storm", storm(100))
	late := callWithVideo(t, "many", takes)
	late.video(5)
	eventually(t, 30*time.Second, "more pictures in a storm", storm(200))
	elapsed := time.Since(began)
	gotPictures, gotKeyframes := first.counts()
	gotPictures, gotKeyframes = gotPictures-pictures, gotKeyframes-keyframes
	t.Logf("%d requests of %d terminals in %v: %d pictures, %d of them keyframes", requests, len(crowd), elapsed, gotPictures, gotKeyframes)
	if n := g.metric("roomgate_video_encoders"); n != 2 {
		t.Errorf("%g encoders after a storm and one more who looks", n)
	}
	// At most one keyframe in 900 ms mends losses; who has come has one of their own.
	if most := int(elapsed/(900*time.Millisecond)) + 3; gotKeyframes > most || gotKeyframes < 1 {
		t.Errorf("%d keyframes in %v, want 1 to %d", gotKeyframes, elapsed, most)
	}
	if most := int(elapsed.Seconds()*30) + 5; gotPictures > most {
		t.Errorf("%d pictures in %v, want %d at most", gotPictures, elapsed, most)
	}
}

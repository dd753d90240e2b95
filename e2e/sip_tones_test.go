package e2e

import (
	"encoding/binary"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/tone"
	"github.com/roomgate/roomgate/transcode"
)

// keyTones are the frequencies of ITU-T Q.23, by row and column.
var keyTones = map[rune][2]float64{
	'1': {697, 1209}, '5': {770, 1336}, '6': {770, 1477}, '9': {852, 1477}, '*': {941, 1209}, '#': {941, 1477},
}

// pressed is PCMU of digits as an analogue phone makes them: 100 ms of tones,
// 100 ms of silence, in packets of 20 ms.
func pressed(t *testing.T, digits string) (packets [][]byte) {
	t.Helper()
	encoder, err := (&transcode.Codecs{}).NewEncoder(media.Format{Codec: media.PCMU, ClockRate: 8000}, 8000)
	if err != nil {
		t.Fatal(err)
	}
	silence := make([]int16, 800)
	pcm := append([]int16(nil), silence...)
	for _, d := range digits {
		low, high := make([]int16, 800), make([]int16, 800)
		tone.NewGenerator(8000, keyTones[d][0], -15).Read(low)
		tone.NewGenerator(8000, keyTones[d][1], -13).Read(high)
		for i := range low {
			low[i] += high[i]
		}
		pcm = append(append(pcm, low...), silence...)
	}
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		payload := make([]byte, 200)
		n, err := encoder.Encode(payload, pcm[:160])
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, payload[:n])
	}
	return packets
}

// A phone that knows no telephone events keys digits as tones; they are events
// of the API like the others, and commands.
func TestDigitsAsTones(t *testing.T) {
	g := startGateway(t, "")
	keys := followKeypad(t, g)
	keyAsTones(t, g, "demo", "159#*6", func() {
		eventually(t, 10*time.Second, "the digits are told", func() bool {
			calls := g.calls()
			return len(calls) == 1 && keys.of(calls[0].ID) == "159#*6"
		})
		eventually(t, 10*time.Second, "they have muted the phone", func() bool { return g.muted("demo") })
	})
}

// The lobby takes digits as tones, and keeps them to itself.
func TestVoiceMenuByTones(t *testing.T) {
	g := startGateway(t, "lobby: {language: vi}\n")
	g.makeMeeting(map[string]any{"alias": "159", "guest_pin": "951"})
	keys := followKeypad(t, g)
	keyAsTones(t, g, "lobby", "159#951#", func() {
		g.inMeeting("159", "active", 1)
		if told := keys.of(g.calls()[0].ID); told != "" {
			t.Errorf("the events tell %q", told)
		}
	})
}

// keyAsTones calls as a phone that knows no telephone events, keys digits, and
// hangs up after what then is to be looked at.
func keyAsTones(t *testing.T, g *gateway, target, digits string, then func()) {
	t.Helper()
	rtp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(gatewayIP)})
	if err != nil {
		t.Fatal(err)
	}
	defer rtp.Close()
	p, callID := newPen(t, "tcp"), newCallID()
	_, port, _ := net.SplitHostPort(rtp.LocalAddr().String())
	offer := "v=0\r\no=- 1 1 IN IP4 " + gatewayIP + "\r\ns=-\r\nc=IN IP4 " + gatewayIP + "\r\nt=0 0\r\nm=audio " + port + " RTP/AVP 0\r\n"
	p.send(p.request("INVITE", target, callID, 1, "", callID, offer))
	answer := p.final(callID, "1 INVITE")
	p.send(p.request("ACK", target, callID, 1, toTag(answer), callID+"ack", ""))
	m := regexp.MustCompile(`m=audio (\d+) `).FindStringSubmatch(answer.body)
	if answer.status() != 200 || m == nil || strings.Contains(answer.body, "telephone-event") {
		t.Fatalf("%s\n%s", answer.first, answer.body)
	}
	to := &net.UDPAddr{IP: net.ParseIP(gatewayIP)}
	to.Port, _ = strconv.Atoi(m[1])
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i, payload := range pressed(t, digits) {
		<-tick.C
		header := binary.BigEndian.AppendUint16([]byte{0x80, 0}, uint16(i))
		header = binary.BigEndian.AppendUint32(header, uint32(160*i))
		header = binary.BigEndian.AppendUint32(header, 4711)
		if _, err := rtp.WriteToUDP(append(header, payload...), to); err != nil {
			t.Fatal(err)
		}
	}
	then()
	p.bye(target, callID, answer)
	g.noCalls()
}

package e2e

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/roomgate/roomgate/media/h264"
)

// receiver takes a browser's H.264 by WebRTC and counts what is in the packets.
type receiver struct {
	t  *testing.T
	pc *webrtc.PeerConnection

	mu     sync.Mutex
	seen   map[string]*seenVideo // by RID; "" without simulcast
	remb   float32               // bit/s told to the sender; 0 = not limited
	closed chan struct{}
}

// seenVideo is one stream as its packets show it.
type seenVideo struct {
	PayloadType uint8
	Units       map[h264.Type]int // as they stand in packets: 24 is STAP-A, 28 FU-A
	Packets     int
	Pictures    int
	Keyframes   int
	Bytes       int // of payload
	Largest     int // payload of one packet
	MostSlices  int // of one picture
	SPS         h264.SPS
	Sizes       []string // in the order they came

	timestamp uint32
	slices    int
	begun     time.Time
}

// newReceiver answers with one format of H.264; fmtp as in SDP.
func newReceiver(t *testing.T, fmtp string) *receiver {
	t.Helper()
	engine := &webrtc.MediaEngine{}
	codec := webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: fmtp,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "goog-remb"}},
	}}
	if err := engine.RegisterCodec(codec, webrtc.RTPCodecTypeVideo); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"} {
		if err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo); err != nil {
			t.Fatal(err)
		}
	}
	stages := &interceptor.Registry{}
	if err := webrtc.ConfigureNack(engine, stages); err != nil {
		t.Fatal(err)
	}
	if err := webrtc.ConfigureRTCPReports(stages); err != nil {
		t.Fatal(err)
	}
	settings := webrtc.SettingEngine{}
	settings.SetIPFilter(func(ip net.IP) bool { return ip.String() == gatewayIP })
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(stages), webrtc.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, pc: pc, seen: map[string]*seenVideo{}, closed: make(chan struct{})}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { r.read(track) })
	t.Cleanup(func() {
		close(r.closed)
		pc.Close()
	})
	return r
}

// answer takes an offer and returns the answer, candidates included.
func (r *receiver) answer(offer string) string {
	r.t.Helper()
	if err := r.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		r.t.Fatalf("offer: %v\n%s", err, offer)
	}
	answer, err := r.pc.CreateAnswer(nil)
	if err != nil {
		r.t.Fatalf("answer: %v\n%s", err, offer)
	}
	gathered := webrtc.GatheringCompletePromise(r.pc)
	if err := r.pc.SetLocalDescription(answer); err != nil {
		r.t.Fatal(err)
	}
	<-gathered
	return r.pc.LocalDescription().SDP
}

// allow tells the sender how much it may send, as a congested path would.
func (r *receiver) allow(bps float32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remb = bps
}

// read counts a stream, asks for a keyframe every two seconds and repeats the
// limit.
func (r *receiver) read(track *webrtc.TrackRemote) {
	go r.feedback(uint32(track.SSRC()))
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if len(p.Payload) == 0 {
			continue
		}
		r.mu.Lock()
		v := r.seen[track.RID()]
		if v == nil {
			v = &seenVideo{Units: map[h264.Type]int{}, begun: time.Now()}
			r.seen[track.RID()] = v
		}
		v.count(p.PayloadType, p.Timestamp, p.Payload)
		r.mu.Unlock()
	}
}

func (r *receiver) feedback(ssrc uint32) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		var packets []rtcp.Packet
		if n%10 == 0 {
			packets = append(packets, &rtcp.PictureLossIndication{MediaSSRC: ssrc})
		}
		r.mu.Lock()
		if r.remb > 0 {
			packets = append(packets, &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: r.remb, SSRCs: []uint32{ssrc}})
		}
		r.mu.Unlock()
		if len(packets) > 0 && r.pc.WriteRTCP(packets) != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.closed:
			return
		}
	}
}

// count takes one packet into account.
func (v *seenVideo) count(payloadType uint8, timestamp uint32, payload []byte) {
	v.PayloadType = payloadType
	v.Packets++
	v.Bytes += len(payload)
	v.Largest = max(v.Largest, len(payload))
	if timestamp != v.timestamp {
		v.timestamp, v.slices = timestamp, 0
		v.Pictures++
	}
	kind := h264.TypeOf(payload)
	v.Units[kind]++
	switch {
	case kind == 24: // STAP-A, RFC 6184 §5.7.1
		for rest := payload[1:]; len(rest) > 2; {
			n := int(rest[0])<<8 | int(rest[1])
			if n > len(rest)-2 {
				break
			}
			v.unit(rest[2 : 2+n])
			rest = rest[2+n:]
		}
	case kind == 28 && len(payload) > 1 && payload[1]&0x80 != 0: // first fragment, §5.8
		v.unit([]byte{payload[1] & 0x1f})
	case kind < 24:
		v.unit(payload)
	}
}

func (v *seenVideo) unit(nal []byte) {
	switch kind := h264.TypeOf(nal); {
	case kind.IsSlice():
		v.slices++
		if kind == h264.IDR && v.slices == 1 {
			v.Keyframes++
		}
		v.MostSlices = max(v.MostSlices, v.slices)
	case kind == h264.SPSUnit:
		sps, err := h264.ParseSPS(nal)
		if err != nil {
			return
		}
		v.SPS = sps
		size := fmt.Sprintf("%dx%d", sps.Width, sps.Height)
		if len(v.Sizes) == 0 || v.Sizes[len(v.Sizes)-1] != size {
			v.Sizes = append(v.Sizes, size)
		}
	}
}

// video waits for so many pictures of a stream and returns what was counted.
func (r *receiver) video(rid string, pictures int) seenVideo {
	r.t.Helper()
	var v seenVideo
	eventually(r.t, 30*time.Second, fmt.Sprintf("%d pictures of stream %q", pictures, rid), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if s := r.seen[rid]; s != nil && s.SPS.Width > 0 {
			v = *s
			v.Sizes = slices.Clone(s.Sizes)
			v.Units = map[h264.Type]int{}
			for kind, n := range s.Units {
				v.Units[kind] = n
			}
		}
		return v.Pictures >= pictures
	})
	return v
}

func (v seenVideo) kbps() int {
	return int(float64(v.Bytes) * 8 / 1000 / time.Since(v.begun).Seconds())
}

// String is a row of what was found, for the log.
func (v seenVideo) String() string {
	return fmt.Sprintf("PT %d, %d pictures, up to %d slices each, %d kbit/s, %d packets up to %d bytes, units %v, sizes %v, profile %02x%02x level %02x",
		v.PayloadType, v.Pictures, v.MostSlices, v.kbps(), v.Packets, v.Largest, v.Units, v.Sizes, v.SPS.ProfileIDC, v.SPS.Constraints, v.SPS.LevelIDC)
}

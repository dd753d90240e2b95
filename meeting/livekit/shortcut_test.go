package livekit

import (
	"bytes"
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v2"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/udp"
)

// inbound is a connection that receives from a peer which the test drives.
type inbound struct {
	t       *testing.T
	session *session
	from    *reception
	sub     *subscriber
	peer    *webrtc.PeerConnection
	stream  *webrtc.TrackLocalStaticRTP
	sender  *webrtc.RTPSender
	track   *remoteTrack
	detach  func() // the consumer

	mu    sync.Mutex
	taken int               // packets of the shortcut
	wire  [][]byte          // all RTP and RTCP that came
	came  []uint16          // what the consumer was given
	at    map[uint16]string // and its payload
	lose  map[uint16]int    // how often packets are lost on their way
}

// receive connects to a peer that has these profiles of SRTP and sends a stream whose sequence
// numbers begin with first.
func receive(t *testing.T, codec media.Codec, first uint16, profiles ...dtls.SRTPProtectionProfile) *inbound {
	n := &inbound{t: t, at: make(map[uint16]string), lose: make(map[uint16]int)}
	r, err := udp.NewReaders()
	require.NoError(t, err)
	client := &Client{nets: networks{readers: r}}
	client.config.IP = func(ip net.IP) bool { return ip.Equal(net.IPv4(127, 0, 0, 1)) }
	client.config.DeadAfter = 3 * time.Second
	n.session = &session{link: &link{client: client}}
	n.from = newReception(n.session.link, nil, High, false)
	engine, err := receivingCodecs([]media.Codec{media.H264})
	require.NoError(t, err)
	n.sub = &subscriber{ssrc: 77, shortcut: newShortcut()}
	n.sub.connection, err = newConnection(n.session, engine, &interceptor.Registry{}, n.sub.shortcut)
	require.NoError(t, err)
	n.session.subscriber = n.sub
	n.sub.network.first = n.first
	opened := make(chan struct{})
	n.sub.pc.OnTrack(func(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		n.track = newRemoteTrack(n.from, n.sub, remote, receiver)
		n.from.open[n.track.id] = n.track
		n.detach = n.track.Attach(media.WriterFunc(n.consume))
		go n.track.listen(receiver)
		close(opened)
		n.track.read(remote)
	})
	n.connect(codec, profiles)
	t.Cleanup(func() {
		require.NoError(t, n.peer.Close())
		n.sub.close()
		require.NoError(t, r.Close())
	})
	n.send(first)
	select {
	case <-opened:
	case <-time.After(10 * time.Second):
		t.Fatal("no track")
	}
	require.Eventually(t, func() bool {
		n.sub.shortcut.mu.Lock()
		defer n.sub.shortcut.mu.Unlock()
		return n.sub.shortcut.streams[n.track.ssrc] != nil
	}, 10*time.Second, time.Millisecond)
	return n
}

func (n *inbound) connect(codec media.Codec, profiles []dtls.SRTPProtectionProfile) {
	var settings webrtc.SettingEngine
	settings.LoggerFactory = silentLoggers{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.Equal(net.IPv4(127, 0, 0, 1)) })
	settings.SetSRTPProtectionProfiles(profiles...)
	engine := &webrtc.MediaEngine{}
	parameters, kind := wireCodec(codec)
	require.NoError(n.t, engine.RegisterCodec(parameters, kind))
	var err error
	n.peer, err = webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(webrtc.Configuration{})
	require.NoError(n.t, err)
	n.stream, err = webrtc.NewTrackLocalStaticRTP(parameters.RTPCodecCapability, "stream", "peer")
	require.NoError(n.t, err)
	n.sender, err = n.peer.AddTrack(n.stream)
	require.NoError(n.t, err)
	connected := make(chan struct{})
	n.peer.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	describe := func(from, to *webrtc.PeerConnection, make func() (webrtc.SessionDescription, error)) {
		d, err := make()
		require.NoError(n.t, err)
		gathered := webrtc.GatheringCompletePromise(from)
		require.NoError(n.t, from.SetLocalDescription(d))
		<-gathered
		require.NoError(n.t, to.SetRemoteDescription(*from.LocalDescription()))
	}
	describe(n.peer, n.sub.pc, func() (webrtc.SessionDescription, error) { return n.peer.CreateOffer(nil) })
	describe(n.sub.pc, n.peer, func() (webrtc.SessionDescription, error) { return n.sub.pc.CreateAnswer(nil) })
	for _, c := range []<-chan struct{}{connected, n.sub.connected} {
		select {
		case <-c:
		case <-time.After(10 * time.Second):
			n.t.Fatal("not connected")
		}
	}
}

func (n *inbound) first(b []byte) bool {
	n.mu.Lock()
	seq := binary.BigEndian.Uint16(b[2:])
	lost := b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223) && n.lose[seq] > 0
	if lost {
		n.lose[seq]--
	}
	n.mu.Unlock()
	if lost {
		return true
	}
	took := n.sub.shortcut.take(b)
	n.mu.Lock()
	defer n.mu.Unlock()
	if took {
		n.taken++
	}
	if b[0]>>6 == 2 {
		n.wire = append(n.wire, bytes.Clone(b))
	}
	return took
}

func (n *inbound) consume(p *rtp.Packet) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.came = append(n.came, p.SequenceNumber)
	n.at[p.SequenceNumber] = string(p.Payload)
	return nil
}

// payload is what a packet of a number has in it.
func payload(seq uint16) []byte {
	return append([]byte{nalSPS}, bytes.Repeat([]byte{byte(seq), byte(seq >> 8), 1}, 20)...)
}

func (n *inbound) send(seq uint16) {
	require.NoError(n.t, n.stream.WriteRTP(&rtp.Packet{
		Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(seq) * 960}, Payload: payload(seq),
	}))
}

// run sends packets that follow a number, and returns what came and how many of them took
// the shortcut.
func (n *inbound) run(after uint16, count int) (came []uint16, taken int) {
	n.mu.Lock()
	began := n.taken
	n.mu.Unlock()
	for i := range count {
		n.send(after + 1 + uint16(i))
		time.Sleep(5 * time.Millisecond)
	}
	last := after + uint16(count)
	require.Eventually(n.t, func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return slices.Contains(n.came, last)
	}, 10*time.Second, time.Millisecond)
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.came), n.taken - began
}

func numbers(first uint16, count int) []uint16 {
	list := make([]uint16, count)
	for i := range list {
		list[i] = first + uint16(i)
	}
	return list
}

// A stream takes the shortcut from its second packet on, whatever the cipher and wherever its
// numbers begin; a packet a second goes the long way too, and each is delivered once, whole.
func TestShortcut(t *testing.T) {
	for name, profile := range map[string]dtls.SRTPProtectionProfile{
		"AES_CM_128_HMAC_SHA1_80": dtls.SRTP_AES128_CM_HMAC_SHA1_80,
		"AEAD_AES_128_GCM":        dtls.SRTP_AEAD_AES_128_GCM,
		"AEAD_AES_256_GCM":        dtls.SRTP_AEAD_AES_256_GCM,
	} {
		for _, first := range []uint16{1000, 65500, 65535} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := receive(t, media.Opus, first, profile)
				came, taken := n.run(first, 300)
				require.Equal(t, numbers(first, 301), came)
				require.Greater(t, taken, 290, "but for one a second")
				require.Less(t, taken, 300, "the ICE agent sees that the path lives")
				for _, seq := range came {
					require.Equal(t, string(payload(seq)), n.at[seq])
				}
			})
		}
	}
}

// What others send into the socket, and what was sent before, is not delivered and takes
// nothing from what is.
func TestShortcutTakesNothingForged(t *testing.T) {
	n := receive(t, media.Opus, 100)
	_, _ = n.run(100, 20)
	stats := n.sub.pc.GetStats()
	var to *net.UDPAddr
	for _, s := range stats {
		if c, ok := s.(webrtc.ICECandidateStats); ok && c.Type == webrtc.StatsTypeLocalCandidate {
			to = &net.UDPAddr{IP: net.ParseIP(c.IP), Port: int(c.Port)}
		}
	}
	require.NotNil(t, to)
	other, err := net.DialUDP("udp4", nil, to)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	n.mu.Lock()
	wire := slices.Clone(n.wire)
	n.mu.Unlock()
	for i, b := range wire {
		_, err := other.Write(b)
		require.NoError(t, err)
		forged := bytes.Clone(b)
		forged[3]++
		forged[len(forged)-1-i%8]++
		for _, f := range [][]byte{forged, b[:13], b[:12], b[:len(b)-1], append([]byte{0x9f}, b[1:]...)} {
			_, err := other.Write(f)
			require.NoError(t, err)
		}
	}
	came, taken := n.run(120, 60)
	require.Equal(t, numbers(100, 81), came)
	require.Greater(t, taken, 55, "the real packets went on taking it")
}

// With other keys than the SFU's, all goes the long way.
func TestShortcutWithWrongKeys(t *testing.T) {
	n := receive(t, media.Opus, 7)
	other := receive(t, media.Opus, 7)
	n.sub.shortcut.mu.Lock()
	n.sub.shortcut.context = other.sub.shortcut.context
	n.sub.shortcut.mu.Unlock()
	came, taken := n.run(7, 100)
	require.Equal(t, numbers(7, 101), came)
	require.Zero(t, taken)
	n.sub.shortcut.mu.Lock()
	defer n.sub.shortcut.mu.Unlock()
	require.Nil(t, n.sub.shortcut.context, "it is not tried for ever")
}

// A track that has ended takes nothing more.
func TestShortcutEnds(t *testing.T) {
	n := receive(t, media.Opus, 7)
	came, _ := n.run(7, 20)
	n.track.end()
	for seq := range uint16(300) {
		n.send(28 + seq)
		time.Sleep(5 * time.Millisecond)
	}
	n.mu.Lock()
	require.Len(t, n.came, len(came))
	n.mu.Unlock()
	n.sub.shortcut.mu.Lock()
	defer n.sub.shortcut.mu.Unlock()
	require.Empty(t, n.sub.shortcut.streams)
}

// The SFU is told what came of a stream (RFC 3550 §6.4.2), whichever way it came.
func TestAcknowledge(t *testing.T) {
	first := uint16(65500)
	n := receive(t, media.Opus, first)
	ntp := ntpTime(time.Now())
	require.NoError(t, n.peer.WriteRTCP([]rtcp.Packet{&rtcp.SenderReport{SSRC: n.track.ssrc, NTPTime: ntp}}))
	require.Eventually(t, func() bool { _, _, known := n.track.NTP(); return known }, 10*time.Second, time.Millisecond)
	_, _ = n.run(first, 59)
	_, _ = n.run(first+59+20, 20) // twenty of a hundred are lost
	n.from.acknowledge(n.session, time.Now())
	var got *rtcp.ReceiverReport
	for got == nil {
		packets, _, err := n.sender.ReadRTCP()
		require.NoError(t, err)
		for _, p := range packets {
			if rr, ok := p.(*rtcp.ReceiverReport); ok {
				got = rr
			}
		}
	}
	require.Equal(t, uint32(77), got.SSRC)
	require.Len(t, got.Reports, 1)
	block := got.Reports[0]
	require.Equal(t, n.track.ssrc, block.SSRC)
	require.Equal(t, uint32(20), block.TotalLost)
	require.EqualValues(t, 20*256/100, block.FractionLost)
	require.Equal(t, uint32(65599), block.LastSequenceNumber, "extended: the numbers began anew once")
	require.Equal(t, uint32(ntp>>16), block.LastSenderReport)
	require.NotZero(t, block.Delay)
	require.NotZero(t, block.Jitter)
}

// Packets of a picture that are lost are asked for again, more than once where they have to be
// (RFC 4585 §6.2.1), and are taken when they come.
func TestLostPicturesAreAskedFor(t *testing.T) {
	const first = 65500
	n := receive(t, media.H264, first)
	n.mu.Lock()
	n.lose = map[uint16]int{65520: 1, 10: 1, 11: 3} // the numbers begin anew between them
	n.mu.Unlock()
	asked := make(map[uint16]int)
	go func() {
		for {
			packets, _, err := n.sender.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				nack, ok := p.(*rtcp.TransportLayerNack)
				if !ok {
					continue
				}
				for _, pair := range nack.Nacks {
					pair.Range(func(seq uint16) bool {
						n.mu.Lock()
						asked[seq]++
						n.mu.Unlock()
						n.send(seq)
						return true
					})
				}
			}
		}
	}()
	_, _ = n.run(first, 300)
	n.mu.Lock()
	defer n.mu.Unlock()
	require.ElementsMatch(t, numbers(first, 301), n.came)
	require.Equal(t, map[uint16]int{65520: 1, 10: 1, 11: 3}, asked)
	for _, seq := range n.came {
		require.Equal(t, string(payload(seq)), n.at[seq])
	}
}

// More streams than a packet can report on are reported on in several.
func TestAcknowledgeMany(t *testing.T) {
	for count, want := range map[int][]int{0: nil, 1: {1}, 31: {31}, 32: {31, 1}, 70: {31, 31, 8}} {
		var sizes []int
		next := uint32(0)
		for _, p := range receiverReports(5, make([]rtcp.ReceptionReport, count)) {
			raw, err := p.Marshal()
			require.NoError(t, err)
			var rr rtcp.ReceiverReport
			require.NoError(t, rr.Unmarshal(raw))
			require.Equal(t, uint32(5), rr.SSRC)
			sizes = append(sizes, len(rr.Reports))
			next += uint32(len(rr.Reports))
		}
		require.Equal(t, want, sizes)
	}
}

// Nothing is allocated to deliver a packet.
func TestDeliveringDoesNotAllocate(t *testing.T) {
	n := receive(t, media.Opus, 7)
	_, _ = n.run(7, 40)
	n.detach()
	n.track.Attach(media.WriterFunc(func(*rtp.Packet) error { return nil }))
	plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: n.track.ssrc}, Payload: payload(1)}).Marshal()
	require.NoError(t, err)
	now := time.Now()
	seq := uint16(1000)
	require.Zero(t, testing.AllocsPerRun(200, func() {
		seq++
		plain[2], plain[3] = byte(seq>>8), byte(seq)
		n.track.deliver(plain, now)
	}))
}

package livekit

import (
	"io"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// wireRecorder keeps the headers of what a sender wrote.
type wireRecorder struct{ headers []rtp.Header }

func (w *wireRecorder) Write(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
	w.headers = append(w.headers, h.Clone())
	return len(payload), nil
}

func (w *wireRecorder) last() *rtp.Header { return &w.headers[len(w.headers)-1] }

func openSender(codec media.Codec, w interceptor.RTPWriter) *sender {
	parameters, _ := wireCodec(codec)
	s := newSender("cid", "stream", parameters, newWires())
	s.open(w, 4711, uint8(parameters.PayloadType), 3)
	return s
}

func packet(seq uint16, ts uint32, level ...byte) *rtp.Packet {
	p := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts, SSRC: 1, PayloadType: 9}, Payload: []byte{1, 2, 3}}
	if level != nil {
		_ = p.SetExtension(media.AudioLevelID, level)
	}
	return p
}

func TestSenderNumbersAndLevels(t *testing.T) {
	w := &wireRecorder{}
	s := openSender(media.Opus, w)
	require.NoError(t, s.WriteRTP(packet(65535, 4294967000, 0x80|30)))
	require.NoError(t, s.WriteRTP(packet(0, 664)))
	require.Equal(t, []uint16{65535, 0}, []uint16{w.headers[0].SequenceNumber, w.headers[1].SequenceNumber})
	require.Equal(t, uint32(4711), w.last().SSRC)
	require.Equal(t, uint8(111), w.last().PayloadType)
	require.Equal(t, []byte{silence}, w.last().GetExtension(3), "a packet without a level is silence")

	s.splice() // another source
	require.NoError(t, s.WriteRTP(packet(100, 5)))
	require.Equal(t, uint16(1), w.last().SequenceNumber)
	require.InDelta(t, 664+960, w.last().Timestamp, 48000)
	require.NoError(t, s.WriteRTP(packet(102, 5+1920)))
	require.Equal(t, uint16(3), w.last().SequenceNumber, "a loss of the source stays one")

	require.NoError(t, s.WriteRTP(&rtp.Packet{}))
	s.shut()
	require.NoError(t, s.WriteRTP(packet(103, 6)))
	require.Len(t, w.headers, 4)
}

// The level travels in one byte that is written in place: the header a stream
// keeps must show it.
func TestSenderLevelOnTheWire(t *testing.T) {
	var raw []byte
	s := openSender(media.PCMU, interceptor.RTPWriterFunc(func(h *rtp.Header, p []byte, _ interceptor.Attributes) (int, error) {
		raw, _ = h.Marshal()
		return len(p), nil
	}))
	require.NoError(t, s.WriteRTP(packet(1, 1, 0x80|42)))
	require.Equal(t, []byte{0xBE, 0xDE, 0, 1, 3 << 4, 0x80 | 42, 0, 0}, raw[12:])
}

// Of a video in two sizes every packet says which one it is (RFC 9143 §15, RFC 8852 §3.1). A
// knock has no picture, and the stream goes on after it.
func TestSenderNamesAndKnocks(t *testing.T) {
	for codec, knock := range map[media.Codec][]byte{media.H264: {0x09, 0xf0}, media.VP8: {0x10, 0x01}} {
		var raw [][]byte
		parameters, _ := wireCodec(codec)
		s := newSender("cid", "stream", parameters, newWires())
		s.rid, s.mid = smallRID, func() string { return "2" }
		s.open(interceptor.RTPWriterFunc(func(h *rtp.Header, p []byte, _ interceptor.Attributes) (int, error) {
			b, err := (&rtp.Packet{Header: *h, Payload: p}).Marshal()
			raw = append(raw, b)
			return len(p), err
		}), 4711, uint8(parameters.PayloadType), 0)
		s.name(4, 10)
		require.NoError(t, s.WriteRTP(packet(100, 9000)))
		s.knock()
		require.NoError(t, s.WriteRTP(packet(700, 5)))
		require.Len(t, raw, 3)
		var last rtp.Packet
		for i, b := range raw {
			var p rtp.Packet
			require.NoError(t, p.Unmarshal(b))
			require.Equal(t, []string{"2", "q"}, []string{string(p.GetExtension(4)), string(p.GetExtension(10))})
			if i == 1 {
				require.Equal(t, knock, p.Payload)
			}
			if i > 0 {
				require.Equal(t, last.SequenceNumber+1, p.SequenceNumber)
				require.Less(t, p.Timestamp-last.Timestamp, uint32(90000))
			}
			last = p
		}
	}
}

func TestSenderReports(t *testing.T) {
	w := &wireRecorder{}
	s := openSender(media.Opus, w)
	now := time.Date(2026, 1, 2, 3, 4, 5, 500_000_000, time.UTC)
	require.Nil(t, s.report(now, nil))
	require.NoError(t, s.WriteRTP(packet(1, 1000)))
	r := s.report(s.lastAt.Add(20*time.Millisecond), nil)
	require.Equal(t, rtcp.SenderReport{SSRC: 4711, NTPTime: ntpTime(s.lastAt.Add(20 * time.Millisecond)), RTPTime: 1960, PacketCount: 1, OctetCount: 3}, *r)
	require.Equal(t, uint64(1<<31), ntpTime(now)&0xffffffff, "half a second")
	require.Equal(t, uint64(now.Unix()+2208988800), ntpTime(now)>>32)

	clock := &remoteTrack{ntp: 99 << 32, ntpTS: 7}
	s.tsShift = 10
	r = s.report(now, clock)
	require.Equal(t, uint64(99<<32), r.NTPTime)
	require.Equal(t, uint32(17), r.RTPTime)

	sent := uint32(ntpTime(now) >> 16)
	s.reportReceived(rtcp.ReceptionReport{SSRC: 4711, TotalLost: 5, Jitter: 480, LastSenderReport: sent, Delay: 6554}, now.Add(150*time.Millisecond))
	stats := s.stats(media.Audio, media.Opus)
	require.Equal(t, uint64(5), stats.Lost)
	require.Equal(t, 10*time.Millisecond, stats.Jitter)
	require.InDelta(t, 50*time.Millisecond, stats.RTT, float64(time.Millisecond))
}

func TestResend(t *testing.T) {
	w := &wireRecorder{}
	s := openSender(media.H264, w)
	for i := range uint16(historySize + 10) {
		require.NoError(t, s.WriteRTP(packet(65400+i, uint32(i))))
	}
	sent := len(w.headers)
	s.resend(&rtcp.TransportLayerNack{Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{65400, 65409, 65410, 65535, 0, 129, 130, 9000})})
	var again []uint16
	for _, h := range w.headers[sent:] {
		require.Equal(t, uint8(108), h.PayloadType)
		again = append(again, h.SequenceNumber)
	}
	require.Equal(t, []uint16{65410, 65535, 0, 129}, again)
}

// Nothing of ours allocates per packet, in either direction.
func TestNoAllocations(t *testing.T) {
	discard := interceptor.RTPWriterFunc(func(_ *rtp.Header, p []byte, _ interceptor.Attributes) (int, error) { return len(p), nil })
	for _, codec := range []media.Codec{media.Opus, media.H264} {
		s := openSender(codec, discard)
		if codec == media.H264 {
			s.rid, s.mid = largeRID, func() string { return "1" }
			s.name(4, 10)
		}
		p := packet(0, 0, 20)
		for range historySize {
			p.SequenceNumber++
			_ = s.WriteRTP(p)
		}
		require.Zero(t, testing.AllocsPerRun(1000, func() {
			p.SequenceNumber++
			_ = s.WriteRTP(p)
		}), codec)
	}

	track := &remoteTrack{levelID: 5}
	defer track.out.attach(media.WriterFunc(func(*rtp.Packet) error { return nil }))()
	in := packet(1, 1)
	_ = in.SetExtension(5, []byte{77})
	var out rtp.Packet
	track.translate(in, &out)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		track.translate(in, &out)
		track.out.write(&out)
	}))
	require.Equal(t, []byte{77}, out.GetExtension(media.AudioLevelID))
}

// A consumer that detached gets nothing more, and what one returns does not
// concern the others.
func TestFanout(t *testing.T) {
	var f fanout
	var first, second int
	detach := f.attach(media.WriterFunc(func(*rtp.Packet) error { first++; return io.ErrClosedPipe }))
	f.attach(media.WriterFunc(func(*rtp.Packet) error { second++; return nil }))
	f.write(packet(1, 1))
	detach()
	detach()
	f.write(packet(2, 2))
	require.Equal(t, []int{1, 2}, []int{first, second})
}

// The first consumer of a picture gets the keyframe that came before it, in
// order; whoever comes later does not, and what nobody takes is not kept for
// ever.
func TestFanoutHolds(t *testing.T) {
	var early, late []uint16
	keep := func(list *[]uint16) media.Writer {
		return media.WriterFunc(func(p *rtp.Packet) error { *list = append(*list, p.SequenceNumber); return nil })
	}
	f := fanout{hold: true}
	one := packet(1, 1)
	f.write(one)
	one.SequenceNumber = 9 // the packet is the reader's again
	f.write(packet(2, 1))
	f.attach(keep(&early))
	f.attach(keep(&late))
	f.write(packet(3, 2))
	require.Equal(t, []uint16{1, 2, 3}, early)
	require.Equal(t, []uint16{3}, late)
	require.Zero(t, testing.AllocsPerRun(100, func() { f.write(one) }))

	var tooLate []uint16
	f = fanout{hold: true}
	for i := range uint16(mostHeld + 1) {
		f.write(packet(i, 1))
	}
	f.attach(keep(&tooLate))
	f.write(packet(1000, 1))
	require.Equal(t, []uint16{1000}, tooLate)
}

func TestGate(t *testing.T) {
	sps, pps, idr, slice := []byte{0x67, 1}, []byte{0x68, 1}, []byte{0x65, 1}, []byte{0x41, 1}
	stap := func(nals ...[]byte) []byte {
		p := []byte{nalSTAPA}
		for _, n := range nals {
			p = append(append(p, 0, byte(len(n))), n...)
		}
		return p
	}
	for name, tc := range map[string]struct {
		payload []byte
		starts  bool
	}{
		"sps":                       {sps, true},
		"idr":                       {idr, true},
		"pps alone":                 {pps, false},
		"slice":                     {slice, false},
		"stap with sps":             {stap(sps, pps, idr), true},
		"stap with idr last":        {stap(pps, idr), true},
		"stap without":              {stap(pps, slice), false},
		"stap cut short":            {stap(pps, idr)[:4], false},
		"stap with a wrong length":  {[]byte{nalSTAPA, 0xff, 0xff, 0x68, 0, 2, 0x65}, false},
		"start of a fragmented idr": {[]byte{0x7c, 0x85, 1}, true},
		"middle of one":             {[]byte{0x7c, 0x05, 1}, false},
		"fragmented slice":          {[]byte{0x7c, 0x81, 1}, false},
		"fragment without header":   {[]byte{0x7c}, false},
	} {
		require.Equal(t, tc.starts, startsDecoding(tc.payload), name)
	}
	g := gate{h264: true}
	require.False(t, g.passes(nil))
	require.False(t, g.passes([]byte{0, 0, 0}), "the server's dummy")
	require.False(t, g.passes(slice))
	require.True(t, g.passes(sps))
	require.True(t, g.passes(slice))
	require.False(t, g.passes([]byte{0, 0, 0}))
	require.True(t, (&gate{}).passes([]byte{0}), "of other codecs nothing is known")
}

func FuzzGate(f *testing.F) {
	for _, seed := range [][]byte{{0x67}, {24, 0, 1, 0x68, 0, 1, 0x65}, {0x7c, 0x85}, {24, 0xff, 0xff}, {0}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		g := gate{h264: true}
		if g.passes(payload) && !startsDecoding(payload) {
			t.Fatal("opened by what cannot be decoded")
		}
	})
}

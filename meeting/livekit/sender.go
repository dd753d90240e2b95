package livekit

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/roomgate/roomgate/media"
)

// silence is the audio level of no sound at all, -127 dBov.
const silence = 127

// sender is one stream of a publishing connection: pion's TrackLocal on one
// side, a media.Writer on the other. Sequence numbers and timestamps continue
// over a change of source and over a time in which nothing was sent, so that
// the SFU asks for no packet that never was.
type sender struct {
	id, stream string
	rid        string        // of a video in two sizes (RFC 8851)
	mid        func() string // then, the name of its part of the SDP
	codec      webrtc.RTPCodecParameters
	wires      *wires
	bound      chan struct{}          // closed by Bind
	rtcp       interceptor.RTCPReader // what the SFU says of the stream; of Bind

	mu      sync.Mutex // orders packets; the stream has one source at a time
	wire    interceptor.RTPWriter
	header  rtp.Header
	level   [1]byte
	levels  bool
	history *history // of video, for retransmission

	spliced           bool // the next packet continues the stream
	seqShift          uint16
	tsShift           uint32
	lastSeq           uint16
	lastTS            uint32
	lastAt            time.Time
	packets           uint32
	octets            uint32
	rate              uint32
	resent            uint32
	reported, jitter  uint32 // as the SFU last reported: lost packets, RTP units
	roundTrip         time.Duration
	way               way // of video, to the SFU
	bytesAtTick, kbps int
	lastTick          time.Time
}

var _ webrtc.TrackLocal = (*sender)(nil)

func newSender(id, stream string, codec webrtc.RTPCodecParameters, w *wires) *sender {
	s := &sender{id: id, stream: stream, codec: codec, wires: w, bound: make(chan struct{}), rate: codec.ClockRate, spliced: true}
	if s.Kind() == webrtc.RTPCodecTypeVideo {
		s.history = newHistory()
	}
	return s
}

// ID, RID, StreamID and Kind make a sender a webrtc.TrackLocal.
func (s *sender) ID() string { return s.id }

// RID tells the sizes of a video apart; empty where there is one.
func (s *sender) RID() string { return s.rid }

// StreamID groups what belongs together in the SDP.
func (s *sender) StreamID() string { return s.stream }

// Kind is audio or video.
func (s *sender) Kind() webrtc.RTPCodecType {
	if strings.HasPrefix(s.codec.MimeType, "audio/") {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// Bind chooses our codec among those negotiated.
func (s *sender) Bind(t webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, c := range t.CodecParameters() {
		if strings.EqualFold(c.MimeType, s.codec.MimeType) {
			s.wires.expect(t.SSRC(), s)
			s.rtcp = t.RTCPReader()
			close(s.bound)
			return c, nil
		}
	}
	return webrtc.RTPCodecParameters{}, fmt.Errorf("%w: %s was not agreed on", ErrFormat, s.codec.MimeType)
}

// Unbind ends the stream.
func (s *sender) Unbind(webrtc.TrackLocalContext) error {
	s.shut()
	return nil
}

func (s *sender) open(w interceptor.RTPWriter, ssrc uint32, payloadType, levelID uint8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wire = w
	s.header = rtp.Header{Version: 2, SSRC: ssrc, PayloadType: payloadType}
	if s.levels = levelID != 0 && s.Kind() == webrtc.RTPCodecTypeAudio; s.levels {
		_ = s.header.SetExtension(levelID, s.level[:]) // one byte under a valid id cannot fail
	}
}

// name puts the names of RFC 9143 and RFC 8852 into every packet, by which the SFU knows
// which size of which video it is.
func (s *sender) name(midID, ridID uint8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rid == "" || midID == 0 || ridID == 0 {
		return
	}
	_ = s.header.SetExtension(midID, []byte(s.mid())) // up to 16 bytes under a valid id cannot fail
	_ = s.header.SetExtension(ridID, []byte(s.rid))
}

func (s *sender) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wire = nil
}

// splice makes the next packet continue the stream, whatever its numbers.
func (s *sender) splice() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spliced = true
}

// WriteRTP sends a packet; before the connection stands it is dropped.
func (s *sender) WriteRTP(p *rtp.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wire == nil || len(p.Payload) == 0 {
		return nil
	}
	if s.spliced {
		s.join(p)
	}
	h := &s.header
	h.SequenceNumber = p.SequenceNumber + s.seqShift
	h.Timestamp = p.Timestamp + s.tsShift
	h.Marker = p.Marker
	if s.levels {
		s.level[0] = silence
		if l := p.GetExtension(media.AudioLevelID); len(l) > 0 {
			s.level[0] = l[0]
		}
	}
	n, err := s.wire.Write(h, p.Payload, nil)
	if err != nil || n == 0 {
		return nil // the connection is coming or going: nobody to tell
	}
	s.spliced = false
	s.packets++
	s.octets += uint32(len(p.Payload))
	if int16(h.SequenceNumber-s.lastSeq) > 0 || s.packets == 1 {
		s.lastSeq, s.lastTS, s.lastAt = h.SequenceNumber, h.Timestamp, time.Now()
	}
	if s.history != nil {
		s.history.keep(h, p.Payload)
	}
	return nil
}

// join computes the shifts with which p follows what was sent last. A stream
// of its own starts as it is.
func (s *sender) join(p *rtp.Packet) {
	if s.packets == 0 {
		s.seqShift, s.tsShift = 0, 0
		return
	}
	gap := max(time.Since(s.lastAt), 20*time.Millisecond)
	s.seqShift = s.lastSeq + 1 - p.SequenceNumber
	s.tsShift = s.lastTS + uint32(gap.Seconds()*float64(s.rate)) - p.Timestamp
}

// knock sends a packet without a picture in it. What follows continues the stream.
func (s *sender) knock() {
	payload := []byte{0x09, 0xf0} // H.264 §7.3.2.4: access unit delimiter, of no picture
	if strings.EqualFold(s.codec.MimeType, webrtc.MimeTypeVP8) {
		payload = []byte{0x10, 0x01} // RFC 7741 §4.2 and §4.3: the start of an interframe, without its data
	}
	s.splice()
	_ = s.WriteRTP(&rtp.Packet{Header: rtp.Header{Marker: true}, Payload: payload})
	s.splice()
}

// resend answers a NACK from the history.
func (s *sender) resend(n *rtcp.TransportLayerNack) {
	if s.history == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wire == nil {
		return
	}
	for _, pair := range n.Nacks {
		pair.Range(func(seq uint16) bool {
			if h, payload := s.history.find(seq); h != nil {
				h.SSRC, h.PayloadType = s.header.SSRC, s.header.PayloadType
				_, _ = s.wire.Write(h, payload, nil)
				s.resent++
			}
			return true
		})
	}
}

// count is how many packets were sent.
func (s *sender) count() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.packets
}

package rtpconn

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/feedback"
	"github.com/roomgate/roomgate/media/rtpconn/report"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// sink is the stream we send: one SSRC, one line of sequence numbers and one
// clock, whatever is published.
type sink struct {
	ssrc atomic.Uint32

	mu       sync.Mutex
	format   media.Format
	open     bool // the direction lets us send, and there is a format
	pub      *publication
	broken   bool // the next packet joins the stream anew
	keying   bool // digits are being sent: audio waits
	stream   continuity
	timeline report.Timeline

	secured bool // protection was agreed on; without crypto nothing is sent
	crypto  *secure.Outbound
	payload *secure.Payload // H.235.6, in place of crypto
	scratch rtp.Header

	history *feedback.History // nil without NACK
	packets uint32            // of the SSRC, for sender reports
	octets  uint32
	sent    uint64 // of all
	bytes   uint64
	missing uint32 // packets that did not come here, or late, for which the far side sees gaps
	lastAt  time.Time
	rate    meter

	remote remoteView
	// collided is where a packet with our own SSRC came from (RFC 3550 §8.2).
	collided netip.AddrPort
}

// remoteView is what the far side's reports say about our stream.
type remoteView struct {
	lost uint64
	rtt  time.Duration
}

const (
	headerSize = 12
	// maxDatagram is the largest datagram sent or received: a jumbo frame.
	maxDatagram = 9216
)

// newSink draws the numbers RFC 3550 §5.1 wants random. The sequence number
// begins in the lower half, so that the loss of the first packets cannot let
// the far side miss a roll-over of SRTP (RFC 3711 §3.3.1).
func newSink(ssrc uint32, now time.Time) *sink {
	if ssrc == 0 {
		ssrc = rand.Uint32()
	}
	s := &sink{broken: true}
	s.ssrc.Store(ssrc)
	s.stream.begin(uint16(rand.UintN(1<<15)), rand.Uint32(), now)
	return s
}

// apply takes what was negotiated. With another key the packets already sent
// can no longer be sent again.
func (s *sink) apply(p Params, crypto *secure.Outbound, payload *secure.Payload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.format.ClockRate != p.Send.ClockRate {
		s.timeline.Restart(p.Send.ClockRate)
		s.broken = true
	}
	s.format = p.Send
	s.open = p.Direction.Sends() && p.Send.Codec != ""
	if (crypto != s.crypto || payload != s.payload) && s.history != nil {
		s.history.Forget()
	}
	s.payload = payload
	s.crypto, s.secured = crypto, p.Security.Send != nil || p.Security.DTLS != nil
	switch {
	case !p.Feedback.NACK:
		s.history = nil
	case s.history == nil:
		s.history = new(feedback.History)
	}
}

// secure installs the keys of a handshake.
func (s *sink) secure(crypto *secure.Outbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crypto = crypto
	if s.history != nil {
		s.history.Forget()
	}
}

// protection is what protects the stream now, nil for nothing.
func (s *sink) protection() *secure.Outbound {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crypto
}

// payloadCipher is what encrypts the payload now, nil for nothing.
func (s *sink) payloadCipher() *secure.Payload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.payload
}

// packet writes p as the next packet of the stream into buf. ok is false when p
// is not to be sent.
func (s *sink) packet(pub *publication, p *rtp.Packet, buf []byte, now time.Time) (wire []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pub != s.pub || !s.open || s.secured && s.crypto == nil || !pub.format.Encodes(s.format) ||
		headerSize+len(p.Payload)+maxOverhead > len(buf) {
		s.broken = true
		return nil, false
	}
	if s.broken {
		s.stream.splice(p.SequenceNumber, p.Timestamp, s.format.ClockRate, now)
	}
	if s.keying || len(p.Payload) == 0 { // padding alone is for bandwidth probing
		s.stream.skip(p.SequenceNumber)
		s.broken = false
		return nil, false
	}
	before := s.stream.last
	seq, stamp, ok := s.stream.number(p.SequenceNumber, p.Timestamp, now)
	if !ok {
		return nil, false
	}
	if ahead := int16(seq - before); ahead > 1 {
		s.missing += uint32(ahead - 1)
	}
	// A join begins a talkspurt (RFC 3551 §4.1).
	marker := p.Marker || s.broken && pub.audio
	s.broken = false
	s.timeline.Push(stamp, now)
	return s.write(buf, s.format.PayloadType, marker, seq, stamp, p.Payload, now)
}

// maxOverhead is room for tag and identifier of SRTP.
const maxOverhead = 16 + 128

// write lays a packet out and protects it.
func (s *sink) write(buf []byte, pt uint8, marker bool, seq uint16, stamp uint32, payload []byte, now time.Time) ([]byte, bool) {
	buf[0], buf[1] = 2<<6, pt
	if marker {
		buf[1] |= 0x80
	}
	binary.BigEndian.PutUint16(buf[2:], seq)
	binary.BigEndian.PutUint32(buf[4:], stamp)
	binary.BigEndian.PutUint32(buf[8:], s.ssrc.Load())
	wire, err := s.protect(buf[:headerSize+copy(buf[headerSize:], payload)])
	if err != nil {
		return nil, false
	}
	if s.history != nil {
		s.history.Push(seq, wire, now)
	}
	s.packets++
	s.octets += uint32(len(payload))
	s.sent++
	s.bytes += uint64(len(payload))
	s.rate.add(len(payload))
	s.lastAt = now
	return wire, true
}

func (s *sink) protect(wire []byte) ([]byte, error) {
	switch {
	case s.crypto != nil:
		return s.crypto.RTP(wire, &s.scratch)
	case s.payload != nil:
		return s.payload.Seal(wire)
	}
	return wire, nil
}

// resend finds a packet that was lost.
func (s *sink) resend(seq uint16, buf []byte, now time.Time) (wire []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.history == nil || !s.open {
		return nil, false
	}
	n, ok := s.history.Find(seq, buf, now)
	return buf[:n], ok
}

// collide takes a new SSRC after another source was heard with ours. A second
// time from the same address it is our own packets coming back (RFC 3550 §8.2),
// and nothing changes. It returns the SSRC that was left.
func (s *sink) collide(ssrc uint32, from netip.AddrPort) (left uint32, changed bool) {
	if ssrc != s.ssrc.Load() {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if from == s.collided {
		return 0, false
	}
	s.collided = from
	for s.ssrc.Load() == ssrc {
		s.ssrc.Store(rand.Uint32())
	}
	s.packets, s.octets = 0, 0
	return ssrc, true
}

// reported takes the far side's report about our stream.
func (s *sink) reported(lost uint32, rtt time.Duration, rttKnown bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lost < 1<<23 { // a negative number of 24 bits means duplicates
		s.remote.lost = uint64(lost)
	}
	if rttKnown {
		s.remote.rtt = rtt
	}
}

func (s *sink) roundTrip() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remote.rtt
}

func (s *sink) snapshot(now time.Time) (st media.StreamStats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return media.StreamStats{
		Sent: true, Codec: s.format.Codec, Packets: s.sent, Bytes: s.bytes,
		Lost: s.remote.lost, RTT: s.remote.rtt, Kbps: s.rate.kbps(now),
	}
}

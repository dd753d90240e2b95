package rtpconn

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/rtcp"

	"github.com/roomgate/roomgate/media/rtpconn/feedback"
	"github.com/roomgate/roomgate/media/rtpconn/report"
)

// maxControls bounds the packets of one compound that are looked at.
const maxControls = 32

// typeH261FIR is the full intra request of RFC 2032 §5.2.1, which old video
// terminals still send.
const typeH261FIR = 192

func (s *Session) receiveRTCP(b []byte, from netip.AddrPort, now time.Time) {
	agreed, ring := s.agreed.Load(), s.keys.Load()
	switch {
	case agreed == nil || ring.needed && ring.now == nil:
		s.tally.early.Add(1)
		return
	case !s.route.admitsRTCP(from, now):
		s.tally.stranger.Add(1)
		return
	}
	s.gate.Lock()
	defer s.gate.Unlock()
	b, err := s.intake.openRTCP(ring, b, now)
	if err != nil {
		s.countRefused(err)
		return
	}
	valid := false
	for range maxControls {
		one, rest, ok := cutRTCP(b)
		if !ok {
			break
		}
		if s.control(one, now) {
			valid = true
		} else {
			s.tally.malformed.Add(1)
		}
		b = rest
	}
	if len(b) > 0 {
		s.tally.malformed.Add(1)
	}
	if valid {
		s.alive(now)
		s.route.confirmRTCP(from)
	}
}

func (in *intake) openRTCP(ring *keyring, b []byte, now time.Time) ([]byte, error) {
	if !ring.needed {
		return b, nil
	}
	plain, err := ring.now.RTCP(in.plain[:0], b)
	if err != nil && ring.former != nil && now.Before(ring.until) {
		plain, err = ring.former.RTCP(in.plain[:0], b)
	}
	if err != nil {
		return nil, errUnauthentic
	}
	return plain, nil
}

// cutRTCP splits the first packet off a compound (RFC 3550 §6.1).
func cutRTCP(b []byte) (one, rest []byte, ok bool) {
	if len(b) < 4 || b[0]>>6 != 2 {
		return nil, b, false
	}
	size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
	if size > len(b) {
		return nil, b, false
	}
	return b[:size], b[size:], true
}

// control acts on one RTCP packet; ok is false when it is malformed. What is
// not known is passed over.
func (s *Session) control(b []byte, now time.Time) (ok bool) {
	switch rtcp.PacketType(b[1]) {
	case rtcp.TypeSenderReport:
		return take(b, new(rtcp.SenderReport), func(p *rtcp.SenderReport) {
			s.in.senderReport(p, now)
			s.reported(p.Reports, now)
		})
	case rtcp.TypeReceiverReport:
		return take(b, new(rtcp.ReceiverReport), func(p *rtcp.ReceiverReport) { s.reported(p.Reports, now) })
	case rtcp.TypeGoodbye:
		return take(b, new(rtcp.Goodbye), func(p *rtcp.Goodbye) {
			if s.in.goodbye(p.Sources) {
				s.emit(Event{Kind: Goodbye})
			}
		})
	case rtcp.TypeTransportSpecificFeedback:
		return s.transportFeedback(b, now)
	case rtcp.TypePayloadSpecificFeedback:
		return s.payloadFeedback(b, now)
	case typeH261FIR:
		s.pictureWanted()
	}
	return true
}

func take[P interface {
	Unmarshal([]byte) error
}](b []byte, p P, then func(P)) bool {
	if p.Unmarshal(b) != nil {
		return false
	}
	then(p)
	return true
}

// reported takes what the far side says about our stream.
func (s *Session) reported(blocks []rtcp.ReceptionReport, now time.Time) {
	for _, r := range blocks {
		if r.SSRC == s.SSRC() {
			rtt, ok := report.RoundTrip(now, r.LastSenderReport, r.Delay)
			s.out.reported(r.TotalLost, rtt, ok)
			s.reportedPath(r, rtt, ok, now)
		}
	}
}

// transportFeedback is RFC 4585 §6.2 and RFC 5104 §4.2.
func (s *Session) transportFeedback(b []byte, now time.Time) bool {
	switch b[0] & 0x1f {
	case rtcp.FormatTLN:
		return take(b, new(rtcp.TransportLayerNack), func(p *rtcp.TransportLayerNack) { s.resend(p, now) })
	case feedback.FormatTMMBR, feedback.FormatTMMBN:
		return take(b, new(feedback.TMMB), s.limited)
	}
	return true
}

// payloadFeedback is RFC 4585 §6.3, RFC 5104 §4.3 and REMB.
func (s *Session) payloadFeedback(b []byte, now time.Time) bool {
	switch b[0] & 0x1f {
	case rtcp.FormatPLI:
		return take(b, new(rtcp.PictureLossIndication), func(*rtcp.PictureLossIndication) { s.pictureWanted() })
	case rtcp.FormatFIR:
		return take(b, new(rtcp.FullIntraRequest), func(p *rtcp.FullIntraRequest) { s.fullIntra(p, now) })
	case rtcp.FormatREMB:
		if len(b) < 16 || string(b[12:16]) != "REMB" {
			return true // another application's message (RFC 4585 §6.4)
		}
		return take(b, new(rtcp.ReceiverEstimatedMaximumBitrate), func(p *rtcp.ReceiverEstimatedMaximumBitrate) {
			s.estimated(float64(p.Bitrate))
		})
	}
	return true
}

// resend answers a generic NACK.
func (s *Session) resend(p *rtcp.TransportLayerNack, now time.Time) {
	buf := datagrams.Get().(*[maxDatagram]byte)
	defer datagrams.Put(buf)
	for _, pair := range p.Nacks {
		pair.Range(func(seq uint16) bool {
			if wire, ok := s.out.resend(seq, buf[:], now); ok {
				conn, _ := s.ports.conns()
				s.sendRTP(conn, wire)
			}
			return true
		})
	}
}

// sameFIR is how long a FIR with the number of the one before is a repetition
// (RFC 5104 §4.3.1.2); later it comes from a sender that does not count.
const sameFIR = 500 * time.Millisecond

func (s *Session) fullIntra(p *rtcp.FullIntraRequest, now time.Time) {
	for _, e := range p.FIR {
		if e.SSRC != s.SSRC() && e.SSRC != 0 {
			continue
		}
		in := &s.intake
		if e.SequenceNumber == in.fir && now.Sub(in.firAt) < sameFIR {
			continue
		}
		in.fir, in.firAt = e.SequenceNumber, now
		s.pictureWanted()
		return
	}
}

// pictureWanted passes a request for a key frame on to what is published.
func (s *Session) pictureWanted() {
	if pub := s.published(); pub != nil {
		pub.track.RequestKeyframe()
	}
}

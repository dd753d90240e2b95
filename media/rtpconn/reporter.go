package rtpconn

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtcp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/report"
)

// reporter knows when the next report is due (RFC 3550 §6.3).
type reporter struct {
	mu    sync.Mutex
	next  time.Time
	early bool
	bps   int
	size  float64 // mean of our compound packets, with IP and UDP headers
	sent  uint64  // what had been sent at the report before
}

const udpHeaders = 28

// maxDelay is beyond what anything is held up here.
const maxDelay = 2 * time.Second

// schedule sets the first report, and follows a change of profile.
func (r *reporter) schedule(a *agreement, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.next.IsZero()
	// Between two parties the reduced minimum is allowed in every profile (RFC 3550
	// §6.2); pictures need it, so that a path that became narrow is soon noticed.
	early := a.Feedback.AVPF || a.Send.ClockRate == 90000
	changed := r.early != early
	r.early, r.bps = early, a.bandwidth()
	if first {
		r.size = 100 + udpHeaders
	}
	if first || changed {
		r.next = now.Add(r.interval(first).Next(rand.Float64()))
	}
}

// bandwidth is about what the medium takes, for its share of RTCP.
func (a *agreement) bandwidth() int {
	const audio, video = 80_000, 1_000_000
	switch {
	case a.MaxSend > 0:
		return a.MaxSend
	case a.Send.ClockRate == 90000:
		return video
	}
	return audio
}

func (r *reporter) interval(first bool) report.Interval {
	return report.Interval{
		Bandwidth: r.bps, PacketSize: int(r.size), Initial: first, Early: r.early,
	}
}

// due reports whether a report goes out now, and plans the one after.
func (r *reporter) due(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next.IsZero() || now.Before(r.next) {
		return false
	}
	r.next = now.Add(r.interval(false).Next(rand.Float64()))
	return true
}

// active reports whether something was sent since the report before; one who
// sends makes sender reports (RFC 3550 §6.4).
func (r *reporter) active(sent uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := sent - r.sent
	r.sent = sent
	return since > 0
}

// weigh updates the mean size of compound packets (RFC 3550 §6.3.3).
func (r *reporter) weigh(size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size += (float64(size+udpHeaders) - r.size) / 16
}

// sendReport sends a compound packet: SR or RR, and SDES (RFC 3550 §6.1).
func (s *Session) sendReport(now time.Time) {
	blocks := s.in.reports(now)
	sr, sent := s.out.senderReport(now, s.heldUp())
	var head rtcp.Packet = &rtcp.ReceiverReport{SSRC: s.SSRC(), Reports: blocks}
	if s.report.active(sent) && sr != nil {
		sr.Reports = blocks
		head = sr
	}
	s.sendControl(head, s.description())
}

// heldUp is how long what is published was on its way through here.
func (s *Session) heldUp() time.Duration {
	if pub := s.published(); pub != nil {
		if d, is := pub.track.(media.Delayer); is {
			return d.Delay()
		}
	}
	return 0
}

// senderReport is nil before anything was sent.
func (s *sink) senderReport(now time.Time, delay time.Duration) (sr *rtcp.SenderReport, sent uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stamp, ok := s.timeline.At(now)
	if !ok || s.packets == 0 {
		return nil, s.sent
	}
	// What comes in by now has later numbers than what goes out.
	stamp += uint32(min(max(delay, 0), maxDelay) * time.Duration(s.format.ClockRate) / time.Second)
	return &rtcp.SenderReport{
		SSRC: s.ssrc.Load(), NTPTime: report.NTP(now), RTPTime: stamp,
		PacketCount: s.packets, OctetCount: s.octets,
	}, s.sent
}

func (s *Session) description() rtcp.Packet {
	return &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: s.SSRC(),
		Items:  []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: s.cname}},
	}}}
}

// sendFeedback sends one feedback message in the least compound packet (RFC
// 4585 §3.1): an empty RR, SDES, and the message.
func (s *Session) sendFeedback(message []byte) {
	raw := rtcp.RawPacket(message)
	s.sendControl(&rtcp.ReceiverReport{SSRC: s.SSRC()}, s.description(), &raw)
}

func (s *Session) sayGoodbye() {
	if s.agreed.Load() != nil {
		s.sayGoodbyeFor(s.SSRC())
	}
}

func (s *Session) sayGoodbyeFor(ssrc uint32) {
	s.sendControl(&rtcp.ReceiverReport{SSRC: ssrc}, s.description(), &rtcp.Goodbye{Sources: []uint32{ssrc}})
}

// sendControl protects a compound packet and sends it to the RTCP address.
func (s *Session) sendControl(packets ...rtcp.Packet) {
	agreed, to := s.agreed.Load(), s.route.to.Load().rtcp
	if agreed == nil || !to.IsValid() {
		return
	}
	buf := datagrams.Get().(*[maxDatagram]byte)
	defer datagrams.Put(buf)
	wire := buf[:0]
	for _, p := range packets {
		b, err := p.Marshal()
		if err != nil || len(wire)+len(b)+maxOverhead > len(buf) {
			return
		}
		wire = append(wire, b...)
	}
	wire, ok := s.out.control(wire)
	if !ok {
		return
	}
	s.report.weigh(len(wire))
	rtp, conn := s.ports.conns()
	if agreed.Mux {
		conn = rtp
	}
	// RTCP is sent into the blue: the next report says the same.
	_ = s.transmit(conn, wire, to)
}

// control protects RTCP. ok is false while keys are awaited.
func (s *sink) control(wire []byte) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crypto == nil {
		return wire, !s.secured
	}
	wire, err := s.crypto.RTCP(wire)
	return wire, err == nil
}

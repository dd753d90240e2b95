package rtpconn

import (
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/feedback"
	"github.com/roomgate/roomgate/media/rtpconn/rate"
	"github.com/roomgate/roomgate/media/rtpconn/report"
)

// returnPause keeps two sources that send at the same time from taking turns.
const returnPause = time.Second

// source is the far side's stream as it is received. The far side sends one at
// a time; when it changes its SSRC, the second packet of the new one in a row
// makes the change, and the first is not lost.
type source struct {
	mu        sync.Mutex
	known     bool
	ended     bool // said BYE
	ssrc      uint32
	stats     report.Reception
	lost      uint64 // by sources before
	packets   uint64
	bytes     uint64
	seen      time.Time
	codec     media.Codec
	splice    bool // the next packet to hand on joins a new source
	stream    continuity
	missing   feedback.Missing
	rate      meter
	ntp       uint64 // of the last sender report
	ntpStamp  uint32
	newcomer  uint32 // SSRC of the candidate
	candidate *rtp.Packet
	former    uint32 // the SSRC before, and when it was left
	left      time.Time

	queue rate.Queue
}

// source is the SSRC that is received; ok is false before there is one.
func (s *source) source() (ssrc uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ssrc, s.known && !s.ended
}

// admission is what becomes of a packet.
type admission uint8

const (
	refuse  admission = iota // a duplicate, a stray
	accept                   // hand it on
	replace                  // a new source: hand on the candidate, then this
)

// admit decides about a packet and counts it.
func (s *source) admit(p *rtp.Packet, rate uint32, now time.Time) (admission, *rtp.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known || s.ended {
		s.turn(p.SSRC, rate, now)
	}
	if p.SSRC == s.ssrc {
		s.candidate = nil
		if s.push(p, rate, now) {
			return accept, nil
		}
		return refuse, nil
	}
	first := s.candidate
	if first == nil || s.newcomer != p.SSRC || p.SequenceNumber != first.SequenceNumber+1 {
		if p.SSRC == s.former && now.Sub(s.left) < returnPause && now.Sub(s.seen) < returnPause {
			return refuse, nil
		}
		s.newcomer, s.candidate = p.SSRC, p.Clone()
		return refuse, nil
	}
	s.turn(p.SSRC, rate, now)
	s.push(first, rate, now)
	s.push(p, rate, now)
	return replace, first
}

// turn takes another SSRC as the source.
func (s *source) turn(ssrc, rate uint32, now time.Time) {
	if s.known {
		s.former, s.left = s.ssrc, now
		s.lost += s.stats.Lost()
	}
	s.known, s.ended, s.ssrc, s.candidate = true, false, ssrc, nil
	s.stats = report.Reception{ClockRate: rate}
	s.missing.Reset()
	s.splice = true
	s.queue.Reset()
	s.ntp = 0
}

func (s *source) push(p *rtp.Packet, rate uint32, now time.Time) bool {
	if rate != 0 && s.stats.ClockRate != rate {
		s.stats.Retune(rate)
		s.queue.Reset()
	}
	switch s.stats.Push(p.SequenceNumber, p.Timestamp, now) {
	case report.Duplicate, report.Suspect:
		return false
	case report.Restart:
		s.missing.Reset()
		s.splice = true
	}
	s.missing.Push(p.SequenceNumber, now)
	s.queue.Stamped(p.Timestamp, rate, now)
	s.packets++
	s.bytes += uint64(len(p.Payload))
	s.rate.add(len(p.Payload))
	s.seen = now
	return true
}

// number renumbers a packet that is handed on, so that consumers see one stream.
func (s *source) number(p *rtp.Packet, rate uint32, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.splice {
		s.stream.splice(p.SequenceNumber, p.Timestamp, rate, now)
		s.splice = false
	}
	seq, stamp, ok := s.stream.number(p.SequenceNumber, p.Timestamp, now)
	p.SequenceNumber, p.Timestamp = seq, stamp
	return ok
}

// clock is the wall clock of the far side at a timestamp of the stream as it is
// handed on.
func (s *source) clock() (ntp uint64, stamp uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ntp, s.ntpStamp + s.stream.stamp, s.ntp != 0
}

// senderReport notes when the source says what time it is.
func (s *source) senderReport(sr *rtcp.SenderReport, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known && sr.SSRC == s.ssrc {
		s.stats.SenderReport(sr.NTPTime, now)
		s.ntp, s.ntpStamp = sr.NTPTime, sr.RTPTime
	}
}

// goodbye reports whether the source left; another may follow at once.
func (s *source) goodbye(ssrcs []uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ssrc := range ssrcs {
		if s.known && !s.ended && ssrc == s.ssrc {
			s.ended = true
			return true
		}
	}
	return false
}

// remote is the SSRC of the source.
func (s *source) remote() (ssrc uint32, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ssrc, s.known
}

// reports are the reception report blocks to send.
func (s *source) reports(now time.Time) []rtcp.ReceptionReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known || s.ended || s.packets == 0 {
		return nil
	}
	return []rtcp.ReceptionReport{s.stats.Report(s.ssrc, now)}
}

// wanted gives the lost packets to ask for.
func (s *source) wanted(now time.Time, rtt time.Duration) (ssrc uint32, pairs []rtcp.NackPair) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ssrc, s.missing.Due(now, rtt)
}

func (s *source) snapshot(now time.Time) media.StreamStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return media.StreamStats{
		Codec: s.codec, Packets: s.packets, Bytes: s.bytes, Lost: s.lost + s.stats.Lost(),
		Jitter: s.stats.Jitter(), Kbps: s.rate.kbps(now),
	}
}

func (s *source) setCodec(c media.Codec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codec = c
}

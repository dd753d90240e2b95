package livekit

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/roomgate/roomgate/media"
)

// ntpEpoch is 1970 in the NTP era that began in 1900, seconds.
const ntpEpoch = 2208988800

// ntpTime is t in the 64-bit format of RFC 5905 §6.
func ntpTime(t time.Time) uint64 {
	seconds := uint64(t.Unix()) + ntpEpoch
	fraction := (uint64(t.Nanosecond()) << 32) / uint64(time.Second)
	return seconds<<32 | fraction
}

// report is the sender report of now (RFC 3550 §6.4.1), nil before the first
// packet. The clock is the source's where it knows one, so that sound and
// picture of a leg stay together at the browsers.
func (s *sender) report(now time.Time, source media.Track) *rtcp.SenderReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countRate(now)
	if s.packets == 0 || s.wire == nil {
		return nil
	}
	r := &rtcp.SenderReport{
		SSRC: s.header.SSRC, PacketCount: s.packets, OctetCount: s.octets,
		NTPTime: ntpTime(now),
		RTPTime: s.lastTS + uint32(now.Sub(s.lastAt).Seconds()*float64(s.rate)),
	}
	if reporter, ok := source.(media.SenderReporter); ok {
		if ntp, ts, known := reporter.NTP(); known {
			r.NTPTime, r.RTPTime = ntp, ts+s.tsShift
		}
	}
	return r
}

// countRate measures the bit rate since the last tick; the lock is held.
func (s *sender) countRate(now time.Time) {
	if elapsed := now.Sub(s.lastTick); !s.lastTick.IsZero() && elapsed > 0 {
		s.kbps = int(float64(int(s.octets)-s.bytesAtTick) * 8 / 1000 / elapsed.Seconds())
	}
	s.lastTick, s.bytesAtTick = now, int(s.octets)
}

// reportReceived notes what the SFU says about our stream: its report block
// carries the middle of the NTP time of our last report and the delay since,
// in 1/65536 s (RFC 3550 §6.4.1). bound is what the way to the SFU carries, in bit/s, 0
// for all of it.
func (s *sender) reportReceived(r rtcp.ReceptionReport, now time.Time) (bound int, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.SSRC != s.header.SSRC {
		return 0, false
	}
	if s.history != nil {
		bound, changed = s.way.see(r, s.octets, s.resent, now)
	}
	s.reported, s.jitter = r.TotalLost, r.Jitter
	if r.LastSenderReport == 0 {
		return bound, changed
	}
	trip := uint32(ntpTime(now)>>16) - r.LastSenderReport - r.Delay
	if trip < 1<<20 { // under 16 s; otherwise the clock of the report is not ours
		s.roundTrip = time.Duration(trip) * time.Second >> 16
	}
	return bound, changed
}

// stats are the counters of the stream.
func (s *sender) stats(role media.Role, codec media.Codec) media.StreamStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return media.StreamStats{
		Role: role, Sent: true, Codec: codec, Packets: uint64(s.packets), Bytes: uint64(s.octets),
		Lost: uint64(s.reported), RTT: s.roundTrip, Kbps: s.kbps, LastSeen: s.lastAt,
		Jitter: time.Duration(s.jitter) * time.Second / time.Duration(max(s.rate, 1)),
	}
}

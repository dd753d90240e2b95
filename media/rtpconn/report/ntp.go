// Package report keeps what RTCP reports say (RFC 3550): reception statistics,
// the mapping between RTP timestamps and the wall clock, round-trip times and
// the interval between reports.
package report

import "time"

// epoch is the seconds from 1900, where NTP begins, to 1970.
const epoch = 2208988800

// NTP is t as a 64-bit NTP timestamp: seconds since 1900 and their fraction
// (RFC 3550 §4).
func NTP(t time.Time) uint64 {
	sec := uint64(t.Unix() + epoch)
	frac := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return sec<<32 | frac
}

// Time is the inverse of NTP, to the nanosecond below.
func Time(ntp uint64) time.Time {
	nanos := (ntp&0xffffffff)*uint64(time.Second) + 1<<31
	return time.Unix(int64(ntp>>32)-epoch, int64(nanos>>32))
}

// Middle is the middle 32 bits of an NTP timestamp: units of 1/65536 s.
func Middle(ntp uint64) uint32 { return uint32(ntp >> 16) }

// fraction is d in units of 1/65536 s.
func fraction(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	return uint32(uint64(d) << 16 / uint64(time.Second))
}

// RoundTrip is the time to the far side and back, from a reception report that
// arrived at now (RFC 3550 §6.4.1, LSR and DLSR). ok is false before the far
// side has seen a report of ours, and for times that cannot be.
func RoundTrip(now time.Time, lastSR, delay uint32) (rtt time.Duration, ok bool) {
	if lastSR == 0 {
		return 0, false
	}
	d := Middle(NTP(now)) - lastSR - delay
	if int32(d) < 0 || d > 60<<16 {
		return 0, false
	}
	return time.Duration(uint64(d) * uint64(time.Second) >> 16), true
}

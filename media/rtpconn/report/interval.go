package report

import "time"

// Interval holds what the time between two reports depends on (RFC 3550 §6.2).
type Interval struct {
	// Bandwidth of the session in bit/s; a twentieth of it is for RTCP.
	Bandwidth int
	// PacketSize is the mean size of an RTCP datagram in octets, with its UDP
	// and IP headers.
	PacketSize int
	// Initial is true before the first report.
	Initial bool
	// Early selects the reduced minimum of RFC 3550 §6.2, 360 s over the
	// bandwidth in kbit/s, which AVPF allows (RFC 4585 §3.4).
	Early bool
}

// minimum is the fixed lower bound of RFC 3550 §6.2; floor keeps the reduced
// one from a flood of reports at video rates.
const (
	minimum = 5 * time.Second
	floor   = 500 * time.Millisecond
)

// Next is the time to the next report in a session of two (RFC 3550 §6.3.1,
// appendix A.7); spread is a random number in [0,1).
func (i Interval) Next(spread float64) time.Duration {
	least := minimum
	if i.Early && i.Bandwidth > 0 {
		least = max(floor, min(minimum, 360_000*time.Second/time.Duration(i.Bandwidth)))
	}
	if i.Initial {
		least /= 2
	}
	// Two members, of whom at least one sends: with half of the members or
	// more sending, all share the whole RTCP bandwidth (a quarter of the
	// members is the limit for the separate shares).
	t := least
	if i.Bandwidth > 0 {
		octets := float64(i.Bandwidth) / 8 / 20
		const members = 2
		t = max(t, time.Duration(float64(members*i.PacketSize)/octets*float64(time.Second)))
	}
	// Compensation for timer reconsideration converging below the mean.
	const compensation = 2.71828 - 1.5
	return time.Duration(float64(t) * (spread + 0.5) / compensation)
}

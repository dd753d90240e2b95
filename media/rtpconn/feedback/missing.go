package feedback

import (
	"time"

	"github.com/pion/rtcp"
)

// Bounds of asking for lost packets. A packet is given time to arrive out of
// order, then asked for a few times while it can still be of use.
const (
	maxMissing  = 128
	reorderTime = 10 * time.Millisecond
	minRetry    = 40 * time.Millisecond
	maxRetry    = 250 * time.Millisecond
	maxRequests = 6
	maxAge      = time.Second
	maxGap      = maxMissing
)

// Missing keeps the packets to ask for again (generic NACK, RFC 4585 §6.2.1).
// The zero value is ready.
type Missing struct {
	started bool
	highest uint16
	list    [maxMissing]missing
	n       int
	numbers [maxMissing]uint16
}

type missing struct {
	seq      uint16
	requests uint8
	since    time.Time
	asked    time.Time
}

// Push notes an arrived sequence number. A gap too wide to be mended is let go:
// a key frame serves better.
func (m *Missing) Push(seq uint16, at time.Time) {
	if !m.started {
		m.started, m.highest = true, seq
		return
	}
	ahead := seq - m.highest
	if ahead == 0 || ahead > 1<<15 {
		m.found(seq)
		return
	}
	if ahead > maxGap {
		m.n = 0
	} else {
		for s := m.highest + 1; s != seq && m.n < maxMissing; s++ {
			m.list[m.n] = missing{seq: s, since: at}
			m.n++
		}
	}
	m.highest = seq
}

func (m *Missing) found(seq uint16) {
	for i := range m.list[:m.n] {
		if m.list[i].seq == seq {
			copy(m.list[i:m.n], m.list[i+1:m.n])
			m.n--
			return
		}
	}
}

// Reset forgets everything: the source has changed.
func (m *Missing) Reset() { m.started, m.n = false, 0 }

// Outstanding is how many packets are waited for.
func (m *Missing) Outstanding() int { return m.n }

// Due gives the requests to send now; nil when there is nothing to ask for.
func (m *Missing) Due(now time.Time, rtt time.Duration) []rtcp.NackPair {
	retry := min(max(rtt+rtt/2, minRetry), maxRetry)
	keep, ask := 0, 0
	for _, e := range m.list[:m.n] {
		if now.Sub(e.since) > maxAge || e.requests >= maxRequests {
			continue
		}
		if now.Sub(e.since) >= reorderTime && (e.requests == 0 || now.Sub(e.asked) >= retry) {
			e.requests++
			e.asked = now
			m.numbers[ask] = e.seq
			ask++
		}
		m.list[keep] = e
		keep++
	}
	m.n = keep
	if ask == 0 {
		return nil
	}
	return rtcp.NackPairsFromSequenceNumbers(m.numbers[:ask])
}

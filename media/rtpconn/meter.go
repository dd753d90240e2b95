package rtpconn

import "time"

// meter measures a bit rate over about a second.
type meter struct {
	since time.Time
	bytes int
	last  int // kbit/s over the span before
}

func (m *meter) add(n int) { m.bytes += n }

// kbps closes the span when it is a second old; a tick does so regularly.
func (m *meter) kbps(now time.Time) int {
	if m.since.IsZero() {
		m.since = now
	}
	if d := now.Sub(m.since); d >= time.Second {
		m.last = int(float64(m.bytes) * 8 / 1000 / d.Seconds())
		m.since, m.bytes = now, 0
	}
	return m.last
}

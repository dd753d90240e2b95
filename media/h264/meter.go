package h264

import "time"

// meter measures a stream over the last seconds.
type meter struct {
	slots [meterSlots]meterSlot // by second, round robin
	stamp uint32
}

const meterSlots = 5 // four whole seconds and the one running

type meterSlot struct {
	second   int64
	bytes    int
	pictures int
	largest  int
}

// add counts a unit that arrived at now.
func (m *meter) add(u Unit, now time.Time) {
	second := now.Unix()
	s := &m.slots[second%meterSlots]
	if s.second != second {
		*s = meterSlot{second: second}
	}
	s.bytes += len(u.NAL)
	if u.Timestamp != m.stamp {
		m.stamp = u.Timestamp
		s.pictures++
	}
	if TypeOf(u.NAL).IsSlice() {
		s.largest = max(s.largest, len(u.NAL))
	}
}

// facts gives rates over the whole seconds seen among the last four, and the
// largest slice of those and of the one running. Rates are zero until two whole
// seconds were seen.
func (m *meter) facts(now time.Time) (fps float64, bps, largest int) {
	second := now.Unix()
	seconds, bytes, pictures := 0, 0, 0
	for _, s := range m.slots {
		if s.second <= second-meterSlots || s.pictures == 0 {
			continue
		}
		largest = max(largest, s.largest)
		if s.second < second && !m.opens(s.second, second) {
			seconds++
			bytes += s.bytes
			pictures += s.pictures
		}
	}
	if seconds < 2 {
		return 0, 0, largest
	}
	return float64(pictures) / float64(seconds), bytes * 8 / seconds, largest
}

// opens reports whether the stream began in the second given: a part of one.
func (m *meter) opens(s, now int64) bool {
	if s-1 <= now-meterSlots {
		return false // what came before is no longer kept
	}
	before := m.slots[(s-1)%meterSlots]
	return before.second != s-1 || before.pictures == 0
}

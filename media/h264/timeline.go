package h264

import "time"

// timeline is the clock of the stream going out: it runs on through a change of
// source as the wall clock does.
type timeline struct {
	started bool
	origin  uint32    // first timestamp ever
	last    uint32    // timestamp sent last
	at      time.Time // when its picture came
}

const clockRate = 90000

// offsetFor gives what is to be added to the timestamps of a source whose
// first picture has the timestamp given.
func (t *timeline) offsetFor(timestamp uint32, now time.Time) uint32 {
	if !t.started {
		return t.origin - timestamp
	}
	elapsed := uint32(max(now.Sub(t.at), time.Millisecond) * clockRate / time.Second)
	return t.last + elapsed - timestamp
}

func (t *timeline) mark(timestamp uint32, now time.Time) {
	if !t.started || timestamp != t.last {
		t.started, t.last, t.at = true, timestamp, now
	}
}

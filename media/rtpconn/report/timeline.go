package report

import "time"

// Timeline maps the timestamps of a stream we send to the wall clock, for
// sender reports. Packets are held up on their way to us, never hurried, so the
// earliest of them tells the truth: the mapping follows an early packet at once
// and drifts slowly after late ones. The zero value awaits the first packet.
type Timeline struct {
	ClockRate uint32

	started bool
	stamp   uint32
	at      time.Time
}

// drift is how much of its delay a late packet moves the mapping: at fifty
// packets a second a clock off by 100 ppm is followed within half a millisecond.
const drift = 1.0 / 256

// jump is a difference that no network explains.
const jump = 2 * time.Second

// Push notes that a packet with the timestamp was sent.
func (t *Timeline) Push(stamp uint32, at time.Time) {
	if t.ClockRate == 0 {
		return
	}
	if !t.started {
		t.started, t.stamp, t.at = true, stamp, at
		return
	}
	late := at.Sub(t.When(stamp))
	ahead := int32(stamp-t.stamp) > 0
	switch {
	case late < 0 || late > jump:
		t.stamp, t.at = stamp, at
	case ahead:
		t.stamp, t.at = stamp, at.Add(-late+time.Duration(float64(late)*drift))
	}
}

// When is the wall clock at a timestamp.
func (t *Timeline) When(stamp uint32) time.Time {
	return t.at.Add(time.Duration(int64(int32(stamp-t.stamp)) * int64(time.Second) / int64(t.ClockRate)))
}

// At is the timestamp at a time; ok is false before the first packet.
func (t *Timeline) At(now time.Time) (stamp uint32, ok bool) {
	if !t.started {
		return 0, false
	}
	return t.stamp + uint32(int64(now.Sub(t.at).Microseconds())*int64(t.ClockRate)/1_000_000), true
}

// Restart forgets the mapping: the clock rate has changed.
func (t *Timeline) Restart(rate uint32) { *t = Timeline{ClockRate: rate} }

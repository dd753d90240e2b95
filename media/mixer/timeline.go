package mixer

import "github.com/roomgate/roomgate/media/jitter"

// timeline makes one media time, in units of the RTP clock, out of timestamps
// that wrap around and start anew.
type timeline struct {
	clock   int64
	started bool
	last    uint32
	units   int64 // of the last packet
	length  int64 // of the last packet
	rebased bool  // the last packet began a new time base
}

// longestPause in seconds: a jump beyond it is a new time base.
const longestPause = 3600

func (t *timeline) advance(k *jitter.Packet) {
	step := int64(int32(k.Timestamp - t.last))
	t.rebased = t.started && (k.Restart || step < -t.clock || step > longestPause*t.clock)
	switch {
	case !t.started:
		t.started = true
	case t.rebased:
		t.units += t.length // goes on where the old one ended
	default:
		t.units += step
	}
	t.last = k.Timestamp
}

// samples is the media time of the last packet at a sampling rate.
func (t *timeline) samples(rate int) int64 { return t.units * int64(rate) / t.clock }

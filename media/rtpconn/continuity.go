package rtpconn

import "time"

// continuity makes one stream of several: where the source changes, sequence
// numbers go on by one and timestamps by the time that passed. The zero value
// awaits the first packet, whose numbers it keeps.
type continuity struct {
	started bool
	seq     uint16 // added to those of the source
	stamp   uint32

	floor     uint16 // the source's number from which seq holds
	source    uint16 // the highest of the source's numbers
	last      uint16 // the highest number given out
	lastStamp uint32
	lastAt    time.Time
}

// reorderRoom is how many packets late one may be.
const reorderRoom = 1 << 12

// begin makes the stream go on from given numbers.
func (c *continuity) begin(seq uint16, stamp uint32, now time.Time) {
	*c = continuity{started: true, last: seq, lastStamp: stamp, lastAt: now}
}

// splice joins a source on, whose first packet has the given numbers.
func (c *continuity) splice(seq uint16, stamp, rate uint32, now time.Time) {
	c.floor, c.source = seq, seq-1
	if !c.started {
		c.started = true
		return
	}
	c.seq = c.last + 1 - seq
	c.stamp = c.clock(rate, now) - stamp
}

// clock is the timestamp the stream has at a time: at least one past the last.
func (c *continuity) clock(rate uint32, now time.Time) uint32 {
	passed := uint32(max(0, now.Sub(c.lastAt).Microseconds()) * int64(rate) / 1_000_000)
	return c.lastStamp + max(1, passed)
}

// number gives a packet of the source its numbers in the stream. ok is false
// for one from before the join, or before a packet that was taken in between.
func (c *continuity) number(seq uint16, stamp uint32, now time.Time) (outSeq uint16, outStamp uint32, ok bool) {
	if int16(seq-c.floor) < 0 {
		return 0, 0, false
	}
	outSeq, outStamp = seq+c.seq, stamp+c.stamp
	if int16(seq-c.source) > 0 {
		c.source, c.last, c.lastStamp, c.lastAt = seq, outSeq, outStamp, now
		if seq-c.floor > reorderRoom { // the floor must not fall half a turn behind
			c.floor = seq - reorderRoom
		}
	}
	return outSeq, outStamp, true
}

// skip leaves a packet of the source out without a gap.
func (c *continuity) skip(seq uint16) {
	if int16(seq-c.source) > 0 {
		c.source, c.floor = seq, seq+1
		c.seq--
	}
}

// insert takes the next number for a packet that is not the source's.
func (c *continuity) insert() uint16 {
	c.last++
	c.seq++
	c.floor = c.source + 1
	return c.last
}

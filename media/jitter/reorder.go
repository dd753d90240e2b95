// Package jitter straightens what a network bends: Reorder puts packets back in
// order and tells what is lost, Playout turns the irregular arrival of samples
// into a steady flow at the least delay.
package jitter

import (
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// Packet is one packet in order, valid until the handler returns.
type Packet struct {
	Lost        int  // packets missing right before this one
	Restart     bool // sequence numbers and timestamps started anew
	Sequence    uint16
	Timestamp   uint32
	Marker      bool
	PayloadType uint8
	// Level is the RFC 6464 byte that came under media.AudioLevelID.
	Level    uint8
	HasLevel bool
	Payload  []byte
}

// Limits of the reordering.
const (
	slots = 64 // how far ahead or behind a packet is still of this sequence
	// minDepth is how many packets may overtake one before it is given up;
	// it grows to maxDepth where packets are seen to come later than that.
	minDepth = 1
	maxDepth = 8
	// MaxWait bounds how long a packet is held back for an earlier one.
	MaxWait = 60 * time.Millisecond
	// relaxAfter packets without a late one the depth shrinks by one.
	relaxAfter = 1000
)

// Reorder delivers packets in order: at once when they come in order, after a
// gap when it closes or enough packets or time have passed. Not for concurrent
// use. It does not allocate once each slot has seen the longest payload.
type Reorder struct {
	deliver func(*Packet)

	started  bool
	expected uint16
	seen     uint64 // bit i: expected-1-i was delivered
	held     int
	since    time.Time // when the present gap was met
	ring     [slots]slot

	suspect    slot // a packet far off: the sequence may have restarted
	suspicious bool

	depth, calm int
	stats       ReorderStats
	out         Packet
}

type slot struct {
	used    bool
	packet  Packet
	payload []byte
}

// ReorderStats count packets since the start.
type ReorderStats struct {
	Delivered, Lost, Late, Duplicate, Restarts uint64
}

// NewReorder makes a stage that calls deliver for each packet, within Write and
// Expire.
func NewReorder(deliver func(*Packet)) *Reorder {
	return &Reorder{deliver: deliver, depth: minDepth}
}

// Stats are the counts so far.
func (r *Reorder) Stats() ReorderStats { return r.stats }

// Held is how many packets wait for an earlier one.
func (r *Reorder) Held() int { return r.held }

// Write takes one packet.
func (r *Reorder) Write(p *rtp.Packet, now time.Time) {
	if !r.started {
		r.started = true
		r.expected = p.SequenceNumber
	}
	ahead := int(int16(p.SequenceNumber - r.expected))
	switch {
	case ahead == 0:
		r.suspicious = false
		r.pass(r.read(p))
		r.drain(now)
	case ahead >= slots || ahead <= -slots:
		r.far(p)
	case ahead < 0:
		r.behind(-ahead)
	default:
		r.suspicious = false
		r.hold(p, now)
	}
}

// Expire gives up gaps that have waited for MaxWait. Call it now and then while
// Held is not zero.
func (r *Reorder) Expire(now time.Time) {
	if r.held > 0 && now.Sub(r.since) >= MaxWait {
		r.skip(now)
	}
}

func (r *Reorder) read(p *rtp.Packet) *Packet {
	r.out = Packet{
		Sequence: p.SequenceNumber, Timestamp: p.Timestamp, Marker: p.Marker,
		PayloadType: p.PayloadType, Payload: p.Payload,
	}
	if ext := p.GetExtension(media.AudioLevelID); len(ext) > 0 {
		r.out.Level, r.out.HasLevel = ext[0], true
	}
	return &r.out
}

func (s *slot) keep(p *Packet) {
	s.used = true
	s.payload = append(s.payload[:0], p.Payload...)
	s.packet = *p
	s.packet.Payload = s.payload
}

func (r *Reorder) pass(p *Packet) {
	r.seen = r.seen<<1 | 1
	r.expected = p.Sequence + 1
	r.stats.Delivered++
	r.deliver(p)
}

// hold keeps a packet that came before an earlier one, and gives the earlier
// one up when too many wait.
func (r *Reorder) hold(p *rtp.Packet, now time.Time) {
	s := &r.ring[p.SequenceNumber%slots]
	if s.used {
		r.stats.Duplicate++
		return
	}
	if r.held == 0 {
		r.since = now
	}
	s.keep(r.read(p))
	r.held++
	if r.held > r.depth || now.Sub(r.since) >= MaxWait {
		r.skip(now)
	}
}

// skip gives up the gap and delivers what follows it.
func (r *Reorder) skip(now time.Time) {
	lost := 0
	for !r.ring[r.expected%slots].used {
		r.expected++
		lost++
	}
	r.seen <<= lost
	r.stats.Lost += uint64(lost)
	s := &r.ring[r.expected%slots]
	s.packet.Lost = lost
	r.drain(now)
}

// drain delivers what is now in order.
func (r *Reorder) drain(now time.Time) {
	for r.held > 0 {
		s := &r.ring[r.expected%slots]
		if !s.used {
			r.since = now // the next gap waits anew
			return
		}
		s.used = false
		r.held--
		r.pass(&s.packet)
	}
	if r.calm++; r.calm > relaxAfter {
		r.calm = 0
		r.depth = max(r.depth-1, minDepth)
	}
}

// behind counts a packet that came too late, and learns to wait longer.
func (r *Reorder) behind(by int) {
	if r.seen>>(by-1)&1 == 1 {
		r.stats.Duplicate++
		return
	}
	r.stats.Late++
	r.seen |= 1 << (by - 1)
	r.calm = 0
	r.depth = min(max(r.depth, by), maxDepth)
}

// far keeps a packet that does not belong to the sequence. When the next one
// follows it the source has restarted (RFC 3550 A.1); otherwise it was a stray.
func (r *Reorder) far(p *rtp.Packet) {
	if !r.suspicious || p.SequenceNumber != r.suspect.packet.Sequence+1 {
		r.suspicious = true
		r.suspect.keep(r.read(p))
		return
	}
	r.suspicious = false
	r.stats.Restarts++
	for r.held > 0 { // what was waiting is delivered first
		r.skip(time.Time{})
	}
	r.seen = 0
	r.suspect.packet.Restart = true
	r.pass(&r.suspect.packet)
	r.pass(r.read(p))
}

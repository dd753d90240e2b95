// Package pace spreads the packets of large pictures over time.
package pace

import (
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// Pacer spreads the packets of a large picture over time: a keyframe that leaves at
// once overfills the queues of narrow paths, is damaged there, and asked for again.
// Its owner's lock guards it.
type Pacer struct {
	// Next takes the packets.
	Next media.Writer
	// Arm asks for a call of Due after a while.
	Arm func(d time.Duration)

	bps   float64 // at which packets leave
	owed  float64 // bits sent ahead of that
	at    time.Time
	queue []*rtp.Packet
	spare []*rtp.Packet
	since time.Time // when the first of the queue came
}

// Bounds of pacing: a burst leaves at once, the rest at so many times the bit rate,
// and nothing waits much longer than a few pictures last.
const (
	burst   = 6 * 1200 * 8 // bits
	factor  = 2.5
	step    = 4 * time.Millisecond
	longest = 150 * time.Millisecond
	most    = 512 // packets
)

// Rate sets the bit rate of the pictures.
func (p *Pacer) Rate(bps int) { p.bps = factor * float64(max(bps, 48_000)) }

// Write sends a packet in its turn.
func (p *Pacer) Write(q *rtp.Packet, now time.Time) {
	if len(p.queue) > 0 && now.Sub(p.since) > longest {
		p.Flush()
	}
	if len(p.queue) == 0 && p.pass(q, now) {
		return
	}
	if len(p.queue) == 0 {
		p.since = now
		p.Arm(step)
	}
	if len(p.queue) >= most {
		p.Flush()
	}
	c := new(rtp.Packet)
	if n := len(p.spare); n > 0 {
		c, p.spare = p.spare[n-1], p.spare[:n-1]
	}
	payload := append(c.Payload[:0], q.Payload...)
	*c = *q
	c.Payload = payload
	p.queue = append(p.queue, c)
}

// pass sends a packet if it may leave by now.
func (p *Pacer) pass(q *rtp.Packet, now time.Time) bool {
	p.owed = max(0, p.owed-p.bps*now.Sub(p.at).Seconds())
	p.at = now
	size := float64(8 * len(q.Payload))
	if p.owed > 0 && p.owed+size > burst {
		return false
	}
	p.owed += size
	_ = p.Next.WriteRTP(q) // a writer that fails is its owner's matter
	return true
}

// Due sends what may leave by now.
func (p *Pacer) Due(now time.Time) {
	n := 0
	for n < len(p.queue) && p.pass(p.queue[n], now) {
		n++
	}
	p.drop(n)
	if len(p.queue) > 0 {
		p.Arm(step)
	}
}

// Flush sends all that waits.
func (p *Pacer) Flush() {
	for _, q := range p.queue {
		p.owed += float64(8 * len(q.Payload))
		_ = p.Next.WriteRTP(q) // as in pass
	}
	p.drop(len(p.queue))
}

func (p *Pacer) drop(n int) {
	p.spare = append(p.spare, p.queue[:n]...)
	p.queue = append(p.queue[:0], p.queue[n:]...)
}

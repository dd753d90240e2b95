package pace

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/media"
)

// A large picture leaves over time and in order; small ones leave as they come.
func TestPacer(t *testing.T) {
	var sent []uint16
	armed := 0
	p := Pacer{Next: media.WriterFunc(func(q *rtp.Packet) error {
		sent = append(sent, q.SequenceNumber)
		assert.Equal(t, byte(q.SequenceNumber), q.Payload[0])
		return nil
	}), Arm: func(time.Duration) { armed++ }}
	p.Rate(384_000)
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	seq := uint16(0)
	buffer := make([]byte, 1188)
	picture := func(packets int) {
		for range packets {
			buffer[0] = byte(seq)
			p.Write(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq}, Payload: buffer}, now)
			seq++
		}
	}
	for range 30 {
		picture(1)
		now = now.Add(33 * time.Millisecond)
	}
	assert.Len(t, sent, 30)
	assert.Zero(t, armed)
	picture(14) // 133 kbit at 960 kbit/s
	assert.Len(t, sent, 36)
	began := now
	for len(sent) < 44 {
		now = now.Add(step)
		p.Due(now)
	}
	assert.InDelta(t, 75, now.Sub(began).Milliseconds(), 15)
	picture(40)
	now = now.Add(200 * time.Millisecond) // nobody looked after it
	picture(1)
	assert.GreaterOrEqual(t, len(sent), 84, "what is old waits no longer")
	now = now.Add(time.Second)
	p.Due(now)
	assert.Len(t, sent, 85)
	for i, s := range sent {
		assert.Equal(t, uint16(i), s)
	}
}

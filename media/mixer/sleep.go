package mixer

import (
	"github.com/roomgate/roomgate/media/jitter"
	"github.com/roomgate/roomgate/media/level"
)

// sleep decides by the RFC 6464 level which packets need not be decoded.
type sleep struct {
	quiet  int // packets in a row that were silent
	asleep bool
	kept   [2][]byte // the last payloads passed over
	next   int
}

const (
	sleepBelow = -60.0 // dBov; well under what opens the gate
	sleepAfter = 25    // packets
	voiceBit   = 0x80  // RFC 6464 §3
)

// through reports whether the packet may be passed over.
func (s *sleep) through(k *jitter.Packet) bool {
	if !k.HasLevel || level.FromByte(k.Level) > sleepBelow || (k.Level&voiceBit != 0 && k.Level&0x7f != 127) {
		s.quiet = 0
		return false
	}
	s.quiet++
	return s.quiet > sleepAfter
}

func (s *sleep) keep(payload []byte) {
	s.kept[s.next] = append(s.kept[s.next][:0], payload...)
	s.next = (s.next + 1) % len(s.kept)
}

func (s *sleep) forget() {
	for i := range s.kept {
		s.kept[i] = s.kept[i][:0]
	}
}

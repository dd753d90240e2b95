package testcard

import (
	"slices"
	"time"
)

// Lips tells how well sound and picture fit together for a receiver that goes by the
// clocks of RTCP sender reports (RFC 3550 §6.4.1): flashes and beeps that were made at
// once are compared by when each is said to have been. Not for concurrent use.
type Lips struct {
	flashes, beeps stream
	silent         time.Duration // since the last sound
	last           int           // counter of the card seen last
}

// What is a beep: loud samples behind a silence.
const (
	loud  = 1 << 9
	quiet = 500 * time.Millisecond
)

// few is how many of the first cards of a round may be too poor to be read.
const few = 5

// Hear looks for the beginning of a beep in the samples of a packet. stamp is the
// packet's, in units of clockRate.
func (l *Lips) Hear(pcm []int16, rate int, stamp, clockRate uint32, c Clock) {
	one := time.Second / time.Duration(rate)
	for i, s := range pcm {
		if s < loud && s > -loud {
			l.silent += one
			continue
		}
		if l.silent > quiet {
			l.Beep(stamp+uint32(i)*clockRate/uint32(rate), clockRate, c)
		}
		l.silent = 0
	}
}

// See looks at the cards that are seen, of 90 kHz and fps pictures a second: the one
// whose counter is zero is a flash.
func (l *Lips) See(card Card, stamp uint32, fps int, c Clock) {
	const rate = 90000
	if card.Counter < l.last && card.Counter < few {
		l.Flash(stamp-uint32(card.Counter*rate/fps), rate, c)
	}
	l.last = card.Counter
}

// stream is the events of one medium.
type stream struct {
	pending []uint32 // timestamps before there was a report
	at      []time.Time
}

// Clock is when a timestamp was, as reports say; ok is false before the first.
type Clock func() (ntp uint64, stamp uint32, ok bool)

// Flash notes the picture that begins with a flash.
func (l *Lips) Flash(stamp, rate uint32, c Clock) { l.flashes.add(stamp, rate, c) }

// Beep notes where a beep begins.
func (l *Lips) Beep(stamp, rate uint32, c Clock) { l.beeps.add(stamp, rate, c) }

func (s *stream) add(stamp, rate uint32, c Clock) {
	s.pending = append(s.pending, stamp)
	ntp, origin, ok := c()
	if !ok {
		return
	}
	for _, p := range s.pending {
		since := time.Duration(int64(int32(p-origin)) * int64(time.Second) / int64(rate))
		s.at = append(s.at, wall(ntp).Add(since))
	}
	s.pending = s.pending[:0]
}

// wall is the time of an NTP timestamp.
func wall(ntp uint64) time.Time {
	const since1900 = 2208988800
	return time.Unix(int64(ntp>>32)-since1900, int64((ntp&0xffffffff)*uint64(time.Second)>>32))
}

// apart is by how much a flash and a beep of different moments differ at least.
const apart = 800 * time.Millisecond

// Offsets is by how much sound is later than the picture, pair by pair, in order of
// size.
func (l *Lips) Offsets() (list []time.Duration) {
	for _, f := range l.flashes.at {
		best, found := apart, false
		for _, b := range l.beeps.at {
			if d := b.Sub(f); d.Abs() < best.Abs() {
				best, found = d, true
			}
		}
		if found {
			list = append(list, best)
		}
	}
	slices.Sort(list)
	return list
}

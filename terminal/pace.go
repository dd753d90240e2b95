package terminal

import "time"

// frozen is a pause between pictures that people notice as a picture that stands.
const frozen = 500 * time.Millisecond

// Second is what was seen in one second of the call.
type Second struct {
	Kbps      int `json:"kbps"` // of payload that arrived
	Frames    int `json:"frames"`
	Keyframes int `json:"keyframes"`
	Width     int `json:"width"` // of the last picture so far
	Height    int `json:"height"`
}

// pace is how much came, and how evenly pictures did.
type pace struct {
	bytes, bits int // bits: of the second under way
	first, last time.Time
	freezes     int
	longest     time.Duration
	origin      time.Time
	seconds     []Second
}

// maxSeconds bounds what is kept.
const maxSeconds = 4 * 3600

// second is the one that now falls into, counted from the first packet.
func (p *pace) second(now time.Time) *Second {
	if p.origin.IsZero() {
		p.origin = now
	}
	n := min(int(now.Sub(p.origin)/time.Second), maxSeconds-1)
	for len(p.seconds) <= n {
		s := Second{}
		if k := len(p.seconds); k > 0 {
			s.Width, s.Height = p.seconds[k-1].Width, p.seconds[k-1].Height
		}
		p.bits = 0
		p.seconds = append(p.seconds, s)
	}
	return &p.seconds[n]
}

func (p *pace) packet(octets int, now time.Time) {
	s := p.second(now)
	p.bytes += octets
	p.bits += 8 * octets
	s.Kbps = p.bits / 1000
}

func (p *pace) picture(key bool, width, height int, now time.Time) {
	s := p.second(now)
	s.Frames++
	if key {
		s.Keyframes++
	}
	s.Width, s.Height = width, height
	if p.first.IsZero() {
		p.first = now
	} else {
		gap := now.Sub(p.last)
		if gap > frozen {
			p.freezes++
		}
		p.longest = max(p.longest, gap)
	}
	p.last = now
}

// report adds what was seen; the seconds go only where a timeline is wanted.
func (p *pace) report(r *VideoReport) {
	r.Freezes, r.LongestMS = p.freezes, p.longest.Milliseconds()
	if span := p.last.Sub(p.origin).Seconds(); span > 0 {
		r.Kbps = int(float64(8*p.bytes) / 1000 / span)
	}
	r.Timeline = p.seconds
}

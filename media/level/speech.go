package level

// Bounds of what counts as speech, in dBov.
const (
	gate     = -50.0 // quieter is never speech
	loudGate = -38.0 // louder always is, however noisy the place
	overHum  = 8.0   // speech is this much above the background
)

// Speech tells sound from background by its level. The background is the
// quietest of the last seconds, so that a fan or a bad line does not count as
// talking. The zero value is ready. It is fed one level per frame.
type Speech struct {
	lows    [4]float64 // quietest frame of each of the last spans, in dBov
	span    int        // frames in the present span
	started bool
}

// spanFrames is the length of a span, 1 s of 20 ms frames.
const spanFrames = 50

// Background is the level of the noise behind the speech in dBov.
func (s *Speech) Background() float64 {
	if !s.started {
		return Silence
	}
	return min(s.lows[0], s.lows[1], s.lows[2], s.lows[3])
}

// Threshold is the level above which a frame is speech, in dBov.
func (s *Speech) Threshold() float64 {
	return min(max(s.Background()+overHum, gate), loudGate)
}

// Write takes the level of the next frame in dBov and reports whether it is
// speech.
func (s *Speech) Write(dbov float64) bool {
	if !s.started {
		s.started = true
		for i := range s.lows {
			s.lows[i] = Silence
		}
	}
	voice := dbov >= s.Threshold()
	if s.span++; s.span > spanFrames {
		s.span = 1
		copy(s.lows[1:], s.lows[:3])
		s.lows[0] = dbov
	}
	s.lows[0] = min(s.lows[0], dbov)
	return voice
}

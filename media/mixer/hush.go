package mixer

// hush tells which frames of an uplink are worth sending. Where nobody speaks
// one in refreshFrames is, so that the receiver's comfort noise stays true; a
// packet without sound before the pause tells it to make some (RFC 7587
// §3.1.3). The encoder rests meanwhile, which is most of what a listening leg
// would cost.
type hush struct{ still int } // frames since the last sound

const (
	hushFrames    = 25    // 0.5 s of quiet begin a pause
	refreshFrames = 20    // 0.4 s
	overNoise     = 5.0   // dB above the background is sound: less than counts as speech
	faintest      = -60.0 // dBov; below it nothing is sound
)

// action is what to do with a frame.
type action uint8

const (
	send action = iota
	pause
	skip
)

// frame judges the next frame by its level and that of the background, in dBov.
func (h *hush) frame(voice bool, dbov, background float64) action {
	if voice || dbov > max(background+overNoise, faintest) {
		h.still = 0
		return send
	}
	h.still++
	switch resting := h.still - hushFrames; {
	case resting <= 0:
		return send
	case resting == 1:
		return pause
	case resting%refreshFrames == 0:
		return send
	}
	return skip
}

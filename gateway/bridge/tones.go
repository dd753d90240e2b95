package bridge

import "github.com/roomgate/roomgate/media/tone"

// toneRate is the sampling rate of the notice tones, in Hz.
const toneRate = 8000

func beep(hz float64, ms int) []int16 { return tone.Beep(toneRate, hz, toneRate*ms/1000) }

func pause(ms int) []int16 { return make([]int16, toneRate*ms/1000) }

func sequence(parts ...[]int16) []int16 {
	var out []int16
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// muteTone falls when the user is muted and rises when that is lifted.
func muteTone(muted bool) []int16 {
	if muted {
		return sequence(beep(660, 120), pause(40), beep(440, 160))
	}
	return sequence(beep(440, 120), pause(40), beep(660, 160))
}

// lostTone says that the meeting cannot be reached at the moment.
func lostTone() []int16 {
	return sequence(beep(425, 150), pause(100), beep(425, 150), pause(100), beep(425, 150))
}

// backTone says that the meeting is back.
func backTone() []int16 { return sequence(beep(523, 100), pause(30), beep(784, 180)) }

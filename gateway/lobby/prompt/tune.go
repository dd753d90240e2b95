package prompt

import (
	"math"
	"sync"
)

// The tune is of broken chords on plucked strings: a bar of eight notes to each
// chord, 4 bars, played twice.
const (
	noteLength  = Rate / 4
	notesPerBar = 8
)

// bars are the chords, as semitones above A of 220 Hz: a, F, C, G.
var bars = [4][4]int{{0, 3, 7, 12}, {-4, 0, 3, 8}, {3, 7, 10, 15}, {-2, 2, 5, 10}}

// order is how the notes of a chord follow.
var order = [notesPerBar]int{0, 1, 2, 3, 2, 3, 1, 2}

// tune makes the music for those who wait: 16 seconds at Rate, about -27 dBov,
// that end as they begin. It is made when somebody waits for the first time.
var tune = sync.OnceValue(func() []int16 {
	length := 2 * len(bars) * notesPerBar * noteLength
	mix := make([]float64, length)
	for i := range 2 * len(bars) * notesPerBar {
		chord := bars[i/notesPerBar%len(bars)]
		pluck(mix, i*noteLength, 220*math.Pow(2, float64(chord[order[i%notesPerBar]])/12))
	}
	pcm := make([]int16, length)
	for i, v := range mix {
		pcm[i] = int16(v)
	}
	return pcm
})

// pluck adds one note of hz that decays; beyond the end it goes on at the
// beginning, so that the tune can be repeated.
func pluck(mix []float64, from int, hz float64) {
	const harmonics = 3
	for i := range 5 * noteLength {
		t := float64(i) / Rate
		envelope := 3000 * math.Exp(-4*t) * min(1, t/0.005)
		v := 0.0
		for h := 1; h <= harmonics; h++ {
			v += math.Sin(2*math.Pi*hz*float64(h)*t) / float64(h*h)
		}
		mix[(from+i)%len(mix)] += envelope * v
	}
}

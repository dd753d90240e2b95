// Package tone makes and measures tones. Levels are in dBFS: 0 is a sine that
// just reaches full scale, which is -3.01 dBov.
package tone

import "math"

// Generator makes a sine without end.
type Generator struct {
	amplitude   float64
	phase, step float64 // in turns
}

// NewGenerator makes a sine of hz at rate Hz and a level in dBFS.
func NewGenerator(rate int, hz, dbfs float64) *Generator {
	return &Generator{amplitude: 32767 * math.Pow(10, min(dbfs, 0)/20), step: hz / float64(rate)}
}

// Read fills pcm with the next samples.
func (g *Generator) Read(pcm []int16) {
	for i := range pcm {
		pcm[i] = int16(math.Round(g.amplitude * math.Sin(2*math.Pi*g.phase)))
		g.phase += g.step
		g.phase -= math.Floor(g.phase)
	}
}

// Beep is a tone of so many samples at rate Hz with ramps of 5 ms, at -15 dBFS.
func Beep(rate int, hz float64, samples int) []int16 {
	pcm := make([]int16, samples)
	NewGenerator(rate, hz, -15).Read(pcm)
	ramp := min(rate/200, samples/2)
	for i := range ramp {
		pcm[i] = int16(int(pcm[i]) * i / ramp)
		last := samples - 1 - i
		pcm[last] = int16(int(pcm[last]) * i / ramp)
	}
	return pcm
}

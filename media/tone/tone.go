// Package tone makes and measures tones.
package tone

// Generator makes a sine.
type Generator struct{}

// NewGenerator makes a sine of hz at rate Hz with a level in dBFS (0 is a sine
// that just reaches full scale).
func NewGenerator(rate int, hz, dbfs float64) *Generator { return &Generator{} }

// Read fills pcm with the next samples.
func (g *Generator) Read(pcm []int16) {}

// Measurement is what was heard.
type Measurement struct {
	Frequency float64 // of the strongest component, Hz; 0 in silence
	Level     float64 // dBFS
	Purity    float64 // share of the power within the strongest component, 0..1
}

// Measure analyses samples at rate Hz; a fifth of a second or more gives 1 Hz.
func Measure(pcm []int16, rate int) Measurement { return Measurement{} }

// Meter measures the last second of a stream.
type Meter struct{}

// NewMeter makes a meter for samples at rate Hz.
func NewMeter(rate int) *Meter { return &Meter{} }

// Write takes the next samples.
func (m *Meter) Write(pcm []int16) {}

// Measure is what the last second held.
func (m *Meter) Measure() Measurement { return Measurement{} }

// Beep is a tone of the given length with ramps of 5 ms, at -15 dBFS.
func Beep(rate int, hz float64, samples int) []int16 { return nil }

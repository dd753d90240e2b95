// Package dtmf knows the keypad: the tones of ITU-T Q.23, heard in sound and
// made, and the digits in SIP INFO bodies.
package dtmf

// Detector hears keypad tones in mono samples.
type Detector struct{}

// NewDetector makes a detector for samples at rate Hz (8000, 16000 or 48000);
// digit is called once per key press.
func NewDetector(rate int, digit func(rune)) *Detector { return &Detector{} }

// Write takes the next samples, any number of them.
func (d *Detector) Write(pcm []int16) {}

// Tone is the sound of one digit: duration in samples, each of the two
// frequencies at dbov (-10 is usual). Nil when it is no digit.
func Tone(digit rune, rate, samples int, dbov float64) []int16 { return nil }

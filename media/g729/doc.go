// Package g729 is ITU-T G.729 Annex A: telephone speech in 8 kbit/s. A frame is
// 10 ms, 80 samples at 8 kHz, and 80 bits, most significant first:
//
//	bits  1  7  5  5   8  1 13  4  3  4   5 13  4  3  4
//	      L0 L1 L2 L3  P1 P0 C1 S1 A1 B1  P2 C2 S2 A2 B2
//
//	L  line spectral frequencies: which predictor, first stage, second stages
//	P  delay of the adaptive codebook (the pitch) in each half frame, and parity
//	C  positions of four pulses, S their signs
//	A, B  the two gains, in two stages
//
// Frames of 2 bytes describe comfort noise (Annex B); they are decoded, never
// made.
//
// Both ways reckon in floating point, as Annex C does: the streams are those of
// G.729, the samples near those of the fixed-point Recommendation, not the same.
package g729

import "errors"

// Sizes of a frame.
const (
	Rate         = 8000
	FrameSamples = 80
	FrameBytes   = 10
	NoiseBytes   = 2

	half  = FrameSamples / 2
	order = 10 // of linear prediction
)

var (
	// ErrLength is returned for a payload or samples that are no whole frames.
	ErrLength = errors.New("g729: not a whole number of frames")
	// ErrShort is returned when the result does not fit the buffer.
	ErrShort = errors.New("g729: buffer too short")
)

// Limits of the pitch delay.
const (
	minLag  = 20
	maxLag  = 143
	reach   = 10 // samples either side that the interpolation filter takes
	history = maxLag + reach + 1
)

// Package noise makes the comfort noise of RFC 3389.
//
// A payload is one byte of level (-dBov) and up to Order bytes of quantized
// reflection coefficients, which shape white noise by an all-pole lattice:
//
//	 0                   1                   2
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|0|   level     |      N1       |   N2  ...
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
package noise

import (
	"errors"
	"math"
)

// PayloadType is the static RTP payload type of comfort noise at 8 kHz.
const PayloadType = 13

// Order bounds how many coefficients are used; more are ignored (RFC 3389 §3.3).
const Order = 12

// ErrPayload is returned for an empty payload.
var ErrPayload = errors.New("noise: empty payload")

// Params describe a background. The zero value is silence at full level; make
// them by Parse or White.
type Params struct {
	Level      float64 // dBov
	Reflection [Order]float32
}

// White is noise without colour.
func White(dbov float64) Params { return Params{Level: dbov} }

// Parse reads a payload.
func Parse(payload []byte) (Params, error) {
	if len(payload) == 0 {
		return Params{}, ErrPayload
	}
	p := Params{Level: -float64(payload[0] & 0x7f)}
	for i, n := range payload[1:] {
		if i == Order {
			break
		}
		// §3.1: 127 is zero; 0 and 254 are the ends. 255 is reserved.
		p.Reflection[i] = (float32(min(n, 254)) - 127) / 128
	}
	return p, nil
}

// Append writes the payload that Parse reads.
func (p Params) Append(b []byte) []byte {
	b = append(b, byte(math.Round(min(max(-p.Level, 0), 127))))
	last := Order
	for last > 0 && p.Reflection[last-1] == 0 {
		last--
	}
	for _, k := range p.Reflection[:last] {
		b = append(b, byte(min(max(math.Round(float64(k)*128)+127, 0), 254)))
	}
	return b
}

// Generator makes the noise. The zero value is silent until Set.
type Generator struct {
	target, gain float32
	reflection   [Order]float32
	lattice      [Order + 1]float32
	seed         uint32
}

// Set changes the background; the level moves there smoothly.
func (g *Generator) Set(p Params) {
	// The lattice raises the power of white noise by 1/prod(1-k^2).
	power := 1.0
	for _, k := range p.Reflection {
		power *= 1 - float64(k)*float64(k)
	}
	rms := 32768 * math.Pow(10, p.Level/20)
	if p.Level <= -127 {
		rms = 0
	}
	// Uniform noise of amplitude 1 has an RMS of 1/sqrt(3).
	g.target = float32(rms * math.Sqrt(3*power))
	g.reflection = p.Reflection
	g.seed |= 1
}

// Read fills pcm.
func (g *Generator) Read(pcm []int16) {
	for i := range pcm {
		g.gain += (g.target - g.gain) / 256
		g.seed = g.seed*1664525 + 1013904223
		f := float32(int32(g.seed)) / (1 << 31) * g.gain
		for j := Order - 1; j >= 0; j-- {
			f -= g.reflection[j] * g.lattice[j]
			g.lattice[j+1] = g.lattice[j] + g.reflection[j]*f
		}
		g.lattice[0] = f
		pcm[i] = int16(min(max(f, -32768), 32767))
	}
}

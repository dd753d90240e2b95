// Package level measures how loud samples are, in the units of telephony.
//
// dBov is relative to the overload point (ITU-T G.100.1): a square wave of full
// scale is 0 dBov, a sine of full scale -3.01 dBov. RFC 6464 carries the level
// as -dBov in 0..127.
package level

import "math"

// Silence is the level of digital silence, and of whatever is quieter.
const Silence = -127.0

// DBov is the level of the samples, at least Silence.
func DBov(pcm []int16) float64 {
	if len(pcm) == 0 {
		return Silence
	}
	return FromPower(Power(pcm))
}

// Power is the mean square of the samples.
func Power(pcm []int16) float64 {
	if len(pcm) == 0 {
		return 0
	}
	var sum int64
	for _, s := range pcm {
		sum += int64(s) * int64(s)
	}
	return float64(sum) / float64(len(pcm))
}

// FromPower turns a mean square into dBov.
func FromPower(power float64) float64 {
	if power <= 0 {
		return Silence
	}
	return max(10*math.Log10(power/(32768*32768)), Silence)
}

// Byte turns dBov into the 7-bit value of RFC 6464 §3: 0 is loudest, 127 silence.
func Byte(dbov float64) uint8 {
	return uint8(math.Round(min(max(-dbov, 0), 127)))
}

// FromByte turns the value of RFC 6464 §3 into dBov; the voice bit is ignored.
func FromByte(b uint8) float64 { return -float64(b & 0x7f) }

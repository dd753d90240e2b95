// Package g7221 is ITU-T G.722.1 (7 kHz of sound in 16 to 32 kbit/s) and its
// Annex C (14 kHz in 24 to 48 kbit/s), which room terminals know as Siren 7 and
// Siren 14.
//
// A frame is 20 ms. A modulated lapped transform turns them into 320 or 640
// coefficients, of which the lower seven eighths are coded, in regions of 20
// (500 Hz). A frame's bits are, most significant first (RFC 5577 puts them
// into RTP as they are):
//
//	+-------+------------------+---------+---------------------+--------+
//	| level | differences of   | control | vectors of region 0,| ones   |
//	| of    | the other 13 or  | 4 or 5  | 1, 2, ...: code and | to the |
//	| reg. 0| 27 levels, coded | bits    | signs of each       | end    |
//	| 5 bits|                  |         |                     |        |
//	+-------+------------------+---------+---------------------+--------+
//
// The levels alone say, to both sides, how finely each region would be
// quantized (its category); the control says how many of a list of single
// steps towards coarser categories were taken so that the vectors fit.
//
// The decoder is the Recommendation's fixed-point one up to the coefficients,
// to the bit, and exact from there to the samples; the encoder reckons in
// floating point.
package g7221

import "errors"

var (
	// ErrMode is returned for a sampling rate or bit rate that is not defined.
	ErrMode = errors.New("g7221: no such mode")
	// ErrLength is returned for a payload or samples that are no whole frames.
	ErrLength = errors.New("g7221: not a whole number of frames")
	// ErrShort is returned when the result does not fit the buffer.
	ErrShort = errors.New("g7221: buffer too short")
)

// Mode is a sampling rate of 16000 or 32000 Hz and a bit rate in bit/s.
type Mode struct {
	Rate    int
	Bitrate int
}

// Valid reports whether the mode is one of RFC 5577: 16 to 32 kbit/s at
// 16 kHz, 24 to 48 at 32 kHz, in steps of 400 bit/s, which fill whole bytes.
func (m Mode) Valid() bool {
	if m.Bitrate%400 != 0 {
		return false
	}
	switch m.Rate {
	case 16000:
		return m.Bitrate >= 16000 && m.Bitrate <= 32000
	case 32000:
		return m.Bitrate >= 24000 && m.Bitrate <= 48000
	}
	return false
}

// Samples is the number of samples in a frame.
func (m Mode) Samples() int { return m.Rate / 50 }

// Bytes is the length of a coded frame.
func (m Mode) Bytes() int { return m.Bitrate / 400 }

// regions is how many bands of 500 Hz are coded.
func (m Mode) regions() int { return m.Rate / 16000 * 14 }

// controlBits is the length of the control; it counts steps of categories.
func (m Mode) controlBits() int {
	if m.Rate == 16000 {
		return 4
	}
	return 5
}

// Sizes of the larger mode.
const (
	maxSamples = 640
	maxRegions = 28
	maxSteps   = 1<<5 - 1
	regionSize = 20
)

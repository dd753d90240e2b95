package transcode

import (
	"math/bits"

	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/plc"
)

// law is one of the two companding laws of ITU-T G.711. Encoding depends on the
// upper 14 bits of a sample in both, so the table has one byte for each.
type law struct {
	encode [1 << 14]byte
	decode [256]int16
}

var (
	muLaw = newLaw(muCompress, muExpand)
	aLaw  = newLaw(aCompress, aExpand)
)

func newLaw(compress func(int) byte, expand func(byte) int) *law {
	l := new(law)
	for i := range l.encode {
		l.encode[i] = compress(int(int16(i << 2)))
	}
	for i := range l.decode {
		l.decode[i] = int16(expand(byte(i)))
	}
	return l
}

// muCompress is Table 2a of G.711: the magnitude, biased by 33 in units of 14
// bits, is written as 3 bits of exponent and 4 of mantissa, all inverted.
func muCompress(sample int) byte {
	var sign byte = 0x80
	if sample < 0 {
		sample, sign = ^sample, 0
	}
	v := min(sample>>2+33, 0x1fff)
	exponent := bits.Len(uint(v)) - 6
	return sign | ^byte(exponent<<4|v>>(exponent+1)&15)&0x7f
}

func muExpand(code byte) int {
	c := ^code & 0x7f
	exponent, mantissa := int(c>>4), int(c&15)
	v := ((mantissa<<1+33)<<exponent - 33) << 2
	if code&0x80 == 0 {
		return -v
	}
	return v
}

// aCompress is Table 1a of G.711: 13 bits, the lowest segment linear, the even
// bits inverted.
func aCompress(sample int) byte {
	var sign byte = 0x80
	if sample < 0 {
		sample, sign = ^sample, 0
	}
	v := sample >> 4
	code := v
	if exponent := bits.Len(uint(v)) - 4; exponent > 1 {
		code = exponent<<4 | v>>(exponent-1)&15
	}
	return (sign | byte(code)) ^ 0x55
}

func aExpand(code byte) int {
	code ^= 0x55
	exponent, mantissa := int(code>>4&7), int(code&15)
	v := mantissa<<1 + 1
	if exponent > 0 {
		v = (v + 32) << (exponent - 1)
	}
	v <<= 3
	if code&0x80 == 0 {
		return -v
	}
	return v
}

type g711Encoder struct{ law *law }

func (g711Encoder) Rate() int { return 8000 }

func (e g711Encoder) Encode(payload []byte, pcm []int16) (int, error) {
	if len(payload) < len(pcm) {
		return 0, errShort
	}
	table := &e.law.encode
	payload = payload[:len(pcm)]
	for i, s := range pcm {
		payload[i] = table[uint16(s)>>2]
	}
	return len(pcm), nil
}

// Memoryless tells the mixer that streams may be exchanged at any packet.
func (g711Encoder) Memoryless() {}

func (e g711Encoder) CopyState(from mixer.Encoder) error {
	if o, ok := from.(g711Encoder); !ok || o.law != e.law {
		return errOther
	}
	return nil
}

type g711Decoder struct {
	law *law
	plc *plc.Concealer
}

func (*g711Decoder) Rate() int { return 8000 }

func (d *g711Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	if len(payload) == 0 || len(payload) > len(pcm) {
		return 0, errPayload
	}
	pcm = pcm[:len(payload)]
	for i, b := range payload {
		pcm[i] = d.law.decode[b]
	}
	d.plc.Good(pcm)
	return len(pcm), nil
}

func (d *g711Decoder) Conceal(pcm []int16) { d.plc.Lost(pcm) }

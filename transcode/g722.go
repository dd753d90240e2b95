package transcode

import (
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/plc"
)

// g722Encoder is ITU-T G.722 at 64 kbit/s: two bands split by a quadrature
// mirror filter, 6 bits of ADPCM for the lower and 2 for the upper one. One
// byte stands for two samples at 16 kHz.
type g722Encoder struct {
	low, high g722Band
	history   [24]int32 // of the filter, oldest first
}

func newG722Encoder() *g722Encoder {
	e := new(g722Encoder)
	e.low.step, e.high.step = 32, 8
	return e
}

func (*g722Encoder) Rate() int { return 16000 }

func (e *g722Encoder) Encode(payload []byte, pcm []int16) (int, error) {
	if len(payload) < len(pcm)/2 {
		return 0, errShort
	}
	n := 0
	for i := 0; i+1 < len(pcm); i += 2 {
		copy(e.history[:22], e.history[2:])
		e.history[22], e.history[23] = int32(pcm[i]), int32(pcm[i+1])
		var odd, even int32
		for j, c := range g722QMF {
			odd += e.history[2*j] * c
			even += e.history[2*j+1] * g722QMF[11-j]
		}
		payload[n] = e.high.encodeHigh((even-odd)>>14)<<6 | e.low.encodeLow((even+odd)>>14)
		n++
	}
	return n, nil
}

func (e *g722Encoder) CopyState(from mixer.Encoder) error {
	o, ok := from.(*g722Encoder)
	if !ok {
		return errOther
	}
	*e = *o
	return nil
}

type g722Decoder struct {
	low, high g722Band
	history   [24]int32
	plc       *plc.Concealer
}

func newG722Decoder() *g722Decoder {
	d := &g722Decoder{plc: plc.New(16000)}
	d.low.step, d.high.step = 32, 8
	return d
}

func (*g722Decoder) Rate() int { return 16000 }

func (d *g722Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	if len(payload) == 0 || 2*len(payload) > len(pcm) {
		return 0, errPayload
	}
	pcm = pcm[:2*len(payload)]
	for i, code := range payload {
		low, high := d.low.decodeLow(code&0x3f), d.high.decodeHigh(code>>6)
		copy(d.history[:22], d.history[2:])
		d.history[22], d.history[23] = low+high, low-high
		var odd, even int32
		for j, c := range g722QMF {
			odd += d.history[2*j] * c
			even += d.history[2*j+1] * g722QMF[11-j]
		}
		pcm[2*i], pcm[2*i+1] = int16(saturate(even>>11)), int16(saturate(odd>>11))
	}
	d.plc.Good(pcm)
	return len(pcm), nil
}

func (d *g722Decoder) Conceal(pcm []int16) { d.plc.Lost(pcm) }

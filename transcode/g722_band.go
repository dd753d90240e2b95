package transcode

// g722Band is the ADPCM coder of one band (G.722 clause 3): a quantizer whose
// step follows the signal and a predictor with two poles and six zeros. The
// names in brackets are the blocks of the Recommendation.
type g722Band struct {
	estimate  int32    // of the next sample, from poles and zeros [s]
	zeros     int32    // its part from the zeros [sz]
	poleCoeff [2]int32 // [a1, a2]
	zeroCoeff [6]int32 // [b1..b6]
	diff      [6]int32 // the last quantized differences, newest first [d]
	recon     int32    // the last reconstructed sample [r]
	partial   [2]int32 // the last partial reconstructions, newest first [p]
	logStep   int32    // [nb]
	step      int32    // of the quantizer [det]
}

func saturate(v int32) int32 { return min(max(v, -32768), 32767) }

func (b *g722Band) encodeLow(sample int32) byte {
	diff := saturate(sample - b.estimate)
	magnitude := diff
	if diff < 0 {
		magnitude = ^diff
	}
	i := 1
	for i < 30 && magnitude >= g722Levels[i]*b.step>>12 {
		i++
	}
	code := g722LowPositive[i]
	if diff < 0 {
		code = g722LowNegative[i]
	}
	b.adaptLow(code)
	return code
}

func (b *g722Band) decodeLow(code byte) int32 {
	out := b.estimate + b.step*g722Quant6[code]>>15
	b.adaptLow(code)
	return min(max(out, -16384), 16383)
}

// adaptLow runs the feedback on the four upper bits, which encoder and decoder
// have in common in all modes [INVQAL, LOGSCL, SCALEL].
func (b *g722Band) adaptLow(code byte) {
	diff := b.step * g722Quant4[code>>2] >> 15
	b.logStep = min(max(b.logStep*127>>7+g722LowScale[code>>2], 0), 18432)
	b.rescale(8)
	b.predict(diff)
}

func (b *g722Band) encodeHigh(sample int32) byte {
	diff := saturate(sample - b.estimate)
	var code byte
	switch big := 564 * b.step >> 12; {
	case diff >= big:
		code = 2
	case diff >= 0:
		code = 3
	case ^diff >= big:
		code = 0
	default:
		code = 1
	}
	b.adaptHigh(code)
	return code
}

func (b *g722Band) decodeHigh(code byte) int32 {
	out := b.estimate + b.step*g722Quant2[code]>>15
	b.adaptHigh(code)
	return min(max(out, -16384), 16383)
}

// adaptHigh is the same for the upper band [INVQAH, LOGSCH, SCALEH].
func (b *g722Band) adaptHigh(code byte) {
	diff := b.step * g722Quant2[code] >> 15
	b.logStep = min(max(b.logStep*127>>7+g722HighScale[code], 0), 22528)
	b.rescale(10)
	b.predict(diff)
}

// rescale turns the logarithmic step into a linear one.
func (b *g722Band) rescale(shift int32) {
	v := g722Power[b.logStep>>6&31]
	if s := shift - b.logStep>>11; s >= 0 {
		v >>= s
	} else {
		v <<= -s
	}
	b.step = v << 2
}

// predict takes the quantized difference, adapts the predictor and estimates
// the next sample (G.722 clause 3.6, block 4).
func (b *g722Band) predict(diff int32) {
	recon := saturate(b.estimate + diff)
	partial := saturate(b.zeros + diff)
	a1 := b.adaptPoles(partial)
	b.partial[1], b.partial[0] = b.partial[0], partial

	// The zeros leak and follow the signs [UPZERO], then filter [FILTEZ].
	var gain int32
	if diff != 0 {
		gain = 128
	}
	zeros := int32(0)
	newest := diff
	for i := range b.diff {
		delta := gain
		if b.diff[i]^diff < 0 {
			delta = -gain
		}
		b.zeroCoeff[i] = saturate(delta + b.zeroCoeff[i]*32640>>15)
		newest, b.diff[i] = b.diff[i], newest
		zeros += b.zeroCoeff[i] * saturate(2*b.diff[i]) >> 15
	}
	b.zeros = saturate(zeros)

	// The poles filter [FILTEP], and both add up [PREDIC].
	poles := a1*saturate(2*recon)>>15 + b.poleCoeff[1]*saturate(2*b.recon)>>15
	b.recon = recon
	b.estimate = saturate(saturate(poles) + b.zeros)
}

// adaptPoles is [UPPOL2] and [UPPOL1].
func (b *g722Band) adaptPoles(partial int32) int32 {
	same1, same2 := partial^b.partial[0] >= 0, partial^b.partial[1] >= 0
	turn := saturate(4 * b.poleCoeff[0])
	if same1 {
		turn = min(-turn, 32767)
	}
	a2 := turn>>7 - 128 + b.poleCoeff[1]*32512>>15
	if same2 {
		a2 += 256
	}
	a2 = min(max(a2, -12288), 12288)
	a1 := b.poleCoeff[0] * 32640 >> 15
	if same1 {
		a1 += 192
	} else {
		a1 -= 192
	}
	bound := 15360 - a2
	a1 = min(max(a1, -bound), bound)
	b.poleCoeff = [2]int32{a1, a2}
	return a1
}

package mixer

import (
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/resample"
)

// rates are those a mix is made at. Only the ones that an output needs are.
var rates = [...]int{8000, 16000, 32000, 48000}

func rateIndex(rate int) int {
	for i, r := range rates {
		if r == rate {
			return i
		}
	}
	return -1
}

// bus is the sum of all that is heard, at one rate.
type bus struct {
	index  int
	rate   int
	sum    []int32
	shared []int16 // the sum, limited
	level  float64 // of shared, dBov
}

func newBus(index int) *bus {
	n := rates[index] / 50
	return &bus{index: index, rate: rates[index], sum: make([]int32, n), shared: make([]int16, n), level: level.Silence}
}

// mix sums the inputs that are heard in this tick.
func (b *bus) mix(inputs []*Input) {
	clear(b.sum)
	heard := 0
	for _, in := range inputs {
		t := &in.taps[b.index]
		if !in.inMix {
			t.rest()
			continue
		}
		heard++
		for i, s := range t.at(in.frame, b.rate) {
			b.sum[i] += int32(s)
		}
	}
	if heard == 0 {
		if b.level != level.Silence {
			clear(b.shared)
			b.level = level.Silence
		}
		return
	}
	for i, s := range b.sum {
		b.shared[i] = limit(s)
	}
	b.level = level.DBov(b.shared)
}

// without fills pcm with the sum less one input.
func (b *bus) without(in *Input, pcm []int16) {
	if in == nil || !in.inMix {
		copy(pcm, b.shared)
		return
	}
	own := in.taps[b.index].pcm
	for i, s := range b.sum {
		pcm[i] = limit(s - int32(own[i]))
	}
}

// The soft limiter leaves what is below the knee as it is and bends the rest so
// that it never reaches full scale. It has no memory: equal sums sound equal.
const (
	knee = 24000
	span = 32767 - knee
)

func limit(s int32) int16 {
	switch {
	case s > knee:
		over := int64(s - knee)
		return int16(knee + span*over/(over+span))
	case s < -knee:
		over := int64(-s) - knee
		return int16(-knee - span*over/(over+span))
	}
	return int16(s)
}

// tap is one input's sound at the rate of one bus.
type tap struct {
	from      int
	resampler *resample.Resampler
	pcm       []int16
	running   bool
}

// at makes 20 ms at rate out of frame, which is 20 ms long.
func (t *tap) at(frame []int16, rate int) []int16 {
	from := len(frame) * 50
	if from == rate {
		t.pcm = frame
		return frame
	}
	if t.from != from {
		r, err := resample.New(from, rate)
		if err != nil { // decoders have the rates of the buses or multiples
			t.pcm = make([]int16, rate/50)
			return t.pcm
		}
		t.from, t.resampler, t.pcm = from, r, make([]int16, rate/50)
	}
	t.running = true
	t.resampler.Write(t.pcm, frame)
	return t.pcm
}

// rest forgets the sound when the input is not heard.
func (t *tap) rest() {
	if t.running {
		t.resampler.Reset()
		t.running = false
	}
}

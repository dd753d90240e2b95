package jitter

// quietPower is the mean square below which a cut is not heard: -50 dBov.
const quietPower = 32768 * 32768 / 100000

// quiet reports whether the next n samples are a pause.
func (p *Playout) quiet(n int) bool {
	var sum int64
	for _, s := range p.buf[p.head : p.head+n] {
		sum += int64(s) * int64(s)
	}
	return sum < quietPower*int64(n)
}

// lag chooses by how much to cut or stretch, at most limit: in a pause any
// length does, in speech it has to be a pitch period, and zero means that none
// was found.
func (p *Playout) lag(limit int, quiet bool) int {
	shortest, longest := p.millis(5), p.millis(12)
	overlap := p.millis(5)
	x := p.buf[p.head:p.tail]
	if len(x) < longest+overlap {
		return 0
	}
	if quiet {
		return min(limit, shortest)
	}
	stride := max(p.rate/8000, 1)
	best, bestLikeness := 0, 0.5 // the square of the least correlation taken
	for lag := shortest; lag <= min(longest, limit); lag += stride {
		var cross, a, b int64
		for i := 0; i < overlap; i += stride {
			u, v := int64(x[i]), int64(x[i+lag])
			cross += u * v
			a += u * u
			b += v * v
		}
		if cross <= 0 || a == 0 || b == 0 {
			continue
		}
		if like := float64(cross) / float64(a) * float64(cross) / float64(b); like > bestLikeness {
			best, bestLikeness = lag, like
		}
	}
	return best
}

// cut removes lag samples: what would be read next fades into what comes lag
// later.
func (p *Playout) cut(lag int) {
	overlap := min(p.millis(5), p.tail-p.head-lag, lag)
	x := p.buf[p.head:]
	for i := range overlap {
		x[lag+i] = blend(x[i], x[lag+i], i, overlap)
	}
	p.head += lag
}

// stretch repeats lag samples: after them, what would follow fades back into
// what was read lag before. lag is at least the overlap.
func (p *Playout) stretch(lag int) {
	overlap := min(p.millis(5), p.tail-p.head-lag, lag)
	if overlap <= 0 {
		return
	}
	copy(p.buf[p.head-lag:], p.buf[p.head:p.head+lag])
	x := p.buf[p.head:]
	for i := range overlap {
		x[i] = blend(x[lag+i], x[i], i, overlap)
	}
	p.head -= lag
}

func blend(from, to int16, i, n int) int16 {
	return int16((int(from)*(n-i) + int(to)*i) / n)
}

package g729

import "math"

// search finds the four pulses that, filtered by h, come nearest to the target
// (clause A.3.8).
type search struct {
	aim    [half]float64       // correlation of target and h, made positive
	sign   [half]float64       // that was taken out
	energy [half][half]float64 // correlation of h with itself, with the signs
}

// pulses returns the indices of positions and signs.
func (s *search) pulses(target, h *[half]float64) (positions, signs int) {
	s.prepare(target, h)
	best := trial{score: -1}
	for last := 3; last <= 4; last++ {
		// Pairs of tracks, the first pair within the two best of one track.
		for _, order := range [][4]int{{2, last, 0, 1}, {last, 0, 1, 2}} {
			s.descend(order, &best)
		}
	}
	for track, at := range best.position {
		p := at / 5
		if track == 3 {
			p = p<<1 | (at%5 - 3)
		}
		positions |= p << (3 * track)
		if s.sign[at] > 0 {
			signs |= 1 << track
		}
	}
	return positions, signs
}

func (s *search) prepare(target, h *[half]float64) {
	for n := range half {
		c := product(target[n:], h[:half-n])
		s.sign[n] = 1
		if c < 0 {
			s.sign[n] = -1
		}
		s.aim[n] = math.Abs(c)
	}
	for apart := range half {
		sum := 0.0
		for j := half - 1; j >= apart; j-- {
			i := j - apart
			sum += h[half-1-i] * h[half-1-j]
			v := sum * s.sign[i] * s.sign[j]
			s.energy[i][j], s.energy[j][i] = v, v
		}
	}
}

// trial is a choice of pulses: their positions by track 0 to 3, the last of
// which is one of two tracks.
type trial struct {
	position      [4]int
	cross, energy float64
	score         float64
}

// descend tries pulses on tracks in order: the first two together, then the
// other two together. The first one takes one of two places.
func (s *search) descend(order [4]int, best *trial) {
	one, two := s.topTwo(order[0])
	var pair trial
	pair.score = -1
	for _, a := range [2]int{one, two} {
		for b := order[1]; b < half; b += 5 {
			cross := s.aim[a] + s.aim[b]
			energy := s.energy[a][a] + s.energy[b][b] + 2*s.energy[a][b]
			if cross*cross*pair.energy > pair.score*energy || pair.score < 0 {
				pair.position[0], pair.position[1] = a, b
				pair.cross, pair.energy, pair.score = cross, energy, cross*cross
			}
		}
	}
	a, b := pair.position[0], pair.position[1]
	for c := order[2]; c < half; c += 5 {
		withC := pair.energy + s.energy[c][c] + 2*(s.energy[a][c]+s.energy[b][c])
		for d := order[3]; d < half; d += 5 {
			cross := pair.cross + s.aim[c] + s.aim[d]
			energy := withC + s.energy[d][d] + 2*(s.energy[a][d]+s.energy[b][d]+s.energy[c][d])
			if best.score >= 0 && cross*cross*best.energy <= best.score*energy {
				continue
			}
			best.cross, best.energy, best.score = cross, energy, cross*cross
			for i, at := range [4]int{a, b, c, d} {
				best.position[min(order[i], 3)] = at
			}
		}
	}
}

// topTwo are the places of a track that correlate best.
func (s *search) topTwo(track int) (one, two int) {
	one, two = track, track
	for at := track; at < half; at += 5 {
		switch {
		case s.aim[at] > s.aim[one]:
			one, two = at, one
		case at != one && (two == one || s.aim[at] > s.aim[two]):
			two = at
		}
	}
	return one, two
}

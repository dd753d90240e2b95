package jitter

import "math"

// slackMeter keeps the smallest slack of the last seconds.
type slackMeter struct {
	windows [32]int // the smallest slack of each past second, newest first
	filled  int
	reads   int // in the present window
	low     int // of the present window
	hold    int // how many windows are looked at before the delay is cut
	calm    int // windows since the last underrun
}

const (
	windowReads = 50 // one second of 20 ms reads
	minHold     = 4
)

func (m *slackMeter) reset() { *m = slackMeter{low: math.MaxInt, hold: minHold} }

// underrun looks back longer from now on: jitter that comes seldom is not
// forgotten after a few seconds.
func (m *slackMeter) underrun() {
	m.hold = min(m.hold+minHold, len(m.windows))
	m.calm, m.filled, m.reads, m.low = 0, 0, 0, math.MaxInt
}

// observe takes the slack after a read. It returns the smallest one of the
// time looked at, and whether enough time has passed to trust it.
func (m *slackMeter) observe(slack int) (low int, settled bool) {
	m.low = min(m.low, slack)
	if m.reads++; m.reads >= windowReads {
		copy(m.windows[1:], m.windows[:])
		m.windows[0] = m.low
		m.filled = min(m.filled+1, len(m.windows))
		m.reads, m.low = 0, math.MaxInt
		if m.calm++; m.calm >= 10 {
			m.calm, m.hold = 0, max(m.hold-1, minHold)
		}
	}
	if m.filled < m.hold {
		return 0, false
	}
	low = m.low
	for _, w := range m.windows[:m.hold] {
		low = min(low, w)
	}
	return low, true
}

// moved tells that the delay was changed by n samples.
func (m *slackMeter) moved(n int) {
	for i := range m.windows[:m.filled] {
		m.windows[i] += n
	}
	if m.low != math.MaxInt {
		m.low += n
	}
}

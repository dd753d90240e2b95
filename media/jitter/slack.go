package jitter

import "math"

// lows keeps the smallest of a measure over the last seconds.
type lows struct {
	windows [32]int64 // of each past second, newest first
	present int64     // of the second under way
}

func (l *lows) reset() { l.present = math.MaxInt64 }

func (l *lows) add(v int64) { l.present = min(l.present, v) }

func (l *lows) turn() {
	copy(l.windows[1:], l.windows[:])
	l.windows[0], l.present = l.present, math.MaxInt64
}

func (l *lows) least(n int) int64 {
	low := l.present
	for _, w := range l.windows[:n] {
		low = min(low, w)
	}
	return low
}

func (l *lows) shift(n int, by int64) {
	for i := range l.windows[:n] {
		if l.windows[i] != math.MaxInt64 {
			l.windows[i] += by
		}
	}
	if l.present != math.MaxInt64 {
		l.present += by
	}
}

// margins measures how near the buffer came to running dry in the last seconds.
type margins struct {
	slack lows // samples left after a read
	early lows // nanoseconds by which samples came before their read

	filled int // windows
	reads  int // in the present window
	hold   int // how many windows are looked at before the delay is changed
	calm   int // windows since the last underrun
}

const (
	windowReads = 50 // one second of 20 ms reads
	minHold     = 4
	calmWindows = 10 // without an underrun, after which less is looked at
)

func (m *margins) reset() {
	*m = margins{hold: minHold}
	m.slack.reset()
	m.early.reset()
}

// underrun looks back longer from now on: jitter that comes seldom is not
// forgotten after a few seconds.
func (m *margins) underrun() {
	hold := min(m.hold+minHold, len(m.slack.windows))
	m.reset()
	m.hold = hold
}

// read takes the slack after a read and reports whether enough time has passed
// to trust the lows.
func (m *margins) read(slack int) (settled bool) {
	m.slack.add(int64(slack))
	if m.reads++; m.reads >= windowReads {
		m.slack.turn()
		m.early.turn()
		m.reads = 0
		m.filled = min(m.filled+1, len(m.slack.windows))
		if m.calm++; m.calm >= calmWindows {
			m.calm, m.hold = 0, max(m.hold-1, minHold)
		}
	}
	return m.filled >= m.hold
}

// least are the smallest slack, in samples, and earliness, in nanoseconds.
func (m *margins) least() (slack int, early int64) {
	return int(m.slack.least(m.hold)), m.early.least(m.hold)
}

// moved tells that the delay was changed by n samples, and the earliness by
// early nanoseconds.
func (m *margins) moved(n int, early int64) {
	m.slack.shift(m.filled, int64(n))
	m.early.shift(m.filled, early)
}

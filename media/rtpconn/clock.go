package rtpconn

import "time"

// Clock is the time as a session sees it. All sessions of one leg share one, so
// that the sender reports of its audio and its video tell the same time.
type Clock interface {
	Now() time.Time
	// Ticker delivers the time every d until stop is called.
	Ticker(d time.Duration) (c <-chan time.Time, stop func())
}

// WallClock is the clock of the host.
type WallClock struct{}

// Now is time.Now.
func (WallClock) Now() time.Time { return time.Now() }

// Ticker is a time.Ticker.
func (WallClock) Ticker(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(d)
	return t.C, t.Stop
}

package mixer

// Clock ticks every 20 ms and spreads the work of the mixers on it over the
// processors. One serves a whole process.
type Clock struct{}

// NewClock starts a clock.
func NewClock() *Clock { return &Clock{} }

// NewManualClock makes a clock that moves only by Tick, for tests and offline
// rendering.
func NewManualClock() *Clock { return &Clock{} }

// Tick runs one tick to its end.
func (c *Clock) Tick() {}

// Close stops the clock and waits for the tick under way.
func (c *Clock) Close() {}

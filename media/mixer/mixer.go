// Package mixer makes the sound of one meeting: everybody hears everybody else
// but not himself (N-1).
//
// The way of a packet:
//
//	reorder -> decode, conceal -> level -> playout -> [tick] gate -> resample -> sum
//	                                  \-> Uplink (encode at once)
//	[tick] sum - own -> limit -> encode -> Output
//
// The first line runs on the goroutine that writes the packet, the last on the
// workers of the Clock. Outputs of one format that hear the same share one
// encoder and its frames; an output whose own input speaks forks off with a
// copy of the encoder's state and returns when both sound the same again and
// neither is heard.
package mixer

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
)

// ErrClosed is returned by a mixer, input or output that was closed.
var ErrClosed = errors.New("mixer: closed")

// ErrDuplicate is returned when an ID is in use.
var ErrDuplicate = errors.New("mixer: ID in use")

// Config is what a mixer needs. Only Codecs is required.
type Config struct {
	Codecs Codecs
	// Clock ticks this mixer; one per process serves all. Nil: its own.
	Clock *Clock
	// Now is the time of arrival of packets; nil means time.Now.
	Now    func() time.Time
	Logger *zap.Logger
	// MaxMixed bounds how many inputs are heard at once, the loudest first;
	// zero means 8.
	MaxMixed int
	// SpeakerHold is how long an active speaker stays before another takes
	// over; zero means 1.5 s.
	SpeakerHold time.Duration
	// OnSpeaker is told the ID of the input that became the active speaker. It
	// is called from within a tick: it must not block, nor close the mixer.
	OnSpeaker func(id string)
}

// Mixer is the sound of one meeting.
type Mixer struct {
	config   Config
	ownClock bool

	mu     sync.Mutex // guards changes of the fields below
	closed bool
	view   atomic.Pointer[view]

	buses   [len(rates)]*bus
	top     atomic.Int32 // the highest rate an output needs, Hz
	speaker speaker
	ranked  []*Input // scratch of tick
	counts  counts
	delay   atomic.Int64 // of the loudest voice, nanoseconds
}

// view is what a tick works on; it is replaced, never changed.
type view struct {
	inputs []*Input
	groups []membership
	buses  []*bus
}

type membership struct {
	group   *group
	members []*Output
}

// counts are kept by the ticks.
type counts struct {
	ticks, shared, private atomic.Uint64
}

// Stats are counts since the start.
type Stats struct {
	Ticks          uint64
	SharedEncodes  uint64 // packets encoded once for several outputs
	PrivateEncodes uint64 // packets encoded for one output
}

// New makes a mixer and puts it on its clock.
func New(c Config) *Mixer {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.MaxMixed <= 0 {
		c.MaxMixed = 8
	}
	if c.SpeakerHold <= 0 {
		c.SpeakerHold = 1500 * time.Millisecond
	}
	m := &Mixer{config: c}
	m.speaker.hold = c.SpeakerHold
	m.top.Store(int32(rates[0]))
	for i := range m.buses {
		m.buses[i] = newBus(i)
	}
	m.view.Store(new(view))
	if m.config.Clock == nil {
		m.config.Clock, m.ownClock = NewClock(), true
	}
	m.config.Clock.add(m)
	return m
}

// Close takes the mixer off its clock, ends all inputs and outputs, and waits.
// It must not be called from within a packet or a callback of the mixer.
func (m *Mixer) Close() {
	m.mu.Lock()
	already := m.closed
	m.closed = true
	m.mu.Unlock()
	m.config.Clock.remove(m)
	if already {
		return
	}
	v := m.view.Load()
	for _, in := range v.inputs {
		in.Close()
	}
	for _, g := range v.groups {
		for _, o := range g.members {
			o.Close()
		}
	}
	if m.ownClock {
		m.config.Clock.Close()
	}
}

// Speakers are the IDs of the inputs that speak, the active speaker first, then
// by loudness.
func (m *Mixer) Speakers() []string {
	active := m.ActiveSpeaker()
	var talking []*Input
	for _, in := range m.view.Load().inputs {
		if in.Speaking() {
			talking = append(talking, in)
		}
	}
	slices.SortStableFunc(talking, func(a, b *Input) int {
		switch {
		case a.config.ID == active:
			return -1
		case b.config.ID == active:
			return 1
		}
		return compare(b.Level(), a.Level())
	})
	ids := make([]string, len(talking))
	for i, in := range talking {
		ids[i] = in.config.ID
	}
	return ids
}

// ActiveSpeaker is the ID of the input that has the floor; it stays after the
// speaker falls silent until somebody else speaks. "" when nobody spoke yet.
func (m *Mixer) ActiveSpeaker() string {
	if in := m.speaker.active.Load(); in != nil {
		return in.config.ID
	}
	return ""
}

// Stats are the counts so far.
func (m *Mixer) Stats() Stats {
	return Stats{m.counts.ticks.Load(), m.counts.shared.Load(), m.counts.private.Load()}
}

// AddInput opens an input.
func (m *Mixer) AddInput(c InputConfig) (*Input, error) {
	in, err := newInput(m, c)
	if err != nil {
		return nil, fmt.Errorf("input %s: %w", c.ID, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	v := *m.view.Load()
	if slices.ContainsFunc(v.inputs, func(o *Input) bool { return o.config.ID == c.ID }) {
		return nil, fmt.Errorf("input %s: %w", c.ID, ErrDuplicate)
	}
	v.inputs = append(slices.Clone(v.inputs), in)
	m.view.Store(&v)
	return in, nil
}

func (m *Mixer) removeInput(in *Input) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := *m.view.Load()
	v.inputs = slices.DeleteFunc(slices.Clone(v.inputs), func(o *Input) bool { return o == in })
	m.view.Store(&v)
	m.speaker.active.CompareAndSwap(in, nil)
}

// AddOutput opens an output.
func (m *Mixer) AddOutput(c OutputConfig) (*Output, error) {
	g, err := m.groupOf(formatKey(c.Format))
	if err != nil {
		return nil, fmt.Errorf("output %s: %w", c.ID, err)
	}
	o, err := m.newOutput(c, g)
	if err != nil {
		return nil, fmt.Errorf("output %s: %w", c.ID, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	v := *m.view.Load()
	v.groups = slices.Clone(v.groups)
	at := slices.IndexFunc(v.groups, func(e membership) bool { return e.group.key == g.key })
	if at < 0 {
		v.groups = append(v.groups, membership{group: g})
		at = len(v.groups) - 1
	}
	e := &v.groups[at]
	o.group = e.group
	e.members = append(slices.Clone(e.members), o)
	m.replace(&v)
	return o, nil
}

// groupOf is the group of a format, a new one when there is none yet.
func (m *Mixer) groupOf(key media.Format) (*group, error) {
	for _, e := range m.view.Load().groups {
		if e.group.key == key {
			return e.group, nil
		}
	}
	return m.newGroup(key)
}

func (m *Mixer) removeOutput(o *Output) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := *m.view.Load()
	v.groups = slices.Clone(v.groups)
	for i := range v.groups {
		if e := &v.groups[i]; e.group == o.group {
			e.members = slices.DeleteFunc(slices.Clone(e.members), func(x *Output) bool { return x == o })
		}
	}
	v.groups = slices.DeleteFunc(v.groups, func(e membership) bool { return len(e.members) == 0 })
	m.replace(&v)
}

// replace puts a view with other groups into force: the buses follow what the
// groups need, and with them the rate at which inputs decode.
func (m *Mixer) replace(v *view) {
	v.buses = nil
	for _, b := range m.buses {
		if slices.ContainsFunc(v.groups, func(e membership) bool { return e.group.bus == b }) {
			v.buses = append(v.buses, b)
			m.top.Store(int32(b.rate))
		}
	}
	m.view.Store(v)
}

// tick is the first part of a mixer's work in a tick: it takes 20 ms of each
// input, sums what is heard, and hands the groups of outputs to the workers.
func (m *Mixer) tick(c *Clock) {
	v := m.view.Load()
	if len(v.inputs) == 0 && len(v.groups) == 0 {
		return
	}
	m.counts.ticks.Add(1)
	now := m.config.Now()
	for _, in := range v.inputs {
		in.take(now)
	}
	m.choose(v.inputs)
	m.noteDelay()
	for _, b := range v.buses {
		b.mix(v.inputs)
	}
	if changed := m.speaker.update(v.inputs, now); changed != nil && m.config.OnSpeaker != nil {
		m.config.OnSpeaker(changed.config.ID)
	}
	for i := range v.groups {
		e := &v.groups[i]
		e.group.members = e.members
		c.spawn(job{group: e.group})
	}
}

// noteDelay keeps how long the loudest voice waited; in silence the last one counts.
func (m *Mixer) noteDelay() {
	var loudest *Input
	for _, in := range m.ranked {
		if in.talks && (loudest == nil || in.rank() > loudest.rank()) {
			loudest = in
		}
	}
	if loudest != nil {
		m.delay.Store(int64(loudest.waits))
	}
}

// choose marks which inputs are heard in this tick: those that speak, the
// loudest when they are many. One that is heard has 3 dB of advantage.
func (m *Mixer) choose(inputs []*Input) {
	m.ranked = m.ranked[:0]
	for _, in := range inputs {
		if in.talks {
			m.ranked = append(m.ranked, in)
		}
	}
	if len(m.ranked) > m.config.MaxMixed {
		slices.SortStableFunc(m.ranked, byRank)
		for _, in := range m.ranked[m.config.MaxMixed:] {
			in.talks = false
		}
	}
	for _, in := range inputs {
		in.ramp()
	}
}

func byRank(a, b *Input) int { return compare(b.rank(), a.rank()) }

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// formatKey is what makes outputs share an encoder. The payload type does not.
func formatKey(f media.Format) media.Format {
	return media.Format{Codec: f.Codec, ClockRate: f.ClockRate, Channels: f.Channels, Ptime: f.PacketDuration(), Bitrate: f.Bitrate, Opus: f.Opus}
}

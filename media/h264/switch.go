package h264

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// Phase is how a Switch stands with the source it was told to follow.
type Phase uint8

// Phases of a Switch.
const (
	Idle       Phase = iota // no source selected, or the selected one has ended
	Waiting                 // for a keyframe of the source
	Forwarding              // the source is what receivers get
	Refused                 // the source does not fit the receiver
)

func (p Phase) String() string {
	return [...]string{"idle", "waiting", "forwarding", "refused"}[p&3]
}

// State is what a Switch reports.
type State struct {
	Phase  Phase
	Reason string      // of Refused
	Source media.Track // selected; nil when Idle
	Shown  media.Track // forwarded at the moment: the one before, while Waiting; nil = nothing
	SPS    SPS         // of the selected source, when known
	Above  int         // of Refused because of the path alone: what the source has, bit/s
}

// SwitchConfig describes the receivers of a Switch.
type SwitchConfig struct {
	ID       string
	Role     media.Role   // Main or Content
	Format   media.Format // what the receivers take, as negotiated
	Receiver Receiver     // Receiver.Format is taken from Format when its ProfileLevelID is zero
	// OnState hears of changes, in order, on a goroutine of the switch that
	// holds no lock: it may call Select but not Close. May be nil.
	OnState func(State)
	// OnLimit, when not nil, hears what TakeBitrate is told, in place of the source:
	// its owner knows who else takes the source. It must not block.
	OnLimit func(bps int)
}

// Tailored is a source that is made for the receiver: its owner sees to it that its
// bit rate fits.
type Tailored interface{ Tailored() }

// Switch is a track whose packets come from whichever source was selected
// last. It goes over at a keyframe of the new source, and until then the one
// before goes on; receivers see one continuous stream. Parameter sets go before
// each IDR; of other units than slices nothing passes. A source that does not
// fit, or no longer fits, is not forwarded but watched: it is taken up when it
// fits. Switch implements media.BitrateTaker and media.SenderReporter.
type Switch struct {
	cfg    SwitchConfig
	done   chan struct{}
	ended  chan struct{} // run has returned
	wake   chan struct{}
	keys   *Throttle
	keyAsk atomic.Bool  // a receiver wants a keyframe
	limit  atomic.Int64 // TakeBitrate
	fewer  atomic.Bool  // it has fallen

	mu       sync.Mutex
	closed   bool
	sinks    []*sink
	out      rtp.Packet // handed to one sink
	selected *input
	shown    *input
	leaving  []*input // to be detached by run
	reason   string   // why selected is refused
	above    int      // its bit rate, where that is more than the path carries and nothing else is wrong
	sent     timeline
	picture  pictureWriter
	ids      idrSequence
	reported State
}

type sink struct{ w media.Writer }

// NewSwitch starts a switch with nothing selected. Close ends it.
func NewSwitch(cfg SwitchConfig) *Switch {
	if cfg.Receiver.Format.ProfileLevelID == 0 {
		cfg.Receiver.Format = cfg.Format.H264
	}
	s := &Switch{
		cfg: cfg, done: make(chan struct{}), ended: make(chan struct{}),
		wake: make(chan struct{}, 1), sent: timeline{origin: rand.Uint32()},
	}
	s.keys = NewThrottle(keyframeInterval, s.askForKeyframe)
	mode := cfg.Receiver.Format.PacketizationMode
	s.picture.packets = NewPacketizer(media.WriterFunc(s.fan), mode, cfg.Receiver.MaxPacket)
	go s.run()
	return s
}

// Select follows src from its next keyframe on; nil blanks at once. Selecting
// what is selected changes nothing. Not to be called from a WriteRTP.
func (s *Switch) Select(src media.Track) {
	s.mu.Lock()
	if s.closed || src == nil && s.selected == nil && s.shown == nil || src != nil && s.selected.follows(src) {
		s.mu.Unlock()
		return
	}
	if s.selected != s.shown {
		s.leave(s.selected)
	}
	s.selected, s.reason = nil, ""
	var fresh *input
	switch {
	case src == nil:
		s.leave(s.shown)
		s.shown = nil
	case s.shown.follows(src): // back before the other one came
		s.selected = s.shown
	default:
		fresh = newInput(s, src)
		s.selected = fresh
	}
	s.mu.Unlock()
	if fresh != nil {
		s.attach(fresh)
	}
	s.nudge()
}

// attach lets packets of in flow; whoever dropped it meanwhile could not
// detach it yet.
func (s *Switch) attach(in *input) {
	s.keys.Fresh()
	detach := in.src.Attach(in)
	s.mu.Lock()
	gone := in.gone
	in.detach = detach
	s.mu.Unlock()
	if gone {
		detach()
	}
}

// leave hands an input to run for detaching: not here, where the dispatch of
// one source might wait for that of another.
func (s *Switch) leave(in *input) {
	if in == nil || in.gone {
		return
	}
	in.gone = true
	if in.detach != nil {
		s.leaving = append(s.leaving, in)
	}
}

func (s *Switch) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// State is how the switch stands now.
func (s *Switch) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state()
}

func (s *Switch) state() State {
	st := State{Shown: s.shown.track()}
	if s.selected == nil {
		return st
	}
	st.Source, st.SPS, st.Reason = s.selected.src, s.selected.sps, s.reason
	switch {
	case s.reason != "":
		st.Phase, st.Above = Refused, s.above
	case s.selected == s.shown:
		st.Phase = Forwarding
	default:
		st.Phase = Waiting
	}
	return st
}

// ID implements media.Track.
func (s *Switch) ID() string { return s.cfg.ID }

// Role implements media.Track.
func (s *Switch) Role() media.Role { return s.cfg.Role }

// Format implements media.Track.
func (s *Switch) Format() media.Format { return s.cfg.Format }

// Attach implements media.Track.
func (s *Switch) Attach(w media.Writer) (detach func()) {
	k := &sink{w}
	s.mu.Lock()
	s.sinks = append(s.sinks, k)
	s.mu.Unlock()
	s.RequestKeyframe() // a receiver that joins late starts at an IDR, too
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, o := range s.sinks {
			if o == k {
				s.sinks = append(s.sinks[:i], s.sinks[i+1:]...)
				return
			}
		}
	}
}

// RequestKeyframe implements media.Track: throttled and passed on to the
// source.
func (s *Switch) RequestKeyframe() {
	s.keyAsk.Store(true)
	s.nudge()
}

// SetMaxBitrate changes the Receiver's, after it was agreed on anew.
func (s *Switch) SetMaxBitrate(bps int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Receiver.MaxBitrate = bps
}

// TakeBitrate implements media.BitrateTaker: it is passed on to the source, or to
// OnLimit, and a source that stays above it is Refused, unless it is Tailored. Receivers that share a switch
// share the limit.
func (s *Switch) TakeBitrate(bps int) {
	was := s.limit.Swap(int64(max(bps, 0)))
	if bps > 0 && (was == 0 || int64(bps) < was) {
		s.fewer.Store(true)
	}
	if s.cfg.OnLimit != nil {
		s.cfg.OnLimit(max(bps, 0))
	}
	s.nudge()
}

// Bound is what TakeBitrate was told last, 0 for none.
func (s *Switch) Bound() int { return int(s.limit.Load()) }

// Delay implements media.Delayer: the source's.
func (s *Switch) Delay() time.Duration {
	s.mu.Lock()
	src := s.shown.track()
	s.mu.Unlock()
	if d, ok := src.(media.Delayer); ok {
		return d.Delay()
	}
	return 0
}

// NTP implements media.SenderReporter: the source's, where it has one.
func (s *Switch) NTP() (ntp uint64, rtpTime uint32, ok bool) {
	s.mu.Lock()
	in := s.shown
	var offset uint32
	if in != nil {
		offset = in.offset
	}
	s.mu.Unlock()
	if in == nil {
		return 0, 0, false
	}
	reporter, ok := in.src.(media.SenderReporter)
	if !ok {
		return 0, 0, false
	}
	ntp, rtpTime, ok = reporter.NTP()
	return ntp, rtpTime + offset, ok
}

// Done implements media.Track: closed by Close.
func (s *Switch) Done() <-chan struct{} { return s.done }

// Close ends the track and returns when nothing of it runs any more. Not to be
// called from OnState nor from a WriteRTP.
func (s *Switch) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.leave(s.selected)
		s.leave(s.shown)
		s.selected, s.shown, s.reason = nil, nil, ""
		s.sinks = nil
		close(s.done)
	}
	s.mu.Unlock()
	<-s.ended
}

// fan is the writer behind the packetizer: every sink gets its own header. A
// sink that fails is its owner's matter.
func (s *Switch) fan(p *rtp.Packet) error {
	for _, k := range s.sinks {
		s.out = *p
		_ = k.w.WriteRTP(&s.out)
	}
	return nil
}

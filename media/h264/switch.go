package h264

import "github.com/roomgate/roomgate/media"

// Phase is how a Switch stands with the source it was told to follow.
type Phase uint8

// Phases of a Switch.
const (
	Idle       Phase = iota // no source selected
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
}

// Switch is a track whose packets come from whichever source was selected
// last. It goes over at a keyframe of the new source, and until then the one
// before goes on; receivers see one continuous stream. It implements
// media.BitrateTaker and media.SenderReporter.
type Switch struct {
	cfg  SwitchConfig
	done chan struct{}
}

// NewSwitch starts a switch with nothing selected. Close ends it.
func NewSwitch(cfg SwitchConfig) *Switch { return &Switch{cfg: cfg, done: make(chan struct{})} }

// Select follows src from its next keyframe on; nil blanks at once. Selecting
// what is selected changes nothing. Not to be called from a WriteRTP.
func (s *Switch) Select(src media.Track) {}

// State is how the switch stands now.
func (s *Switch) State() State { return State{} }

// ID implements media.Track.
func (s *Switch) ID() string { return s.cfg.ID }

// Role implements media.Track.
func (s *Switch) Role() media.Role { return s.cfg.Role }

// Format implements media.Track.
func (s *Switch) Format() media.Format { return s.cfg.Format }

// Attach implements media.Track.
func (s *Switch) Attach(w media.Writer) (detach func()) { return func() {} }

// RequestKeyframe implements media.Track: throttled and passed on to the
// source being forwarded.
func (s *Switch) RequestKeyframe() {}

// TakeBitrate implements media.BitrateTaker: it is passed on to the source,
// and a source that stays above it is Refused.
func (s *Switch) TakeBitrate(bps int) {}

// NTP implements media.SenderReporter.
func (s *Switch) NTP() (ntp uint64, rtpTime uint32, ok bool) { return 0, 0, false }

// Done implements media.Track: closed by Close.
func (s *Switch) Done() <-chan struct{} { return s.done }

// Close ends the track and returns when nothing of it runs any more.
func (s *Switch) Close() {}

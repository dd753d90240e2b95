package bridge

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode/video"
)

// Member is one leg's place at a bridge.
type Member struct {
	bridge *Bridge
	leg    call.Leg
	who    func() call.Participant
	keypad func(digit rune) // told the digits heard as tones; may be nil
	log    *zap.Logger
	ctx    context.Context // ends when the member leaves
	cancel context.CancelFunc
	wait   sync.WaitGroup // publish and what belongs to the seat

	state    atomic.Pointer[h264.State] // of picture, for the director and Facts
	sends    atomic.Pointer[h264.SPS]   // of the leg's own picture, as the meeting gets it
	presents atomic.Pointer[h264.SPS]   // of its content
	speaking atomic.Pointer[mixer.Input]

	// wanted is what the seat should publish; publish makes it so.
	mu      sync.Mutex
	wanted  map[media.Role]media.Track
	muted   bool
	sized   smallSize
	changed chan struct{}
	seats   chan Seat // from takeSeat to publish

	// Owned by the bridge's goroutine.
	gone     bool
	lost     bool // the meeting does not answer
	identity string
	joining  bool
	tracks   map[media.Role]media.Track
	inband   bool // digits come as tones, no better way was negotiated
	input    *mixer.Input
	inFormat media.Format
	detachIn func()
	uplink   *mixer.Uplink
	output   *mixer.Output
	dropOut  func()
	unheard  []speech  // played once there is an output
	listener mixer.Tap // of the leg's own sound; nil: nobody listens in
	picture  *h264.Switch
	receiver h264.Receiver
	dropPic  func()
	shown    *source     // passed on
	selected media.Track // what the screen was told to show
	view     layout.View // what is composed for it
	shared   *share
	takes    media.Format // what pictures the leg takes; no codec: none
	refusals map[*source]refusal
	unit     Unit
	alone    time.Time   // since when nobody is seen; zero: somebody is
	reads    time.Time   // the chat, until then
	layout   layout.Kind // "": as the meeting
	pinned   string      // identity
	joined   uint64
	uplinks  map[media.Role]*video.Output // of codecs the meeting does not know

	smallWanted bool          // somebody in the meeting wants the leg's picture small
	offersSmall bool          // it can be made
	small       *video.Output // and is
	// smallCounted: it counts among those of the node.
	smallCounted bool

	presentation presentation
	slides       slides
	sentBefore   bool // content, without floor control

	allowed   allowance
	carried   int         // of its picture by the way to the meeting, bit/s; 0: all
	layer     int         // class shown last
	roomCodec media.Codec // what pictures are published in; "": H.264
}

func newMember(b *Bridge, leg call.Leg, who func() call.Participant, keypad func(rune)) *Member {
	m := &Member{
		bridge: b, leg: leg, who: who, keypad: keypad,
		log:      b.log.With(zap.String("leg", leg.Info().ID)),
		identity: who().Identity,
		wanted:   map[media.Role]media.Track{},
		tracks:   map[media.Role]media.Track{},
		refusals: map[*source]refusal{},
		uplinks:  map[media.Role]*video.Output{},
		changed:  make(chan struct{}, 1),
		seats:    make(chan Seat),

		presentation: newPresentation(leg),
	}
	m.ctx, m.cancel = context.WithCancel(b.ctx)
	return m
}

// AddTrack takes up a stream that the leg opened.
func (m *Member) AddTrack(t media.Track) {
	m.bridge.do(func() {
		if m.gone {
			return
		}
		m.tracks[t.Role()] = t
		m.bridge.watch(m.ctx, t, func() { m.trackEnded(t) })
		if t.Role() == media.Audio {
			m.listen(t.Format())
			return
		}
		if t.Role() == media.Main && m.slides.shown != nil {
			m.followSlides()
			return
		}
		m.bridge.addLegSource(m, t)
	})
}

func (m *Member) trackEnded(t media.Track) {
	if m.tracks[t.Role()] != t {
		return
	}
	delete(m.tracks, t.Role())
	if t.Role() != media.Audio {
		m.bridge.dropSource(sourceKey(m.identity, t.Role()))
		m.want(t.Role(), nil)
		delete(m.uplinks, t.Role())
		m.followSlides()
	}
}

// MediaChanged looks at what the leg has negotiated and follows it.
func (m *Member) MediaChanged() {
	m.bridge.do(func() {
		if m.gone {
			return
		}
		streams := m.leg.Info().Streams
		m.followStreams(streams)
		m.presentation.renegotiated()
		if len(streams) > 0 && !m.joining && !m.bridge.in.Local {
			m.joining = true
			receive := len(m.bridge.members) == 1 && m.bridge.feeds[high] == nil && !m.bridge.opening[high]
			if receive {
				m.bridge.pending = m
			}
			m.wait.Add(1)
			go m.takeSeat(receive)
		}
	})
}

func (m *Member) followStreams(streams []media.Stream) {
	content := media.Stream{Role: media.Content}
	for _, st := range streams {
		switch st.Role {
		case media.Audio:
			m.followAudio(st)
		case media.Main:
			m.followPicture(st)
			m.slidesSaid(st.Slides)
		case media.Content:
			content = st
		}
	}
	m.followContent(content)
}

// followAudio opens the input before the first packet, so that the output can
// leave it out from the start, and the output in the format the leg takes.
func (m *Member) followAudio(st media.Stream) {
	if inband := !st.Keypad && m.keypad != nil; inband != m.inband {
		m.inband = inband
		m.closeInput()
	}
	if st.Recv.Codec != "" {
		m.listen(st.Recv)
	}
	if !st.Direction.Sends() || st.Send.Codec == "" {
		m.closeOutput()
		return
	}
	if m.output == nil || m.output.Format() != st.Send {
		m.openOutput(st.Send)
	}
}

// listen makes the leg's own sound an input of the mixer and an uplink to the
// meeting, in format f.
func (m *Member) listen(f media.Format) {
	if m.input == nil || !m.inFormat.Encodes(f) {
		m.closeInput()
		cfg := mixer.InputConfig{ID: m.identity, Format: f, AGC: true}
		if m.inband {
			cfg.InbandKeypad = m.keypad
		}
		in, err := m.bridge.mixer.AddInput(cfg)
		if err != nil {
			m.log.Warn("sound cannot be taken", zap.Stringer("format", f), zap.Error(err))
			return
		}
		in.Tap(m.listener)
		m.input, m.inFormat = in, f
		m.speaking.Store(in)
		in.Mute(m.isMuted())
		m.openUplink(f)
		if m.output != nil {
			m.output.Exclude(in)
		}
	}
	if t := m.tracks[media.Audio]; t != nil && m.detachIn == nil && t.Format().Encodes(m.inFormat) {
		m.detachIn = attachSound(t, m.input)
	}
}

// noiseSource is a track whose comfort noise (RFC 3389) comes apart from its
// sound.
type noiseSource interface {
	AttachNoise(media.Writer) (detach func())
}

// attachSound feeds an input with a track's sound and its comfort noise.
func attachSound(t media.Track, in *mixer.Input) (detach func()) {
	sound := t.Attach(in)
	n, ok := t.(noiseSource)
	if !ok {
		return sound
	}
	noise := n.AttachNoise(in.Noise())
	return func() {
		noise()
		sound()
	}
}

func (m *Member) openUplink(f media.Format) {
	if m.bridge.in.Local {
		return
	}
	to := media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2, PayloadType: 111}
	if m.bridge.in.PhoneAudio == "g711" && (f.Codec.Is("PCMU") || f.Codec.Is("PCMA")) {
		to = f
	}
	up, err := m.input.Uplink(to)
	if err != nil {
		m.log.Warn("sound cannot be published", zap.Stringer("format", to), zap.Error(err))
		return
	}
	m.uplink = up
	m.want(media.Audio, up)
}

func (m *Member) closeInput() {
	if m.detachIn != nil {
		m.detachIn()
		m.detachIn = nil
	}
	if m.uplink != nil {
		m.want(media.Audio, nil)
		m.uplink.Close()
		m.uplink = nil
	}
	if m.input != nil {
		m.input.Close()
		m.input = nil
		m.speaking.Store(nil)
	}
}

func (m *Member) openOutput(f media.Format) {
	m.closeOutput()
	out, err := m.bridge.mixer.AddOutput(mixer.OutputConfig{ID: m.identity, Format: f, Exclude: m.input})
	if err != nil {
		m.log.Warn("sound cannot be sent", zap.Stringer("format", f), zap.Error(err))
		return
	}
	drop, err := m.leg.Publish(m.ctx, out)
	if err != nil {
		m.log.Warn("the leg takes no sound", zap.Error(err))
		out.Close()
		return
	}
	m.output, m.dropOut = out, drop
	m.catchUp()
}

func (m *Member) closeOutput() {
	if m.output == nil {
		return
	}
	m.dropOut()
	m.output.Close()
	m.output, m.dropOut = nil, nil
}

// followPicture keeps a switch in the format the leg takes. Formats other than
// H.264 are made by a worker and published as they come.
func (m *Member) followPicture(st media.Stream) {
	if !st.Direction.Sends() || st.Send.Codec == "" {
		m.closePicture()
		return
	}
	receiver := receiverOf(st)
	if m.takes == st.Send && m.keeps(&m.receiver, receiver, m.picture) {
		return
	}
	m.closePicture()
	m.takes, m.receiver = st.Send, receiver
	if st.Send.Codec.Is(string(media.H264)) {
		m.openPicture(st.Send, receiver)
	}
	m.bridge.nudge()
}

func (m *Member) openPicture(f media.Format, receiver h264.Receiver) {
	sw := h264.NewSwitch(h264.SwitchConfig{
		ID: m.identity, Role: media.Main, Format: f, Receiver: receiver,
		OnState: func(s h264.State) {
			m.state.Store(&s)
			m.bridge.nudge()
		},
		OnLimit: m.limited,
	})
	drop, err := m.leg.Publish(m.ctx, sw)
	if err != nil {
		m.log.Warn("the leg takes no picture", zap.Error(err))
		sw.Close()
		m.takes = media.Format{}
		return
	}
	m.picture, m.dropPic = sw, drop
}

func (m *Member) closePicture() {
	if m.dropPic != nil {
		m.dropPic()
	}
	if m.picture != nil {
		m.picture.Close()
	}
	m.picture, m.dropPic, m.shown, m.selected, m.shared = nil, nil, nil, nil, nil
	m.takes, m.view = media.Format{}, layout.View{}
	m.state.Store(nil)
}

func (m *Member) dropMedia() {
	m.closeOutput()
	m.closePicture()
	m.closeInput()
}

// SetMuted silences the leg towards everybody, and tells its user.
func (m *Member) SetMuted(muted bool) {
	m.mu.Lock()
	changed := m.muted != muted
	m.muted = muted
	m.mu.Unlock()
	if !changed {
		return
	}
	m.bridge.do(func() {
		if m.input != nil {
			m.input.Mute(muted)
		}
		if m.output != nil {
			m.play(muteTone(muted))
		}
	})
	m.poke()
}

func (m *Member) isMuted() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.muted
}

// Speaking reports whether the leg's user talks.
func (m *Member) Speaking() bool {
	in := m.speaking.Load()
	return in != nil && in.Speaking()
}

// SetLayout gives the leg a layout of its own, "" that of the meeting. Who is
// pinned takes the place of the speaker.
func (m *Member) SetLayout(k layout.Kind, pinned string) {
	m.bridge.do(func() {
		m.layout, m.pinned = k, pinned
		m.bridge.nudge()
	})
}

// Leave takes the leg out of the bridge and waits until nothing of it is left.
func (m *Member) Leave() {
	m.bridge.call(func() { m.bridge.remove(m) })
	m.cancel()
	m.wait.Wait()
}

func (m *Member) play(pcm []int16) {
	if err := m.output.Play(pcm, toneRate); err != nil {
		m.log.Debug("tone not played", zap.Error(err))
	}
}

func (m *Member) String() string { return fmt.Sprintf("member %s", m.identity) }

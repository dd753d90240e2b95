package bridge

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// want says what the seat should publish in a role; nil for nothing.
func (m *Member) want(role media.Role, t media.Track) {
	m.mu.Lock()
	if t == nil {
		delete(m.wanted, role)
	} else {
		m.wanted[role] = t
	}
	m.mu.Unlock()
	m.poke()
}

// poke makes publish look at what is wanted; it never blocks.
func (m *Member) poke() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// takeSeat joins the meeting for the leg and tries until it is in, the SFU
// refuses for good, or the leg leaves. The leg hears the others of this node
// meanwhile.
func (m *Member) takeSeat(receive bool) {
	defer m.wait.Done()
	b := m.bridge
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		seat, err := b.in.SFU.Join(m.ctx, b.in.Alias, m.who(), receive, m.seatEvent)
		if err == nil {
			m.seated(seat)
			b.in.Notify(Notice{Kind: Seated, Identity: m.identity})
			return
		}
		if m.ctx.Err() != nil {
			return
		}
		if cause := b.in.SFU.Permanent(err); cause != nil {
			m.log.Info("the meeting refuses the leg", zap.Error(err))
			b.in.Notify(Notice{Kind: RemovedByMeeting, Identity: m.identity, Cause: *cause})
			return
		}
		m.log.Warn("the meeting cannot be joined; trying again", zap.Error(err), zap.Duration("in", wait))
		b.do(func() { b.linkLost(m) })
		select {
		case <-time.After(wait):
		case <-m.ctx.Done():
			return
		}
		b.do(func() { b.linkBack(m) })
	}
}

// codecChooser is a Seat in a room that may not take every codec.
type codecChooser interface {
	Publishes(codec media.Codec) bool
}

// publishVP8 makes the leg's pictures VP8 for a room that takes no H.264.
func (m *Member) publishVP8() {
	if m.roomCodec == media.VP8 {
		return
	}
	m.roomCodec = media.VP8
	for role := range m.tracks {
		if role != media.Audio && m.uplinks[role] == nil {
			m.want(role, nil)
		}
	}
	m.bridge.nudge()
}

// seated hands the seat to publish and, where it receives, to the bridge.
func (m *Member) seated(seat Seat) {
	if p, ok := seat.(codecChooser); ok && !p.Publishes(media.H264) && p.Publishes(media.VP8) {
		m.bridge.call(m.publishVP8)
	}
	select {
	case m.seats <- seat:
	case <-m.ctx.Done():
		seat.Leave()
		return
	}
	m.bridge.do(func() {
		if m.gone {
			return
		}
		if m.bridge.pending == m {
			m.bridge.pending = nil
		}
		if r, ok := seat.(Receiving); ok && r.Receiver() != nil {
			m.bridge.feedFromSeat(m, r.Receiver())
		}
		m.bridge.ensureFeeds()
		m.bridge.linkBack(m)
	})
}

// seatEvent follows what the meeting says about the seat.
func (m *Member) seatEvent(e Event) {
	b := m.bridge
	switch e.Kind {
	case SeatMuted:
		if e.Role == media.Audio {
			b.in.Notify(Notice{Kind: MutedByMeeting, Identity: m.identity, On: e.On})
		}
		if e.Role == media.Content && e.On {
			m.contentStopped()
		}
	case SeatUnpublished:
		if e.Role == media.Content {
			m.contentStopped()
		}
	case SeatNarrow:
		if e.Role == media.Main {
			b.do(func() {
				m.carried = e.Bitrate
				b.nudge()
			})
		}
	case SeatSmall:
		b.do(func() {
			m.smallWanted = e.On
			b.nudge()
		})
	case LinkLost:
		b.do(func() { b.linkLost(m) })
	case LinkBack:
		b.do(func() { b.linkBack(m) })
	case SeatEnded:
		if m.ctx.Err() == nil {
			b.in.Notify(Notice{Kind: RemovedByMeeting, Identity: m.identity, Cause: e.Cause})
		}
	default:
		b.meetingEvent(e)
	}
}

// publish keeps the seat publishing what is wanted. It owns the seat and ends
// with the member.
func (m *Member) publish() {
	defer m.wait.Done()
	var seat Seat
	current := map[media.Role]publication{}
	toldMuted := false
	var toldSize smallSize
	var told, toldContent h264.SPS // the sizes of the pictures, as the meeting knows them
	defer func() {
		if seat != nil {
			seat.Leave()
		}
	}()
	for {
		select {
		case seat = <-m.seats:
		case <-m.changed:
		case <-m.ctx.Done():
			return
		}
		if seat == nil {
			continue
		}
		m.mu.Lock()
		wanted := make(map[media.Role]media.Track, len(m.wanted))
		for role, t := range m.wanted {
			wanted[role] = t
		}
		muted := m.muted
		m.mu.Unlock()
		for _, role := range []media.Role{media.Audio, media.Main, media.Content} {
			m.publishRole(seat, current, role, wanted[role])
		}
		if s, ok := seat.(sized); ok {
			m.size(s, &toldSize)
		}
		if muted != toldMuted {
			toldMuted = muted
			seat.SetMuted(media.Audio, muted)
		}
		if sps := m.sends.Load(); sps != nil && (sps.Width != told.Width || sps.Height != told.Height) {
			told = *sps
			seat.SetVideoSize(media.Main, sps.Width, sps.Height)
		}
		if sps := m.presents.Load(); sps != nil && (sps.Width != toldContent.Width || sps.Height != toldContent.Height) {
			toldContent = *sps
			seat.SetVideoSize(media.Content, sps.Width, sps.Height)
		}
	}
}

// publication is what the seat publishes in one role.
type publication struct {
	track media.Track
	stop  func()
}

func (m *Member) publishRole(seat Seat, current map[media.Role]publication, role media.Role, t media.Track) {
	now, has := current[role]
	if has && now.track == t {
		return
	}
	if has && t == nil {
		now.stop()
		delete(current, role)
		return
	}
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(m.ctx, 10*time.Second)
	defer cancel()
	stop, err := seat.Publish(ctx, t)
	if err != nil {
		m.log.Warn("not published", zap.Stringer("role", role), zap.Stringer("format", t.Format()), zap.Error(err))
		return
	}
	if has {
		now.stop() // after the change, so that the meeting sees no gap
	}
	current[role] = publication{track: t, stop: stop}
}

// clean is a leg's picture as the meeting gets it: repacketized to packets of
// at most 1200 bytes in mode 1, parameter sets before every keyframe. Its sender reports
// have our clock, as those of the leg's sound, which the terminal's need not agree with.
type clean struct {
	media.Track
	changed func(h264.SPS) // its size, as it becomes known
}

// Format implements media.Track.
func (c *clean) Format() media.Format {
	f := c.Track.Format()
	f.H264.PacketizationMode = 1
	return f
}

// Attach implements media.Track.
func (c *clean) Attach(w media.Writer) func() {
	throttle := h264.NewThrottle(keyframeInterval, c.Track.RequestKeyframe)
	stage := h264.NewRepacketizer(w, h264.RepacketizerConfig{
		Mode:          1,
		ParameterSets: c.Track.Format().H264.ParameterSets,
		NeedKeyframe:  throttle.Request,
		Changed: func(sps h264.SPS) {
			throttle.Answered()
			c.changed(sps)
		},
	})
	detach := c.Track.Attach(stage)
	return func() {
		detach()
		throttle.Close()
	}
}

// keyframeInterval is how often a leg is asked for the keyframe it owes.
const keyframeInterval = time.Second

// TakeBitrate implements media.BitrateTaker.
func (c *clean) TakeBitrate(bps int) {
	if t, ok := c.Track.(media.BitrateTaker); ok {
		t.TakeBitrate(bps)
	}
}

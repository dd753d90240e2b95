package bridge

import (
	"cmp"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/transcode/video"
)

// share is an Output as one leg gets it: what the leg says about its bandwidth
// is the leg's own matter, since others take the same.
type share struct {
	*video.Output
	member *Member
}

// TakeBitrate implements media.BitrateTaker.
func (s *share) TakeBitrate(bps int) { s.member.limited(bps) }

// Tailored implements h264.Tailored.
func (s *share) Tailored() {}

// limited hears what the leg can take. It is called by whoever sends to the leg.
func (m *Member) limited(bps int) {
	if m.allowed.take(bps, m.bridge.in.Now()) {
		m.bridge.nudge()
	}
}

// share gives an output as the leg gets it; the same for the same output.
func (m *Member) share(o *video.Output) *share {
	if m.shared == nil || m.shared.Output != o {
		m.shared = &share{o, m}
	}
	return m.shared
}

// allowance is the bit rate a leg says it can take. It falls at once, and rises
// when it has been higher for a while.
type allowance struct {
	bps    atomic.Int64 // in force; 0 = no limit
	wanted atomic.Int64
	since  atomic.Int64 // when wanted went beyond bps, Unix nanoseconds
}

// steady is how long more must be allowed before more is sent.
const steady = 3 * time.Second

// take notes what the leg says; it reports whether something is to change.
func (a *allowance) take(bps int, now time.Time) bool {
	was, v := a.bps.Load(), int64(max(bps, 0))
	a.wanted.Store(v)
	if v != 0 && (was == 0 || v < was) {
		a.bps.Store(v)
		return true
	}
	if a.since.Load() == 0 {
		a.since.Store(now.UnixNano())
	}
	return false
}

// limit is the allowance in force at a time.
func (a *allowance) limit(now time.Time) int {
	v, wanted := a.bps.Load(), a.wanted.Load()
	if v == wanted || v == 0 {
		a.since.Store(0)
		return int(v)
	}
	if since := a.since.Load(); since != 0 && now.UnixNano()-since > int64(steady) {
		a.bps.Store(wanted)
		a.since.Store(0)
		return int(wanted)
	}
	return int(v)
}

// receiverOf is what a stream's far side takes.
func receiverOf(st media.Stream) h264.Receiver {
	r := h264.Receiver{Format: st.Send.H264, MaxBitrate: st.MaxSend}
	if st.Send.H264.PacketizationMode == 0 {
		r.MaxPacket = h264.WholePacket
	}
	return r
}

// keeps takes over what the far side of a screen takes now, where that is another bit rate at
// most: the picture that goes out, if one is passed on, need not begin anew. Else it changes
// nothing and reports false.
func (m *Member) keeps(r *h264.Receiver, now h264.Receiver, picture *h264.Switch) bool {
	was := *r
	was.MaxBitrate = now.MaxBitrate
	if was != now {
		return false
	}
	if *r != now {
		*r = now
		if picture != nil {
			picture.SetMaxBitrate(now.MaxBitrate)
		}
		m.bridge.nudge()
	}
	return true
}

// screen is what is made for a leg.
func (m *Member) screen() layout.Screen { return m.limits().Choose() }

// headroom is left for packets, and for an encoder that aims too high.
const headroom = 0.92

// limits is what a leg takes.
func (m *Member) limits() layout.Limits {
	return limitsOf(m.takes, m.receiver, m.allowance(m.bridge.in.Now()))
}

// limitsOf is what a format and its receiver come to, within a bit rate allowed.
func limitsOf(f media.Format, receiver h264.Receiver, allowed int) layout.Limits {
	l := layout.Limits{}
	bps := []int{receiver.MaxBitrate, allowed}
	switch {
	case f.Codec.Is(string(media.H264)):
		level, raised := h264.Limits(f.H264)
		l.Macroblocks, l.PerSecond = int(level.FS), int(level.MBPS)
		l.FPS = float64(f.H264.MaxFPS) / 100
		if !raised || f.H264.MaxBR > 0 {
			bps = append(bps, int(level.BR)*1000)
		}
	case f.Codec.Is(string(media.H261)), f.Codec.Is(string(media.H263)), f.Codec.Is(string(media.H263Plus)), f.Codec.Is(string(media.H2632000)):
		l.CIF = true
		l.Width, l.Height, l.FPS = cifSize(f)
		bps = append(bps, int(f.H263.MaxBR)*100)
	}
	for _, b := range bps {
		if b > 0 && (l.Bitrate == 0 || b < l.Bitrate) {
			l.Bitrate = b
		}
	}
	l.Bitrate = int(float64(l.Bitrate) * headroom)
	return l
}

// cifSize is the largest picture of H.263 or H.261 that is taken, and how often.
// Nothing stated means CIF.
func cifSize(f media.Format) (w, h int, fps float64) {
	const most = 30000.0 / 1001
	h263 := f.H263
	rate := func(mpi uint8) float64 { return most / float64(max(mpi, 1)) }
	switch {
	case h263.CIF4 > 0 && !f.Codec.Is(string(media.H261)):
		return 704, 576, rate(h263.CIF4)
	case h263.CIF > 0 || h263.QCIF == 0:
		return 352, 288, rate(h263.CIF)
	}
	return 176, 144, rate(h263.QCIF)
}

// encoding is the format made for a leg on a screen. H.264 is coded in slices
// that fit one packet each, which suits both packetization modes, and at the
// level of the screen, so that all who get the screen can share it.
func (m *Member) encoding(s layout.Screen) media.Format { return encodingOf(m.takes, s) }

func encodingOf(takes media.Format, s layout.Screen) media.Format {
	if !takes.Codec.Is(string(media.H264)) {
		return takes
	}
	return media.Format{
		Codec: media.H264, ClockRate: takes.ClockRate,
		H264: media.H264Format{ProfileLevelID: 0x42e000 | levelFor(s)},
	}
}

// show puts a track on the leg's screen; nil blanks it.
func (m *Member) show(t media.Track) {
	if m.picture != nil {
		m.picture.Select(t)
		m.selected = t
		return
	}
	if t == nil || m.selected == t {
		return // of codecs that are not passed through, the last picture stays
	}
	drop, err := m.leg.Publish(m.ctx, t)
	if err != nil {
		m.log.Warn("the leg takes no picture", zap.Stringer("format", t.Format()), zap.Error(err))
		return
	}
	if m.dropPic != nil {
		m.dropPic()
	}
	m.dropPic, m.selected = drop, t
}

// hasScreen reports whether the leg takes pictures.
func (m *Member) hasScreen() bool { return m.picture != nil || m.takes.Codec != "" }

// lectureTurn is how long who gives a lecture sees one of the audience.
const lectureTurn = 10 * time.Second

// turn counts the turns of the audience.
func (b *Bridge) turn() uint64 {
	turn := b.in.Turn
	if turn <= 0 {
		turn = lectureTurn
	}
	return uint64(b.in.Now().Unix()) / max(1, uint64(turn.Seconds()))
}

// wish is what the leg's screen is to show.
func (m *Member) wish() layout.Wish {
	return layout.Wish{
		Turn: m.bridge.turn(), Kind: cmp.Or(m.layout, m.bridge.layout, layout.Single), Viewer: m.identity, Pinned: cmp.Or(m.pinned, m.bridge.pinned),
		PeopleOnly: m.presentation.screen != nil, Never: m.unit.MCU,
	}
}

package livekit

import (
	"strings"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/roomgate/roomgate/media"
)

// Keyframe requests of the SFU come as its subscribers do, and again while
// nobody answers; sources that are slow merge them further.
const keyframeInterval = 100 * time.Millisecond

// primingTime is how long a video nobody wants is sent at the start: the SFU
// announces a video when its first packet arrives, and a browser cannot
// subscribe to what was not announced.
const primingTime = time.Second

// published is one role of a seat: the track that is its source, and its
// stream on the session in force.
type published struct {
	role  media.Role
	track media.Track
	// sizes is whether it is announced in two sizes.
	sizes bool
	small small

	// tap guards what the source is attached to; it is held while attaching
	// and detaching, never while a packet is written.
	tap      sync.Mutex
	detach   func()
	attached media.Track
	gone     bool // unpublished: never attach again

	// setup is held while the role is being published: by the seat's user and,
	// on a new session, by the restoration.
	setup sync.Mutex

	mu        sync.Mutex
	session   *session // on which sender lives
	sender    *sender
	slot      *webrtc.RTPTransceiver
	id        string // TR_...
	muted     bool
	wanted    bool
	since     time.Time // sender was added
	confirmed bool      // the SFU said whether it is wanted, on this session
	asked     time.Time // for a keyframe
}

// flowing reports whether packets should be sent now.
func (p *published) flowing(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.sender == nil || p.muted:
		return false
	case p.role == media.Audio:
		return true
	case p.wanted:
		return p.small.sender == nil || !p.small.suffices(now)
	}
	return p.sender.count() == 0 || now.Sub(p.since) < primingTime
}

// refresh attaches to the source, or detaches, as things stand.
func (p *published) refresh(now time.Time) {
	p.tap.Lock()
	defer p.tap.Unlock()
	p.refreshSmall(now)
	flowing := p.flowing(now) && !p.gone
	p.mu.Lock()
	track, sender, small := p.track, p.sender, p.small.sender
	p.mu.Unlock()
	if p.detach != nil && (!flowing || p.attached != track) {
		p.detach()
		p.detach = nil
	}
	if flowing && p.detach == nil {
		sender.splice()
		p.attached = track
		var to media.Writer = sender
		if small != nil {
			to = p.small.beside(sender, small)
		}
		p.detach = track.Attach(to)
		p.keyframe()
	}
}

// refreshSmall does the same for the small picture; tap is held.
func (p *published) refreshSmall(now time.Time) {
	p.mu.Lock()
	track, sender, muted := p.small.track, p.small.sender, p.muted
	codec := p.track.Format().Codec
	p.mu.Unlock()
	m := &p.small
	flowing := track != nil && sender != nil && !muted && !p.gone && track.Format().Codec.Is(string(codec)) && m.appetite.sends(now)
	if m.detach != nil && (!flowing || m.attached != track) {
		m.drop()
	}
	if flowing && m.detach == nil {
		m.take(track, sender)
	}
}

// isGone reports that the role was given up.
func (p *published) isGone() bool {
	p.tap.Lock()
	defer p.tap.Unlock()
	return p.gone
}

// cut detaches, for good when the role is given up.
func (p *published) cut(gone bool) {
	p.tap.Lock()
	defer p.tap.Unlock()
	p.gone = p.gone || gone
	if p.detach != nil {
		p.detach()
		p.detach = nil
	}
	p.small.drop()
}

// keyframe passes a request on to the source, throttled.
func (p *published) keyframe() {
	now := time.Now()
	p.mu.Lock()
	track, early := p.track, now.Sub(p.asked) < keyframeInterval
	if !early {
		p.asked = now
	}
	p.mu.Unlock()
	if !early && p.role != media.Audio {
		track.RequestKeyframe()
	}
}

// smallKeyframe passes on a request for a keyframe of the small picture.
func (p *published) smallKeyframe() {
	p.mu.Lock()
	track := p.small.track
	p.mu.Unlock()
	if track != nil {
		track.RequestKeyframe()
	}
}

// live returns the stream on a session, if it has one there.
func (p *published) live(s *session) (*sender, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session != s {
		return nil, ""
	}
	return p.sender, p.id
}

// reports are the sender reports of now. Those of the two sizes have to agree, for the SFU
// fits timestamps together by them when it switches somebody: the small picture has the time
// that its source knows where the large one has, too, otherwise that of its packets.
func (p *published) reports(out *sender, now time.Time) (list []rtcp.Packet) {
	p.mu.Lock()
	track, small, smallTrack := p.track, p.small.sender, p.small.track
	p.mu.Unlock()
	if r := out.report(now, track); r != nil {
		list = append(list, r)
	}
	if small == nil {
		return list
	}
	if _, knows := track.(media.SenderReporter); !knows {
		smallTrack = nil
	}
	if r := small.report(now, smallTrack); r != nil {
		list = append(list, r)
	}
	return list
}

// codec is that of the source.
func (p *published) codec() media.Codec {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.track.Format().Codec
}

// request describes the role to the SFU.
func (p *published) request(cid string, size [2]int, muted bool) *livekit.AddTrackRequest {
	r := &livekit.AddTrackRequest{
		Cid: cid, Name: p.role.String(), Muted: muted, DisableRed: true,
		Type: livekit.TrackType_VIDEO, Source: livekit.TrackSource_CAMERA, Stream: "camera",
	}
	switch p.role {
	case media.Audio:
		r.Type, r.Source = livekit.TrackType_AUDIO, livekit.TrackSource_MICROPHONE
		// Otherwise the answer asks for DTX, which is the source's to choose.
		r.AudioFeatures = []livekit.AudioTrackFeature{livekit.AudioTrackFeature_TF_NO_DTX}
		return r
	case media.Content:
		r.Source, r.Stream = livekit.TrackSource_SCREEN_SHARE, "screen_share"
	}
	r.Width, r.Height = uint32(size[0]), uint32(size[1])
	// One layer, named: without it the server reports every demand as "off".
	r.Layers = []*livekit.VideoLayer{{Quality: livekit.VideoQuality_HIGH, Width: r.Width, Height: r.Height}}
	if p.sizes {
		r.Layers = layers(r.Width, r.Height)
		r.Width, r.Height = r.Layers[1].GetWidth(), r.Layers[1].GetHeight() // otherwise all get the large one
	}
	r.SimulcastCodecs = []*livekit.SimulcastCodec{{Codec: strings.ToLower(string(p.codec())), Cid: cid, Layers: r.Layers}}
	return r
}

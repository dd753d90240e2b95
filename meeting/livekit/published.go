package livekit

import (
	"strings"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
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
	case p.role == media.Audio || p.wanted:
		return true
	}
	return p.sender.count() == 0 || now.Sub(p.since) < primingTime
}

// refresh attaches to the source, or detaches, as things stand.
func (p *published) refresh(now time.Time) {
	p.tap.Lock()
	defer p.tap.Unlock()
	flowing := p.flowing(now) && !p.gone
	p.mu.Lock()
	track, sender := p.track, p.sender
	p.mu.Unlock()
	if p.detach != nil && (!flowing || p.attached != track) {
		p.detach()
		p.detach = nil
	}
	if flowing && p.detach == nil {
		sender.splice()
		p.attached = track
		p.detach = track.Attach(sender)
		p.keyframe()
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

// live returns the stream on a session, if it has one there.
func (p *published) live(s *session) (*sender, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session != s {
		return nil, ""
	}
	return p.sender, p.id
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
	r.SimulcastCodecs = []*livekit.SimulcastCodec{{Codec: strings.ToLower(string(p.codec())), Cid: cid, Layers: r.Layers}}
	return r
}

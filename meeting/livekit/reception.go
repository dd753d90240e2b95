package livekit

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// reception is what comes from the others: the roster, what is subscribed to,
// and the tracks that opened. Audio is subscribed to as it is published, video
// as it is asked for.
type reception struct {
	link    *link
	video   []media.Codec
	quality Quality
	noAudio bool
	tracks  chan media.Track
	chat    chat

	mu     sync.Mutex
	roster map[string]*attendant   // by identity
	owners map[string]string       // identity by track ID
	wanted map[string]Subscription // video, by track ID
	asked  map[string]bool         // subscribed to on this session, by track ID
	open   map[string]*remoteTrack // by track ID
	paused bool                    // nothing is to be received any more
	closed bool
	way    downlink

	// Of the room, as it was told last.
	known, isRecorded bool
	metadata          string
}

func newReception(l *link, video []media.Codec, q Quality, noAudio bool) *reception {
	if video == nil {
		video = []media.Codec{media.H264}
	}
	return &reception{
		link: l, video: video, quality: q, noAudio: noAudio, tracks: make(chan media.Track, 16),
		roster: make(map[string]*attendant), owners: make(map[string]string), wanted: make(map[string]Subscription),
		asked: make(map[string]bool), open: make(map[string]*remoteTrack),
	}
}

// Tracks delivers remote tracks as their media arrives, each a
// ParticipantTrack; closed when the receiver has ended.
func (r *reception) Tracks() <-chan media.Track { return r.tracks }

// Participants is the roster: everybody but hidden ones and ourselves, our
// node's other legs included.
func (r *reception) Participants() []call.Participant {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]call.Participant, 0, len(r.roster))
	for _, a := range r.roster {
		all = append(all, a.shown)
	}
	slices.SortFunc(all, func(a, b call.Participant) int { return strings.Compare(a.Identity, b.Identity) })
	return all
}

// mostWishes bounds what is asked for before the SFU has told us of it.
const mostWishes = 256

// Subscribe asks for a video track by its ID, or changes what is asked for.
// The track opens on Tracks when its first packet has come. Others of our node
// may have heard of a track before us: it is asked for when we do.
func (r *reception) Subscribe(trackID string, want Subscription) {
	r.mu.Lock()
	_, published := r.owners[trackID]
	if r.paused || !published && len(r.wanted) >= mostWishes {
		r.mu.Unlock()
		return
	}
	fresh := published && !r.asked[trackID]
	r.wanted[trackID] = want
	if published {
		r.asked[trackID] = true
	}
	r.mu.Unlock()
	if s := r.link.attempt(); s != nil && published {
		r.ask(s, trackID, want, fresh)
	}
}

// Unsubscribe gives a track up; it ends.
func (r *reception) Unsubscribe(trackID string) {
	r.mu.Lock()
	asked := r.asked[trackID]
	delete(r.wanted, trackID)
	delete(r.asked, trackID)
	t := r.open[trackID]
	delete(r.open, trackID)
	r.mu.Unlock()
	if t != nil {
		t.end()
	}
	if s := r.link.attempt(); s != nil && asked {
		_ = s.send(subscription(false, trackID))
	}
}

// pause gives up everything that is received, for good; the roster goes on.
func (r *reception) pause() {
	r.mu.Lock()
	r.paused = true
	given := make([]string, 0, len(r.asked))
	for id := range r.asked {
		given = append(given, id)
	}
	clear(r.wanted)
	clear(r.asked)
	r.mu.Unlock()
	r.broke(false)
	if s := r.link.attempt(); s != nil && len(given) > 0 {
		_ = s.send(subscription(false, given...))
	}
}

// ask sends a subscription to one video.
func (r *reception) ask(s *session, trackID string, want Subscription, fresh bool) {
	if fresh {
		_ = s.send(subscription(true, trackID))
	}
	r.mu.Lock()
	want = r.fitting(trackID, want)
	r.mu.Unlock()
	settings := &livekit.UpdateTrackSettings{
		TrackSids: []string{trackID}, Quality: wireQuality(want.Quality),
		Width: uint32(max(want.Width, 0)), Height: uint32(max(want.Height, 0)), Fps: uint32(max(want.FPS, 0)),
	}
	_ = s.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_TrackSetting{TrackSetting: settings}})
}

func subscription(on bool, trackIDs ...string) *livekit.SignalRequest {
	return &livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{
		Subscription: &livekit.UpdateSubscription{TrackSids: trackIDs, Subscribe: on},
	}}
}

func wireQuality(q Quality) livekit.VideoQuality {
	switch q {
	case Low:
		return livekit.VideoQuality_LOW
	case Medium:
		return livekit.VideoQuality_MEDIUM
	}
	return livekit.VideoQuality_HIGH
}

// began takes the roster of a new session and subscribes to what was
// subscribed to, as far as it is still there.
func (r *reception) began(s *session) {
	r.mu.Lock()
	clear(r.asked)
	r.mu.Unlock()
	r.tell(r.apply(s.joined.GetOtherParticipants(), true))
	r.room(s.joined.GetRoom())
	r.subscribeAudio(s)
	r.subscribeVideo(s)
}

// subscribeVideo subscribes to the video that is due.
func (r *reception) subscribeVideo(s *session) {
	for id, want := range r.due() {
		r.ask(s, id, want, true)
	}
}

// due is the video that is wanted and published and was not subscribed to on
// this session; it counts as such from now on.
func (r *reception) due() (list map[string]Subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, want := range r.wanted {
		if _, published := r.owners[id]; !published || r.asked[id] || r.paused {
			continue
		}
		if list == nil {
			list = make(map[string]Subscription)
		}
		list[id], r.asked[id] = want, true
	}
	return list
}

// subscribeAudio subscribes to the audio of all others not yet subscribed to.
func (r *reception) subscribeAudio(s *session) {
	if r.noAudio {
		return
	}
	var fresh []string
	r.mu.Lock()
	for _, a := range r.roster {
		for _, t := range a.shown.Tracks {
			if !r.paused && !a.local && t.Role == media.Audio.String() && !r.asked[t.ID] {
				r.asked[t.ID] = true
				fresh = append(fresh, t.ID)
			}
		}
	}
	r.mu.Unlock()
	if len(fresh) > 0 {
		_ = s.send(subscription(true, fresh...))
	}
}

// tick is called once a second.
func (r *reception) tick(s *session, now time.Time) {
	r.look(s, now)
	r.acknowledge(s, now)
}

// handle takes what the SFU says about the others.
func (r *reception) handle(s *session, m *livekit.SignalResponse) {
	switch m := m.GetMessage().(type) {
	case *livekit.SignalResponse_Update:
		r.tell(r.apply(m.Update.GetParticipants(), false))
		r.subscribeAudio(s)
		r.subscribeVideo(s)
	case *livekit.SignalResponse_SpeakersChanged:
		if speakers := r.speakers(m.SpeakersChanged.GetSpeakers()); len(speakers) > 0 {
			r.link.events.send(Event{Kind: Speaking, Speakers: speakers})
		}
	case *livekit.SignalResponse_RoomUpdate:
		r.room(m.RoomUpdate.GetRoom())
	}
}

// room tells when the recording of the room begins or ends (who records may be hidden, and
// is in no roster then), and what its metadata says.
func (r *reception) room(room *livekit.Room) {
	r.mu.Lock()
	recorded := !r.known || room.GetActiveRecording() != r.isRecorded
	described := room.GetMetadata() != r.metadata
	r.known, r.isRecorded, r.metadata = true, room.GetActiveRecording(), room.GetMetadata()
	r.mu.Unlock()
	if recorded {
		r.link.events.send(Event{Kind: Recorded, On: room.GetActiveRecording()})
	}
	if described {
		r.link.events.send(Event{Kind: Described, Metadata: room.GetMetadata()})
	}
}

func (r *reception) tell(all []Event) {
	for _, e := range all {
		r.link.events.send(e)
	}
}

// opened delivers a track whose media has come; it reports false when nobody
// wants it any more.
func (r *reception) opened(s *session, t *remoteTrack) bool {
	r.mu.Lock()
	_, published := r.owners[t.id]
	if !published || !r.asked[t.id] || r.closed {
		r.mu.Unlock()
		return false
	}
	former := r.open[t.id]
	r.open[t.id] = t
	r.mu.Unlock()
	if former != nil {
		former.end()
	}
	select {
	case r.tracks <- t:
		return true
	case <-s.ctx.Done():
	case <-t.done:
	}
	return false
}

// ended forgets a track that gives nothing more.
func (r *reception) ended(t *remoteTrack) {
	t.end()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[t.id] == t {
		delete(r.open, t.id)
	}
}

// owner is the participant who publishes a track.
func (r *reception) owner(trackID string) (call.Participant, media.Role, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.roster[r.owners[trackID]]
	if a == nil {
		return call.Participant{}, 0, false
	}
	for _, t := range a.shown.Tracks {
		if t.ID == trackID {
			return a.shown, roleNamed(t.Role), true
		}
	}
	return a.shown, 0, false
}

func roleNamed(name string) media.Role {
	for _, role := range []media.Role{media.Audio, media.Main, media.Content} {
		if role.String() == name {
			return role
		}
	}
	return media.Main
}

// broke ends the tracks of a session; they open anew on the next.
func (r *reception) broke(final bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, t := range r.open {
		delete(r.open, id)
		t.end()
	}
	if final && !r.closed {
		r.closed = true
		close(r.tracks)
	}
}

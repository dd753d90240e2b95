package bridge

import (
	"cmp"
	"slices"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// source is one picture that a leg could be shown.
type source struct {
	key      string
	identity string
	role     media.Role
	member   *Member     // of a leg on this node
	track    media.Track // of a leg; remote tracks are looked up in the feeds
	remoteID string
	muted    bool
	width    int
	height   int
	codec    string
	spoke    uint64 // Bridge.order when its participant was last the speaker
	joined   uint64
	asked    int // bit/s asked of a leg, 0 = as much as it likes
	bps      int // of a leg, as it was at measured
	measured time.Time
}

func sourceKey(identity string, role media.Role) string { return identity + "/" + role.String() }

// addLegSource makes a leg's picture one to choose from, and publishes it.
func (b *Bridge) addLegSource(m *Member, t media.Track) {
	b.order++
	key := sourceKey(m.identity, t.Role())
	b.sources[key] = &source{
		key: key, identity: m.identity, role: t.Role(), member: m, track: t,
		codec: string(t.Format().Codec), joined: b.order,
	}
	if t.Role() == media.Content {
		m.publishContent()
	} else if t.Format().Codec.Is(string(media.H264)) && !b.in.Local && m.roomCodec == "" {
		m.want(t.Role(), &clean{Track: t, changed: m.pictureChanged})
	}
	b.nudge()
}

func (b *Bridge) dropSource(key string) {
	s := b.sources[key]
	if s == nil {
		return
	}
	delete(b.sources, key)
	for _, m := range b.members {
		delete(m.refusals, s)
	}
	b.nudge()
}

// addRemoteSources follows the pictures a remote participant announces.
func (b *Bridge) addRemoteSources(p call.Participant) {
	keep := map[string]bool{}
	for _, t := range p.Tracks {
		role := media.Main
		switch t.Role {
		case media.Audio.String():
			continue
		case media.Content.String():
			role = media.Content
		}
		key := sourceKey(p.Identity, role)
		keep[key] = true
		s := b.sources[key]
		if s == nil || s.remoteID != t.ID {
			b.order++
			s = &source{key: key, identity: p.Identity, role: role, remoteID: t.ID, joined: b.order}
			b.sources[key] = s
		}
		s.muted, s.width, s.height, s.codec = t.Muted, t.Width, t.Height, t.Codec
	}
	b.dropRemoteSources(p.Identity, keep)
	b.shareChanged(p.Identity)
}

func (b *Bridge) dropRemoteSources(identity string, keep map[string]bool) {
	for key, s := range b.sources {
		if s.identity == identity && s.member == nil && !keep[key] {
			b.dropSource(key)
		}
	}
}

// pass is one look of the director at everything.
type pass struct {
	now     time.Time
	watched watchedTracks
	ranked  []*source
	all     [2][]layout.Candidate // without and with people who have no picture
}

func (b *Bridge) candidatesFor(p *pass, k layout.Kind) []layout.Candidate {
	which := 0
	if showsPeople(k) {
		which = 1
	}
	if p.all[which] == nil {
		p.all[which] = b.candidates(which == 1)
	}
	return p.all[which]
}

// watchedTracks are remote track IDs in use, by class.
type watchedTracks map[string][2]bool

func (w watchedTracks) add(id string, class int) {
	use := w[id]
	use[class] = true
	w[id] = use
}

// direct decides what every leg is shown: shared content first, then who
// speaks or spoke last, then the others in the order they came; never the leg
// itself. A picture that does not fit, and several at once, are made by a
// worker; without one a picture that does not fit is shown only when there is
// no other.
func (b *Bridge) direct() {
	b.noteSpeaker()
	p := &pass{now: b.in.Now(), watched: watchedTracks{}, ranked: b.ranked()}
	worker := b.studio.present()
	b.noteCompany(p.now)
	if worker && len(p.ranked) > 1 {
		b.studio.ready() // what does not fit any more is wanted at once
	}
	for _, m := range b.members {
		m.noteRefusal(p.now)
		m.noteClass()
		switch {
		case !m.hasScreen():
			m.shown = nil
		case worker && b.made(m, p):
		default:
			b.forward(m, m.pick(p.ranked, p.now), p.watched)
		}
	}
	b.directContent(p, worker)
	if worker {
		b.publishMade(p.now)
	}
	b.makeSmall(p.now, worker)
	b.askSources(p, worker)
	b.subscribe(p.watched, p.now)
	b.ensureFeeds()
	b.studio.sweep(p.now)
}

// forward passes a picture on to a leg as it is.
func (b *Bridge) forward(m *Member, pick *source, watched watchedTracks) {
	m.shown, m.view = pick, layout.View{}
	if m.picture == nil {
		return
	}
	if pick == nil {
		m.show(nil)
		return
	}
	if pick.member != nil {
		m.show(pick.track)
		return
	}
	class := m.class(b)
	watched.add(pick.remoteID, class)
	if f := b.feeds[class]; f != nil {
		if t := f.pictures[pick.remoteID]; t != nil {
			m.show(t)
		}
	}
}

// made shows a leg what its layout asks for, with the help of a worker; false
// when a picture is to be passed on as it is.
func (b *Bridge) made(m *Member, p *pass) bool {
	w := m.wish()
	s := b.studio
	v := s.view(b.candidatesFor(p, w.Kind), w, p.now)
	if len(v.Shown) > 0 {
		m.alone = time.Time{}
	}
	if len(v.Shown) == 1 && m.picture != nil && !(m.reading(p.now) && s.ready()) {
		src := b.sources[v.Shown[0]]
		if src == nil {
			return false
		}
		if decodable(src) && !m.refuses(src, p.now) {
			b.forward(m, src, p.watched)
			return true
		}
	}
	if len(v.Shown) == 0 {
		return b.showSlate(m, p)
	}
	if !s.ready() {
		return false
	}
	t := b.compose(m, v, p)
	if t == nil {
		return true // it is on its way; what is shown stays
	}
	m.shown, m.view = nil, v
	m.show(t)
	return true
}

// noteSpeaker gives the active speaker's pictures the first rank.
func (b *Bridge) noteSpeaker() {
	identity := speakerIdentity(b.mixer.ActiveSpeaker())
	if identity == "" || identity == b.speaker {
		return
	}
	b.speaker = identity
	b.order++
	b.spoke[identity] = b.order
	for _, s := range b.sources {
		if s.identity == identity {
			s.spoke = b.order
		}
	}
	b.in.Notify(Notice{Kind: Speaking, Identity: identity})
}

// speakerIdentity takes the participant out of a mixer input's ID.
func speakerIdentity(id string) string {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i] == '/' {
			return id[:i]
		}
	}
	return id
}

func (b *Bridge) ranked() []*source {
	ranked := make([]*source, 0, len(b.sources))
	for _, s := range b.sources {
		if b.counts(s) {
			ranked = append(ranked, s)
		}
	}
	slices.SortFunc(ranked, func(x, y *source) int {
		return cmp.Or(
			-cmp.Compare(x.role, y.role), // Content > Main
			-cmp.Compare(x.spoke, y.spoke),
			cmp.Compare(x.joined, y.joined))
	})
	return ranked
}

// pick chooses for one leg: content, who is pinned, who spoke last; what did not fit
// the leg only where there is nothing else.
func (m *Member) pick(ranked []*source, now time.Time) *source {
	if m.picture == nil {
		return nil
	}
	var first, second *source
	w := m.wish()
	pinned := w.Pinned
	if w.Kind == layout.Lecture && pinned == m.identity {
		ranked = inTurn(ranked, m.identity, w.Turn)
		pinned = ""
	}
	for _, s := range ranked {
		if s.identity == m.identity || !decodable(s) || s.role == media.Content && m.presentation.screen != nil {
			continue
		}
		if m.refuses(s, now) {
			if second == nil {
				second = s
			}
			continue
		}
		if pinned == "" || s.identity == pinned || s.role == media.Content {
			return s
		}
		if first == nil {
			first = s
		}
	}
	return cmp.Or(first, second)
}

// inTurn puts the audience of a lecture in the order of its turns, after what is shared.
func inTurn(ranked []*source, lecturer string, turn uint64) []*source {
	var out, people []*source
	for _, s := range ranked {
		switch {
		case s.role == media.Content:
			out = append(out, s)
		case s.identity != lecturer:
			people = append(people, s)
		}
	}
	slices.SortFunc(people, func(a, b *source) int { return cmp.Compare(a.joined, b.joined) })
	if n := uint64(len(people)); n > 0 {
		people = append(people[turn%n:], people[:turn%n]...)
	}
	return append(out, people...)
}

// decodable reports whether terminals can take the codec as it is.
func decodable(s *source) bool {
	return s.codec == "" || media.Codec(media.H264).Is(s.codec)
}

// class is the simulcast layer that suits the leg: low for those that take
// less than 720p, and on narrow paths.
func (m *Member) class(b *Bridge) int {
	if m.takesSmallOnly() && b.feeds[low] != nil {
		return low
	}
	return high
}

// hd is a 720p picture as browsers send it.
var hd = h264.SPS{
	ProfileIDC: 66, Constraints: 0xe0, LevelIDC: 31,
	Width: 1280, Height: 720, Macroblocks: 3600, FrameMBsOnly: true, POCType: 2,
}

func smallOnly(r h264.Receiver) bool {
	ok, _ := h264.Fits(h264.Facts{SPS: hd}, r)
	return !ok
}

// takesSmallOnly reports whether the high layer of a browser is too much for the leg.
func (m *Member) takesSmallOnly() bool {
	return m.picture != nil && (smallOnly(m.receiver) || m.narrow())
}

func (b *Bridge) takesSmallOnly() bool {
	return slices.ContainsFunc(b.members, (*Member).takesSmallOnly)
}

// subscribe asks the SFU for what is watched, and gives up what nobody has
// watched for a while.
func (b *Bridge) subscribe(watched watchedTracks, now time.Time) {
	for class, f := range b.feeds {
		if f == nil {
			continue
		}
		for id, use := range watched {
			if !use[class] {
				continue
			}
			if _, ok := f.wanted[id]; !ok {
				f.receiver.Subscribe(id, true)
			}
			f.wanted[id] = now.Add(patience)
		}
		for id, until := range f.wanted {
			if now.After(until) && !watched[id][class] {
				delete(f.wanted, id)
				f.receiver.Subscribe(id, false)
			}
		}
	}
}

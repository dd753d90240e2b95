package bridge

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
)

// The quality classes: which simulcast layer of a remote picture a leg gets.
const (
	high = iota
	low
)

// feed is one receiving participant of the room: every remote stream comes
// through it once, however many legs take it.
type feed struct {
	class    int
	receiver Receiver
	seat     *Member // whose seat it is; nil for a hidden receiver
	ctx      context.Context
	cancel   context.CancelFunc
	done     chan struct{}          // closed when read has ended
	pictures map[string]RemoteTrack // open, by track ID
	wanted   map[string]time.Time   // subscribed, by track ID: until when at least
}

// sound is one remote participant's sound in the mix.
type sound struct {
	input  *mixer.Input
	detach func()
	track  RemoteTrack
	feed   *feed
}

// feedFromSeat lets a lone leg's seat receive for the bridge.
func (b *Bridge) feedFromSeat(m *Member, r Receiver) {
	if b.feeds[high] != nil || m.gone {
		b.start(r.Leave)
		return
	}
	b.openFeed(&feed{class: high, receiver: r, seat: m})
}

func (b *Bridge) openFeed(f *feed) {
	f.pictures, f.wanted, f.done = map[string]RemoteTrack{}, map[string]time.Time{}, make(chan struct{})
	f.ctx, f.cancel = context.WithCancel(b.ctx)
	old := b.feeds[f.class]
	b.feeds[f.class] = f
	for _, p := range f.receiver.Roster() {
		b.rosterChanged(Event{Kind: RosterChange, Participant: p})
	}
	b.start(func() { f.read(b) })
	if old != nil {
		b.relieve(old)
	}
	b.nudge()
}

// handover is how long a feed goes on beside the one that takes its place, so
// that nobody hears or sees a gap: the new one's tracks replace the old ones as
// they open.
const handover = 2 * time.Second

// relieve retires a feed after the handover.
func (b *Bridge) relieve(f *feed) {
	b.start(func() {
		select {
		case <-time.After(handover):
		case <-b.ctx.Done():
		}
		taken := false
		b.call(func() {
			taken = true
			b.retire(f)
		})
		if !taken {
			f.cancel()
			f.receiver.Leave()
		}
	})
}

// read takes up tracks as they open.
func (f *feed) read(b *Bridge) {
	defer close(f.done)
	for {
		select {
		case t, ok := <-f.receiver.Tracks():
			if !ok {
				return
			}
			if rt, is := t.(RemoteTrack); is {
				b.do(func() { b.trackOpened(f, rt) })
			}
		case <-f.ctx.Done():
			return
		}
	}
}

func (b *Bridge) trackOpened(f *feed, t RemoteTrack) {
	if f.ctx.Err() != nil {
		return
	}
	if t.Role() == media.Audio {
		if f.class == high {
			b.hear(f, t)
		}
		return
	}
	f.pictures[t.ID()] = t
	b.watch(f.ctx, t, func() {
		if f.pictures[t.ID()] == t {
			delete(f.pictures, t.ID())
			b.nudge()
		}
	})
	b.nudge()
}

// hear puts a remote sound into the mix, in place of the same track's earlier
// one.
func (b *Bridge) hear(f *feed, t RemoteTrack) {
	if old := b.sounds[t.ID()]; old != nil {
		b.hush(t.ID(), old)
	}
	in, err := b.mixer.AddInput(mixer.InputConfig{ID: t.Participant().Identity + "/" + t.ID(), Format: t.Format(), AGC: true})
	if err != nil {
		b.log.Warn("remote sound cannot be taken", zap.Stringer("format", t.Format()), zap.Error(err))
		return
	}
	s := &sound{input: in, track: t, feed: f, detach: t.Attach(in)}
	b.sounds[t.ID()] = s
	b.watch(f.ctx, t, func() {
		if b.sounds[t.ID()] == s {
			b.hush(t.ID(), s)
		}
	})
}

func (b *Bridge) hush(id string, s *sound) {
	delete(b.sounds, id)
	s.detach()
	s.input.Close()
}

// ensureFeeds opens hidden receivers where one is needed and none is there: for
// the second leg, for legs that take small pictures only, and when the seat
// that received is gone.
func (b *Bridge) ensureFeeds() {
	if b.in.Local || len(b.members) == 0 {
		return
	}
	if b.pending != nil && len(b.members) == 1 {
		return
	}
	if f := b.feeds[high]; f == nil || (f.seat != nil && len(b.members) > 1) {
		b.openReceiver(high)
	}
	if b.feeds[low] == nil && b.takesSmallOnly() {
		b.openReceiver(low)
	}
}

func (b *Bridge) openReceiver(class int) {
	if b.opening[class] {
		return
	}
	b.opening[class] = true
	b.start(func() {
		for wait := 500 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			r, err := b.in.SFU.Receive(b.ctx, b.in.Alias, class == low, b.receiverEvent)
			if err == nil {
				taken := false
				b.call(func() {
					taken = true
					b.opening[class] = false
					b.openFeed(&feed{class: class, receiver: r})
				})
				if !taken {
					r.Leave()
				}
				return
			}
			if b.ctx.Err() == nil {
				b.log.Warn("the meeting cannot be received; trying again", zap.Error(err), zap.Duration("in", wait))
			}
			select {
			case <-time.After(wait):
			case <-b.ctx.Done():
				return
			}
		}
	})
}

func (b *Bridge) receiverEvent(e Event) {
	switch e.Kind {
	case SeatEnded:
		b.do(func() {
			for class, f := range b.feeds {
				if f != nil && f.seat == nil {
					b.retire(f)
					b.feeds[class] = nil
				}
			}
			b.ensureFeeds()
		})
	default:
		b.meetingEvent(e)
	}
}

// meetingEvent takes what whoever receives is told of the meeting, a seat or a receiver.
func (b *Bridge) meetingEvent(e Event) {
	switch e.Kind {
	case RosterChange:
		b.do(func() { b.rosterChanged(e) })
	case MeetingDescribed:
		b.in.Notify(Notice{Kind: Described, Text: e.Text})
	case MeetingRecorded:
		b.do(func() { b.recording(e.On) })
	case Chatted:
		b.do(func() { b.chatted(e) })
	}
}

// retire ends a feed. What it brought goes with it; where another feed carries
// the same tracks they have already been taken from there.
func (b *Bridge) retire(f *feed) {
	f.cancel()
	for id, s := range b.sounds {
		if s.feed == f {
			b.hush(id, s)
		}
	}
	b.start(f.receiver.Leave)
}

// feedLost runs when a member leaves whose seat received for the bridge.
func (b *Bridge) feedLost(m *Member) {
	for class, f := range b.feeds {
		if f != nil && f.seat == m {
			b.feeds[class] = nil
			b.retire(f)
		}
	}
	b.ensureFeeds()
}

func (b *Bridge) closeFeeds() {
	for class, f := range b.feeds {
		if f != nil {
			b.feeds[class] = nil
			f.cancel()
			<-f.done
			f.receiver.Leave()
		}
	}
}

// rosterChanged keeps the roster and the list of pictures to choose from.
func (b *Bridge) rosterChanged(e Event) {
	p := e.Participant
	if p.Hidden {
		return
	}
	b.followSpotlight(p, e.Gone)
	if b.isOurs(p.Identity) {
		return
	}
	_, known := b.roster[p.Identity]
	if e.Gone {
		if known {
			delete(b.roster, p.Identity)
			delete(b.arrived, p.Identity)
			delete(b.spoke, p.Identity)
			b.dropRemoteSources(p.Identity, nil)
			b.shareChanged(p.Identity)
			b.othersChanged(true)
			b.in.Notify(Notice{Kind: Left, Identity: p.Identity, Participant: p})
		}
		return
	}
	b.roster[p.Identity] = p
	if !known {
		b.order++
		b.arrived[p.Identity] = b.order
		b.othersChanged(false)
		b.in.Notify(Notice{Kind: Joined, Identity: p.Identity, Participant: p})
	}
	b.addRemoteSources(p)
	b.nudge()
}

// followSpotlight turns to whoever an attribute names, or away from them.
func (b *Bridge) followSpotlight(p call.Participant, gone bool) {
	lit := p.Attributes[call.AttrSpotlight] != "" && !gone
	if lit == (b.spotlit == p.Identity) {
		return
	}
	b.spotlit = ""
	if lit {
		b.spotlit = p.Identity
		b.pinned = p.Identity
	} else if b.pinned == p.Identity {
		b.pinned = ""
	}
	b.in.Notify(Notice{Kind: Spotlit, Identity: p.Identity, On: lit})
	b.nudge()
}

func (b *Bridge) isOurs(identity string) bool {
	for _, m := range b.members {
		if m.identity == identity {
			return true
		}
	}
	return false
}

// linkLost tells the leg that the meeting does not answer, once per gap.
func (b *Bridge) linkLost(m *Member) {
	if m.gone || m.lost {
		return
	}
	m.lost = true
	if m.output != nil {
		m.play(lostTone())
	}
	if !b.lost {
		b.lost = true
		b.in.Notify(Notice{Kind: MeetingLost, Identity: m.identity})
	}
}

func (b *Bridge) linkBack(m *Member) {
	if m.gone || !m.lost {
		return
	}
	m.lost = false
	if m.output != nil {
		m.play(backTone())
	}
	for _, other := range b.members {
		if other.lost {
			return
		}
	}
	if b.lost {
		b.lost = false
		b.in.Notify(Notice{Kind: MeetingBack})
	}
}

package livekit

import (
	"sync"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// EventKind tells events apart.
type EventKind uint8

// Events. A seat that does not receive gets the first group only, a Receiver
// the Reconnecting to Ended and the roster group.
const (
	// Wanted: somebody subscribes to our video of Role (On), or nobody does
	// any more. Until the first such event a video is sent only as far as it
	// takes to announce it.
	Wanted EventKind = iota + 1
	// Muted: the meeting muted (On) or unmuted our stream of Role.
	Muted
	// Unpublished: the meeting took the permission to publish Role away.
	Unpublished
	// SmallWanted: somebody wants our video of Role in its small size (On), or nobody does
	// any more; see Seat.OfferSmall.
	SmallWanted
	// Narrow: the way to the SFU carries no more than Bitrate of our video of Role.
	Narrow

	// Reconnecting: the link to the SFU broke and is being renewed.
	Reconnecting
	// Reconnected: media flows again. Tracks that were open ended with the old
	// link and open anew.
	Reconnected
	// Ended: the last event; Err of the seat or receiver says why.
	Ended

	// Joined, Changed, Left: Participant came, changed (name, attributes or
	// tracks) or went.
	Joined
	Changed
	Left
	// Speaking is a hint, 0.4 to 0.8 s late: Speakers are those who started,
	// changed or ceased.
	Speaking
	// Recorded: the room is recorded (On), or not (any more); told at the beginning, too.
	Recorded
	// Chat: somebody wrote to all, Chat.
	Chat
	// Described: the room's metadata is Metadata; told at the beginning, too, where it has some.
	Described
)

func (k EventKind) String() string {
	names := [...]string{"", "wanted", "muted", "unpublished", "small wanted", "narrow", "reconnecting", "reconnected", "ended", "joined", "changed", "left", "speaking", "recorded", "chat", "described"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Event is something that happened to a seat, or in the roster.
type Event struct {
	Kind EventKind
	Role media.Role // of Wanted, Muted, Unpublished, SmallWanted, Narrow
	On   bool       // of Wanted, Muted, SmallWanted, Recorded
	// Bitrate of Narrow, bit/s; 0: as much as there is.
	Bitrate int
	// Participant of Joined, Changed, Left.
	Participant call.Participant
	Speakers    []Speaker // of Speaking
	Chat        ChatLine  // of Chat
	Metadata    string    // of Described
	// Missed reports that events were lost before this one because nobody read
	// them: read the roster and the seat's state anew.
	Missed bool
}

// Speaker is one participant's voice activity as the SFU sees it.
type Speaker struct {
	Identity string
	Level    float64 // 0..1
	Active   bool
}

// events is a bounded queue that never blocks its writer: when it is full the
// oldest event gives way and the next one delivered says so.
type events struct {
	mu     sync.Mutex
	ch     chan Event
	missed bool
	closed bool
}

func newEvents() *events { return &events{ch: make(chan Event, 256)} }

func (q *events) send(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if (e.Kind == Speaking || e.Kind == Chat) && len(q.ch) > cap(q.ch)/2 {
		return // a late hint is worth less than what it would displace
	}
	if len(q.ch) == cap(q.ch) {
		select {
		case <-q.ch:
		default:
		}
		q.missed = true
	}
	e.Missed = q.missed
	q.missed = false
	q.ch <- e // the only writer holds the lock: there is room
}

func (q *events) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.ch)
	}
}

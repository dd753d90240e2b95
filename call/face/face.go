// Package face is the side of a leg that the gateway sees, the same for all protocols:
// what the leg is, what it tells, what is wished of it, what is published to it.
//
//	stack's goroutine            Leg                   gateway
//	 Emit, End ------------> queue of events ---------> Events
//	 OpenTrack ------------> queue of tracks ---------> Tracks
//	 Change, Agreed -------> call.Info ---------------> Info
//	 Wishes <--------------- first wish to hang up <--- Hangup
//	 mail <----------------- wish with a reply <------- Ask
package face

import (
	"context"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// Sizes of queues: what comes when nobody reads is dropped.
const (
	eventsSize = 128
	tracksSize = 16
)

// Leg implements most of call.Leg for a stack that embeds it. Emit, OpenTrack, Agreed
// and End belong to the stack's goroutine; the others may be called from anywhere.
type Leg struct {
	log    *zap.Logger
	events chan call.Event
	tracks chan media.Track
	done   chan struct{}
	bye    chan call.Cause
	ended  bool

	mu        sync.Mutex
	info      call.Info
	published [media.Camera + 1]media.Track
}

// New makes the face of a leg.
func New(info call.Info, log *zap.Logger) *Leg {
	return &Leg{
		log: log, info: info,
		events: make(chan call.Event, eventsSize), tracks: make(chan media.Track, tracksSize),
		done: make(chan struct{}), bye: make(chan call.Cause, 1),
	}
}

// Info implements call.Leg.
func (f *Leg) Info() call.Info {
	f.mu.Lock()
	defer f.mu.Unlock()
	info := f.info
	info.Streams = slices.Clone(info.Streams)
	return info
}

// Change changes what Info tells.
func (f *Leg) Change(change func(*call.Info)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.info)
}

// Tracks implements media.Peer.
func (f *Leg) Tracks() <-chan media.Track { return f.tracks }

// Done implements media.Peer: it is closed with Ended.
func (f *Leg) Done() <-chan struct{} { return f.done }

// Events implements call.Leg.
func (f *Leg) Events() <-chan call.Event { return f.events }

// Hangup implements call.Leg: the first wish counts.
func (f *Leg) Hangup(cause call.Cause) error {
	select {
	case f.bye <- cause:
	default: // an earlier wish is on its way
	}
	return nil
}

// Wishes gives what Hangup was called with to the stack.
func (f *Leg) Wishes() <-chan call.Cause { return f.bye }

// Emit queues an event; when nobody reads, it is dropped, but for the last one.
func (f *Leg) Emit(ev call.Event) {
	if f.ended {
		return
	}
	if len(f.events) >= cap(f.events)-1 {
		f.log.Warn("event dropped, nobody reads", zap.Uint8("kind", uint8(ev.Kind)))
		return
	}
	f.events <- ev
}

// OpenTrack hands a track to whoever bridges the leg.
func (f *Leg) OpenTrack(t media.Track) {
	select {
	case f.tracks <- t:
	default:
		f.log.Warn("track dropped, nobody reads", zap.String("track", t.ID()))
	}
}

// End tells that the call is over, and nothing after it. No track may be opened any
// more.
func (f *Leg) End(cause call.Cause) {
	f.ended = true
	f.events <- call.Event{Kind: call.Ended, Cause: cause} // Emit keeps one place free
	close(f.events)
	close(f.tracks)
	close(f.done)
}

// Agreement is what was negotiated, as Info shows it.
type Agreement struct {
	Streams    []media.Stream
	Encryption string
	Held       bool
	MaxVideo   int
}

// Agreed takes the outcome of a negotiation, and announces what has changed, if it is
// to.
func (f *Leg) Agreed(a Agreement, announce bool) {
	f.mu.Lock()
	was := f.info.Held
	changed := !slices.Equal(f.info.Streams, a.Streams)
	f.info.Streams, f.info.Encryption, f.info.Held, f.info.MaxVideo = a.Streams, a.Encryption, a.Held, a.MaxVideo
	f.mu.Unlock()
	if !announce {
		return
	}
	if changed {
		f.Emit(call.Event{Kind: call.MediaChanged})
	}
	switch {
	case a.Held && !was:
		f.Emit(call.Event{Kind: call.Held})
	case was && !a.Held:
		f.Emit(call.Event{Kind: call.Resumed})
	}
}

// Connected tells that the call stands, on hold or not.
func (f *Leg) Connected() {
	f.Emit(call.Event{Kind: call.Connected})
	if f.Info().Held {
		f.Emit(call.Event{Kind: call.Held})
	}
}

// PublishTo publishes a track over what carries its role, nil when nothing does: one
// track per role, in place of the last.
func (f *Leg) PublishTo(ctx context.Context, carrier media.Peer, t media.Track) (func(), error) {
	if carrier == nil {
		select {
		case <-f.done:
			return nil, call.ErrEnded
		default:
			return nil, call.ErrNoCommonMedia
		}
	}
	unpublish, err := carrier.Publish(ctx, t)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.published[t.Role()] = t
	f.mu.Unlock()
	return func() {
		f.mu.Lock()
		if f.published[t.Role()] == t {
			f.published[t.Role()] = nil
		}
		f.mu.Unlock()
		unpublish()
	}, nil
}

// Refresh passes a wish for a picture on to what is published in a role.
func (f *Leg) Refresh(role media.Role) {
	f.mu.Lock()
	t := f.published[role]
	f.mu.Unlock()
	if t != nil {
		t.RequestKeyframe()
	}
}

// digits are telephone events in the media, such as those of rtpconn.Session.
type digits interface {
	SendDigits(ctx context.Context, digits string) error
}

// SendDigitsBy sends digits as telephone events where those were agreed on, else one
// after the other by signalling.
func (f *Leg) SendDigitsBy(ctx context.Context, text string, events digits, signal func(rune) error) error {
	if events != nil {
		for _, s := range f.Info().Streams {
			if s.Role == media.Audio && s.Keypad {
				return events.SendDigits(ctx, text)
			}
		}
	}
	for _, d := range text {
		if err := signal(d); err != nil {
			return err
		}
	}
	return nil
}

// Ask posts a wish of the gateway to the stack's goroutine, and waits for the outcome.
func Ask[E any](ctx context.Context, f *Leg, mail chan<- E, wish func(reply func(error)) E) error {
	outcome := make(chan error, 1)
	reply := func(err error) {
		select {
		case outcome <- err:
		default:
		}
	}
	select {
	case <-f.done:
		return call.ErrEnded
	case mail <- wish(reply):
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-outcome:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-f.done:
		select { // the outcome may have come with the end
		case err := <-outcome:
			return err
		default:
			return call.ErrEnded
		}
	}
}

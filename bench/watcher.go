package bench

import (
	"context"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// watcher is a participant that waits for slides, as a browser does.
type watcher struct {
	client *livekit.Client
	seat   *livekit.Seat
	wait   sync.WaitGroup

	mu    sync.Mutex
	first time.Time // the first picture of slides; zero: none came
}

// watchSlides joins a meeting.
func (g *gateway) watchSlides(ctx context.Context, room string) (*watcher, error) {
	client, err := livekit.New(livekit.Config{URL: g.sfuURL, APIKey: sfuKey, APISecret: sfuSecret, Node: "bench"})
	if err != nil {
		return nil, err
	}
	seat, err := client.Join(ctx, room, call.Participant{Identity: "watcher", Name: "watcher", Kind: call.Browser}, livekit.JoinOptions{Receive: true})
	if err != nil {
		_ = client.Close() // always nil
		return nil, err
	}
	w := &watcher{client: client, seat: seat}
	w.wait.Go(w.subscribe)
	w.wait.Go(w.take)
	return w, nil
}

func (w *watcher) close() {
	_ = w.seat.Close() // it ends either way
	w.wait.Wait()
	_ = w.client.Close() // always nil
}

// seen is when the first picture came; ok is false when none has.
func (w *watcher) seen() (at time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first, !w.first.IsZero()
}

func (w *watcher) subscribe() {
	for e := range w.seat.Events() {
		for _, t := range e.Participant.Tracks {
			if (e.Kind == livekit.Joined || e.Kind == livekit.Changed) && t.Role == media.Content.String() {
				w.seat.Subscribe(t.ID, livekit.Subscription{})
			}
		}
	}
}

// take waits for the first whole picture that a decoder can begin with.
func (w *watcher) take() {
	for t := range w.seat.Tracks() {
		if t.Role() != media.Content {
			continue
		}
		pictures, err := frame.NewAssembler(t.Format(), func(f frame.Frame) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.first.IsZero() && f.Keyframe {
				w.first = time.Now()
			}
		}, t.RequestKeyframe)
		if err != nil {
			continue // no codec that terminals send
		}
		t.Attach(media.WriterFunc(func(p *rtp.Packet) error { return pictures.WriteRTP(p) }))
	}
}

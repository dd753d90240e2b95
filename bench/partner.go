package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/bench/traffic"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// partner is a participant of a meeting as a browser is one: it publishes Opus,
// and H.264 where pictures are played, and takes what the others publish.
type partner struct {
	seat    *livekit.Seat
	stamps  *stamps       // of the pictures it sends
	packets atomic.Uint64 // of sound that came
	remove  []func()
	wait    sync.WaitGroup
}

// join brings a partner into a meeting.
func (st *stage) join(ctx context.Context, room, identity string, play casting) (*partner, error) {
	seat, err := st.client.Join(ctx, room, call.Participant{Identity: identity, Name: identity, Kind: call.Browser}, livekit.JoinOptions{Receive: true})
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", room, err)
	}
	p := &partner{seat: seat, stamps: newStamps()}
	p.wait.Add(2)
	go p.subscribe()
	go p.take(play)
	st.mu.Lock()
	st.partners = append(st.partners, p)
	st.mu.Unlock()
	if play.sound != nil {
		track := traffic.NewTrack("sound", media.Audio, opus)
		if _, err := seat.Publish(ctx, track); err != nil {
			return nil, fmt.Errorf("publish in %s: %w", room, err)
		}
		p.remove = append(p.remove, st.wheel.Add(playSound(play, func(payload []byte, marker bool, level uint8) {
			track.Send(payload, marker, play.sound.Step(), level)
		})))
	}
	if play.pictures {
		track := traffic.NewTrack("picture", media.Main, h264)
		seat.SetVideoSize(media.Main, 1280, 720)
		if _, err := seat.Publish(ctx, track); err != nil {
			return nil, fmt.Errorf("publish in %s: %w", room, err)
		}
		p.remove = append(p.remove, st.camera.Add(playPictures(p.stamps, track.Asked, func(payload []byte, last bool, step uint32) {
			track.Send(payload, last, step, 0)
		})))
	}
	return p, nil
}

func (p *partner) leave() {
	for _, remove := range p.remove {
		remove()
	}
	_ = p.seat.Close() // it ends either way
	p.wait.Wait()
}

// subscribe asks for every picture there is.
func (p *partner) subscribe() {
	defer p.wait.Done()
	asked := map[string]bool{}
	want := func(who call.Participant) {
		for _, t := range who.Tracks {
			if t.Role == media.Main.String() && !asked[t.ID] {
				asked[t.ID] = true
				p.seat.Subscribe(t.ID, livekit.Subscription{})
			}
		}
	}
	for _, who := range p.seat.Participants() {
		want(who)
	}
	for e := range p.seat.Events() {
		if e.Kind == livekit.Joined || e.Kind == livekit.Changed {
			want(e.Participant)
		}
	}
}

// take counts and shows what comes.
func (p *partner) take(play casting) {
	defer p.wait.Done()
	for t := range p.seat.Tracks() {
		look := play.seen
		if t.Role() == media.Audio {
			look = play.heard
		}
		t.Attach(media.WriterFunc(func(packet *rtp.Packet) error {
			if t.Role() == media.Audio {
				p.packets.Add(1)
			}
			if look != nil {
				look(time.Now(), packet.Payload)
			}
			return nil
		}))
	}
}

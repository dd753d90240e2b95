package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// sfu gives the LiveKit client the shape the gateway's bridges ask for.
type sfu struct {
	client *livekit.Client
	// codecs of pictures that legs can be shown, as they are or transcoded;
	// nil: H.264.
	codecs func() []media.Codec
	// simulcast is whether pictures of legs can be published in two sizes; nil: they cannot.
	simulcast func() bool
}

func (s sfu) video() []media.Codec {
	if s.codecs == nil {
		return nil
	}
	return s.codecs()
}

var (
	_ bridge.SFU       = sfu{}
	_ gateway.SFUAdmin = sfu{}

	_ gateway.ShareStopper = sfu{}
	_ gateway.Noter        = sfu{}
	_ gateway.TicketReader = sfu{}
	_ gateway.Describer    = sfu{}
	_ gateway.Messenger    = sfu{}
)

// Join implements bridge.SFU.
func (s sfu) Join(ctx context.Context, room string, who call.Participant, receive bool, events func(bridge.Event)) (bridge.Seat, error) {
	seat, err := s.client.Join(ctx, room, who, livekit.JoinOptions{
		Receive: receive, Video: s.video(), Simulcast: s.simulcast != nil && s.simulcast(),
	})
	if err != nil {
		return nil, err
	}
	adapted := &sfuSeat{Seat: seat, receives: receive}
	adapted.wait.Add(1)
	go func() {
		defer adapted.wait.Done()
		forward(seat.Events(), seat.Err, events)
	}()
	return adapted, nil
}

// Receive implements bridge.SFU.
func (s sfu) Receive(ctx context.Context, room string, low bool, events func(bridge.Event)) (bridge.Receiver, error) {
	options := livekit.ReceiveOptions{Quality: livekit.High, Video: s.video()}
	if low {
		options.Quality, options.NoAudio = livekit.Low, true
	}
	r, err := s.client.Receive(ctx, room, options)
	if err != nil {
		return nil, err
	}
	adapted := &sfuReceiver{source: r, quality: options.Quality, leave: r.Close}
	adapted.wait.Add(1)
	go func() {
		defer adapted.wait.Done()
		forward(r.Events(), r.Err, events)
	}()
	return adapted, nil
}

// Permanent implements bridge.SFU.
func (sfu) Permanent(err error) *call.Cause {
	for _, target := range []error{livekit.ErrRefused, livekit.ErrRoomFull, livekit.ErrNoRoom, livekit.ErrRemoved, livekit.ErrRoomClosed, livekit.ErrReplaced} {
		if errors.Is(err, target) {
			cause := livekit.Cause(err)
			return &cause
		}
	}
	return nil
}

// forward passes a seat's or a receiver's events on until they end.
func forward(from <-chan livekit.Event, reason func() error, to func(bridge.Event)) {
	for e := range from {
		switch e.Kind {
		case livekit.Muted:
			to(bridge.Event{Kind: bridge.SeatMuted, Role: e.Role, On: e.On})
		case livekit.Unpublished:
			to(bridge.Event{Kind: bridge.SeatUnpublished, Role: e.Role})
		case livekit.Narrow:
			to(bridge.Event{Kind: bridge.SeatNarrow, Role: e.Role, Bitrate: e.Bitrate})
		case livekit.SmallWanted:
			to(bridge.Event{Kind: bridge.SeatSmall, Role: e.Role, On: e.On})
		case livekit.Reconnecting:
			to(bridge.Event{Kind: bridge.LinkLost})
		case livekit.Reconnected:
			to(bridge.Event{Kind: bridge.LinkBack})
		case livekit.Ended:
			to(bridge.Event{Kind: bridge.SeatEnded, Cause: livekit.Cause(reason())})
		case livekit.Described:
			to(bridge.Event{Kind: bridge.MeetingDescribed, Text: e.Metadata})
		case livekit.Chat:
			to(bridge.Event{Kind: bridge.Chatted, ID: e.Chat.ID, Text: e.Chat.Text, Participant: call.Participant{Identity: e.Chat.Identity}})
		case livekit.Joined, livekit.Changed, livekit.Left:
			to(bridge.Event{Kind: bridge.RosterChange, Participant: e.Participant, Gone: e.Kind == livekit.Left})
		case livekit.Recorded:
			to(bridge.Event{Kind: bridge.MeetingRecorded, On: e.On})
		}
	}
}

// sfuSeat is a seat whose events are followed until it has left.
type sfuSeat struct {
	*livekit.Seat
	receives bool
	wait     sync.WaitGroup
}

// Leave implements bridge.Seat.
func (s *sfuSeat) Leave() {
	s.Seat.Close()
	s.wait.Wait()
}

// Receiver implements bridge.Receiving.
func (s *sfuSeat) Receiver() bridge.Receiver {
	if !s.receives {
		return nil
	}
	return &sfuReceiver{source: s.Seat, leave: s.Seat.StopReceiving}
}

// remote is the receiving side of a seat or a receiver.
type remote interface {
	Tracks() <-chan media.Track
	Participants() []call.Participant
	Subscribe(trackID string, s livekit.Subscription)
	Unsubscribe(trackID string)
}

// sfuReceiver is the receiving side as the bridge sees it.
type sfuReceiver struct {
	source  remote
	quality livekit.Quality
	leave   func() error
	wait    sync.WaitGroup
}

func (r *sfuReceiver) Tracks() <-chan media.Track { return r.source.Tracks() }

func (r *sfuReceiver) Roster() []call.Participant { return r.source.Participants() }

func (r *sfuReceiver) Subscribe(trackID string, on bool) {
	if on {
		r.source.Subscribe(trackID, livekit.Subscription{Quality: qualityOf(trackID, r.quality, r.source.Participants())})
		return
	}
	r.source.Unsubscribe(trackID)
}

// qualityOf is the quality in which a track is taken. The small size of a leg on another node
// is made for tiles: a terminal that takes no large pictures is better served by what our own
// worker makes of the large one.
func qualityOf(trackID string, q livekit.Quality, all []call.Participant) livekit.Quality {
	for _, p := range all {
		isOf := func(t call.ParticipantTrack) bool { return t.ID == trackID }
		if p.Attributes[call.AttrLeg] != "" && slices.ContainsFunc(p.Tracks, isOf) {
			return livekit.High
		}
	}
	return q
}

// Leave implements bridge.Receiver.
func (r *sfuReceiver) Leave() {
	_ = r.leave() // it ends either way
	r.wait.Wait()
}

// hostTime is how long a host's ticket moderates a meeting.
const hostTime = 12 * time.Hour

// ReadTicket implements gateway.TicketReader.
func (s sfu) ReadTicket(token string) (room, identity, role string, err error) {
	return s.client.ReadToken(token)
}

// Token implements gateway.SFUAdmin.
func (s sfu) Token(_ context.Context, room, identity, name, role string) (url, token string, err error) {
	var ttl time.Duration // the usual
	if role == call.RoleHost {
		ttl = hostTime
	}
	token, err = s.client.Token(livekit.TokenOptions{Room: room, Identity: identity, Name: name, Role: role, TTL: ttl})
	return s.client.PublicURL(), token, err
}

// Participants implements gateway.SFUAdmin.
func (s sfu) Participants(ctx context.Context, room string) ([]call.Participant, error) {
	rows, err := s.client.Participants(ctx, room)
	if errors.Is(err, livekit.ErrNoRoom) {
		return nil, nil // nobody has been there yet
	}
	return rows, err
}

// Remove implements gateway.SFUAdmin.
func (s sfu) Remove(ctx context.Context, room, identity string) error {
	return notFound(s.client.Remove(ctx, room, identity))
}

// Mute implements gateway.SFUAdmin.
func (s sfu) Mute(ctx context.Context, room, identity string, muted bool) error {
	return notFound(s.client.Mute(ctx, room, identity, media.Audio, muted))
}

// Note implements gateway.Noter.
func (s sfu) Note(ctx context.Context, room, member string, value any) error {
	return notFound(s.client.Note(ctx, room, member, value))
}

// StopSharing implements gateway.ShareStopper.
func (s sfu) StopSharing(ctx context.Context, room, identity string) error {
	return notFound(s.client.StopSharing(ctx, room, identity))
}

// Describe implements gateway.Describer.
func (s sfu) Describe(ctx context.Context, room, identity, name string, attributes map[string]string) error {
	return notFound(s.client.UpdateParticipant(ctx, room, identity, name, attributes))
}

// Tell implements gateway.Messenger.
func (s sfu) Tell(ctx context.Context, room, identity, topic string, message []byte) error {
	return notFound(s.client.Tell(ctx, room, identity, topic, message))
}

func notFound(err error) error {
	if errors.Is(err, livekit.ErrNoRoom) {
		return gateway.ErrNoParticipant
	}
	return err
}

// CloseRoom implements gateway.SFUAdmin.
func (s sfu) CloseRoom(ctx context.Context, room string) error {
	err := s.client.DeleteRoom(ctx, room)
	if errors.Is(err, livekit.ErrNoRoom) {
		return nil
	}
	return err
}

// Healthy implements gateway.SFUAdmin.
func (s sfu) Healthy(ctx context.Context) bool { return s.client.Healthy(ctx) == nil }

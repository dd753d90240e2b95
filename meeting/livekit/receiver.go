package livekit

import (
	"context"
	"errors"
	"time"

	"github.com/livekit/protocol/livekit"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// Quality is a class of simulcast layers.
type Quality uint8

// Qualities. A stream of one layer is the same in all.
const (
	High Quality = iota
	Medium
	Low
)

func (q Quality) String() string {
	switch q {
	case Low:
		return "low"
	case Medium:
		return "medium"
	}
	return "high"
}

// ReceiveOptions modify a receiver.
type ReceiveOptions struct {
	// Quality is what is subscribed to unless Subscribe says otherwise, and
	// part of the receiver's identity: one receiver per room, node and class.
	Quality Quality
	// Video lists the codecs that can be decoded or passed on; nil means H264.
	Video []media.Codec
	// NoAudio leaves the audio to another receiver of the same room.
	NoAudio bool
	// BeforeRejoin is as in JoinOptions.
	BeforeRejoin func(ctx context.Context) error
}

// Subscription is what is wanted of a video track. With Width and Height the
// layer that fits is sent, otherwise that of Quality.
type Subscription struct {
	Quality       Quality
	Width, Height int
	FPS           int // 0 = all
}

// ParticipantTrack is a track that knows who publishes it.
type ParticipantTrack interface {
	media.Track
	// Participant is a snapshot of the publisher.
	Participant() call.Participant
}

// Receiver takes what the others in a room publish, unseen by them. The audio
// of all is subscribed to from the start, video on demand.
//
// The level of audio (media.AudioLevelID) is passed on where the SFU sends it.
// LiveKit 1.13 uses the level publishers send for its own speaker detection
// and does not forward it: without it, measure the decoded sound.
type Receiver struct {
	*link
	*reception
}

// Receive joins room as this node's hidden receiver.
func (c *Client) Receive(ctx context.Context, room string, o ReceiveOptions) (*Receiver, error) {
	if room == "" {
		return nil, errors.New("livekit: receive: room is required")
	}
	r := &Receiver{}
	identity := "roomgate-" + c.config.Node + "-" + o.Quality.String()
	r.link = &link{
		client: c, room: room, identity: identity, receive: true, before: o.BeforeRejoin, member: r,
		token: func() (string, error) { return c.receiverToken(room, identity) },
	}
	r.reception = newReception(r.link, o.Video, o.Quality, o.NoAudio)
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Receiver) began(s *session) { r.reception.began(s) }

func (r *Receiver) restore(context.Context, *session) error { return nil }

func (r *Receiver) handle(s *session, m *livekit.SignalResponse) { r.reception.handle(s, m) }

func (r *Receiver) tick(s *session, now time.Time) { r.reception.tick(s, now) }

func (r *Receiver) broke(_ *session, final bool) { r.reception.broke(final) }

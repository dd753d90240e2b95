package livekit

import (
	"context"

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
type Receiver struct {
	*link
	*reception
}

// Receive joins room as this node's hidden receiver.
func (c *Client) Receive(ctx context.Context, room string, o ReceiveOptions) (*Receiver, error) {
	panic("incomplete")
}

// Tracks delivers remote tracks as their media arrives, each a
// ParticipantTrack; closed when the receiver has ended.
func (r *reception) Tracks() <-chan media.Track { panic("incomplete") }

// Participants is the roster: everybody but hidden ones and ourselves, our
// node's other legs included.
func (r *reception) Participants() []call.Participant { panic("incomplete") }

// Subscribe asks for a video track by its ID, or changes what is asked for.
// The track opens on Tracks when its first packet has come.
func (r *reception) Subscribe(trackID string, s Subscription) { panic("incomplete") }

// Unsubscribe gives a track up; it ends.
func (r *reception) Unsubscribe(trackID string) { panic("incomplete") }

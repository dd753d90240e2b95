package bridge

import (
	"context"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
)

// Codecs makes the audio coders of a bridge.
type Codecs = mixer.Codecs

// SFU is the meeting side as the bridge needs it. Both calls return when media
// can flow, and may be retried after an error for which Permanent is nil.
type SFU interface {
	// Join takes a seat for a leg. With receive the seat also gets what others
	// send, and is a Receiver. events is called in order and must not block.
	Join(ctx context.Context, room string, who call.Participant, receive bool, events func(Event)) (Seat, error)
	// Receive joins hidden, to receive only. low asks for the low simulcast
	// layer of every video.
	Receive(ctx context.Context, room string, low bool, events func(Event)) (Receiver, error)
	// Permanent is the cause a leg ends with when err cannot go away by
	// trying again, otherwise nil.
	Permanent(err error) *call.Cause
}

// Seat is one participant that publishes.
type Seat interface {
	media.Peer
	// SetMuted tells the meeting that the stream is muted.
	SetMuted(role media.Role, muted bool)
	// SetVideoSize tells the meeting the size of the pictures.
	SetVideoSize(role media.Role, width, height int)
	// Leave ends the seat and waits.
	Leave()
}

// Receiver delivers remote tracks. Its tracks are RemoteTracks. Sound comes
// unasked, pictures after Subscribe.
type Receiver interface {
	Tracks() <-chan media.Track
	Roster() []call.Participant
	Subscribe(trackID string, on bool)
	// Leave ends receiving and waits. A Seat that receives goes on publishing.
	Leave()
}

// Receiving is a Seat that was joined with receive.
type Receiving interface{ Receiver() Receiver }

// RemoteTrack is a track of somebody else in the meeting. Its ID is that of
// the participant's track in the roster.
type RemoteTrack interface {
	media.Track
	Participant() call.Participant
}

// EventKind tells the SFU's events apart.
type EventKind uint8

// Events of a seat or a receiver.
const (
	SeatMuted        EventKind = iota + 1 // a moderator muted (On) or unmuted Role
	LinkLost                              // the link broke, it is being renewed
	LinkBack                              // media flows again
	SeatEnded                             // for good; Cause
	RosterChange                          // Participant came or changed; Gone: left
	SeatUnpublished                       // the meeting stopped what the seat publishes in Role
	SeatNarrow                            // the way to the meeting carries Bitrate of what the seat publishes in Role
	SeatSmall                             // somebody wants what the seat publishes in Role small (On), or nobody does any more
	MeetingRecorded                       // the meeting is recorded (On), or not any more
	MeetingDescribed                      // what the meeting server keeps about the meeting is Text
	Chatted                               // Participant, of whom the identity is known, wrote Text to all; ID tells it from others
)

// Event is something the SFU says.
type Event struct {
	Kind        EventKind
	Role        media.Role
	On          bool
	Gone        bool
	Participant call.Participant
	Cause       call.Cause
	ID, Text    string // of Chatted
	Bitrate     int    // of SeatNarrow, bit/s; 0: all of it
}

// NoticeKind tells notices apart.
type NoticeKind uint8

// What a bridge tells its owner.
const (
	Speaking         NoticeKind = iota + 1 // Identity is the active speaker
	Joined                                 // Participant came
	Left                                   // Participant went
	MutedByMeeting                         // a moderator muted (On) or unmuted the leg Identity
	RemovedByMeeting                       // the meeting ended the seat of Identity; Cause
	MeetingLost                            // the SFU does not answer
	MeetingBack                            // it does again
	Presenting                             // Identity presents; "" is nobody
	PresentingWanted                       // Identity wants to, and waits for a yes; "" is nobody any more
	PresentingKeyed                        // the leg Identity, that has asked by a key, presents (On) or does not (any more)
	Recording                              // the meeting is recorded (On), or not any more
	Described                              // what the meeting server keeps about the meeting is Text
	Seated                                 // the meeting let the leg Identity in
	Spotlit                                // Identity is shown to all in the place of the speaker (On), or not any more
	StopSharing                            // the share of Identity, which is no leg of ours, has to stop
)

// Notice is something the owner of a bridge wants to know.
type Notice struct {
	Kind        NoticeKind
	Identity    string
	On          bool
	Participant call.Participant
	Cause       call.Cause
	Text        string
}

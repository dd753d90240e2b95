// Package media holds the words that everything carrying sound or pictures
// shares: formats, tracks, peers. It is a leaf: it imports pion/rtp and the
// standard library only.
//
// # Packets between stages
//
// Stages hand *rtp.Packet to the next Writer. A packet belongs to the caller
// and may be changed by it as soon as WriteRTP returns; whoever needs it longer
// copies it. SSRC and payload type mean nothing between stages: the stage that
// sends on a wire sets its own. Sequence number, timestamp and marker are those
// of the stream and continue through a change of source. The only header
// extension that travels between stages is the audio level of RFC 6464, under
// the fixed identifier AudioLevelID; the stages at the wire map it to what was
// negotiated, or drop it.
package media

import (
	"context"
	"time"

	"github.com/pion/rtp"
)

// AudioLevelID is the header extension identifier under which the RFC 6464
// audio level (one byte: voice bit and 0..127 -dBov) travels between stages.
const AudioLevelID = 1

// Writer takes the packets of one stream.
type Writer interface {
	// WriteRTP consumes p before it returns and must not keep it.
	WriteRTP(p *rtp.Packet) error
}

// WriterFunc lets a function be a Writer.
type WriterFunc func(p *rtp.Packet) error

// WriteRTP calls f.
func (f WriterFunc) WriteRTP(p *rtp.Packet) error { return f(p) }

// Track is one stream flowing out of a peer.
type Track interface {
	// ID names the track uniquely within its peer.
	ID() string
	Role() Role
	// Format is the codec as it is on this track; the payload type is
	// meaningless outside the peer.
	Format() Format
	// Attach adds a consumer. Each consumer gets every packet, in order of
	// arrival (not of sequence). Detach returns after the last WriteRTP to w
	// has returned, and may be called more than once.
	Attach(w Writer) (detach func())
	// RequestKeyframe asks the source for an IDR; coalesced and rate-limited
	// at the source, and a no-op for audio.
	RequestKeyframe()
	// Done is closed when the track has ended.
	Done() <-chan struct{}
}

// BitrateTaker is a Track whose source can be told what a receiver can take
// (REMB, TMMBR, H.245 flowControlCommand, b=TIAS).
type BitrateTaker interface {
	// TakeBitrate sets the upper bound in bit/s; 0 lifts it.
	TakeBitrate(bps int)
}

// SenderReporter is a Track that knows the wall clock of its timestamps from
// RTCP sender reports (RFC 3550 §6.4.1).
type SenderReporter interface {
	// NTP gives the wall clock (NTP 64-bit format) at an RTP timestamp of this
	// track, once a sender report was seen.
	NTP() (ntp uint64, rtpTime uint32, ok bool)
}

// Delayer is a Track that knows how long its media is held up between its arrival here
// and being handed on. Sender reports make up for it, so that sound that waits in
// buffers and a picture that does not stay together.
type Delayer interface {
	Delay() time.Duration
}

// Peer is anything media can be bridged to: a leg, a seat in a meeting.
type Peer interface {
	// Tracks delivers tracks as they open; it is closed when the peer is done.
	Tracks() <-chan Track
	// Publish sends t to the peer, in place of what was published before in
	// the same role (a leg sends one stream per role). t.Format must be one
	// the peer has agreed to take, see Stream.Send. The peer passes keyframe
	// requests and bandwidth limits of the far side on to t. unpublish is
	// idempotent and returns when t is detached.
	Publish(ctx context.Context, t Track) (unpublish func(), err error)
	Done() <-chan struct{}
}

// Role says what a stream is for.
type Role uint8

// The roles. Content is the second video: slides, a shared screen. Camera is no
// medium to see or hear: it carries the control of cameras (H.224) between the two
// ends of a leg, and never leaves it.
const (
	Audio Role = iota
	Main
	Content
	Camera
)

func (r Role) String() string {
	switch r {
	case Audio:
		return "audio"
	case Main:
		return "video"
	case Content:
		return "content"
	case Camera:
		return "camera"
	}
	return "unknown"
}

// Direction of a stream as we see it: SendOnly means we send.
type Direction uint8

// Directions, RFC 3264 §5.1.
const (
	Inactive Direction = iota
	SendOnly
	RecvOnly
	SendRecv
)

// Sends reports whether we send.
func (d Direction) Sends() bool { return d == SendOnly || d == SendRecv }

// Receives reports whether we receive.
func (d Direction) Receives() bool { return d == RecvOnly || d == SendRecv }

// Reverse is the direction as the other side sees it.
func (d Direction) Reverse() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	}
	return d
}

func (d Direction) String() string {
	switch d {
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	case SendRecv:
		return "sendrecv"
	}
	return "inactive"
}

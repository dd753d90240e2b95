package livekit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/livekit/protocol/livekit"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// JoinOptions modify how a seat joins.
type JoinOptions struct {
	// Receive also takes what the others publish on the seat's own
	// connection, as a Receiver does: for a meeting with one leg on the node.
	Receive bool
	// Video lists the video codecs to receive; nil means H264 alone.
	Video []media.Codec
	// Quality is what is subscribed to unless Subscribe says otherwise.
	Quality Quality
	// Simulcast announces the main picture in two sizes; see OfferSmall.
	Simulcast bool
	// BeforeRejoin runs before each attempt to join again after the link
	// broke, e.g. to create the room with its settings. An error is logged.
	BeforeRejoin func(ctx context.Context) error
}

// Seat is a leg's place in a meeting: an SFU participant that publishes the
// leg's sound and pictures. It is a media.Peer.
type Seat struct {
	*link
	*reception
	publishing *publishing
	identity   string
}

var _ media.Peer = (*Seat)(nil)

// Join takes a seat in room as participant p, whose Identity must be unique in
// the room and should stay the same for the life of the leg. It returns when
// the SFU has let it in: nothing is published yet.
func (c *Client) Join(ctx context.Context, room string, p call.Participant, o JoinOptions) (*Seat, error) {
	if room == "" || p.Identity == "" {
		return nil, errors.New("livekit: join: room and identity are required")
	}
	s := &Seat{identity: p.Identity}
	s.link = &link{
		client: c, room: room, identity: p.Identity, receive: o.Receive, before: o.BeforeRejoin, member: s,
		token: func() (string, error) { return c.seatToken(room, p, o.Receive) },
	}
	s.publishing = newPublishing(s.link, o.Simulcast)
	s.reception = newReception(s.link, o.Video, o.Quality, false)
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Seat) began(on *session) {
	if s.receive {
		s.reception.began(on)
	}
}

func (s *Seat) restore(ctx context.Context, on *session) error { return s.publishing.restore(ctx, on) }

func (s *Seat) handle(on *session, m *livekit.SignalResponse) {
	s.publishing.handle(on, m)
	if s.receive {
		s.reception.handle(on, m)
	}
}

func (s *Seat) tick(on *session, now time.Time) {
	s.publishing.tick(on, now)
	if s.receive {
		s.reception.tick(on, now)
	}
}

func (s *Seat) broke(_ *session, final bool) {
	s.publishing.broke(final)
	s.reception.broke(final)
}

// StopReceiving gives up what the seat receives, because a Receiver does so for
// the whole node now. Publishing and the roster go on.
func (s *Seat) StopReceiving() error {
	s.reception.pause()
	return nil
}

// Identity is the participant's identity.
func (s *Seat) Identity() string { return s.identity }

// Publishes reports whether the room lets a codec be published. Servers that do not say
// let all.
func (s *Seat) Publishes(codec media.Codec) bool {
	on := s.attempt()
	if on == nil || len(on.joined.GetEnabledPublishCodecs()) == 0 {
		return true
	}
	parameters, _ := wireCodec(codec)
	return slices.ContainsFunc(on.joined.GetEnabledPublishCodecs(), func(c *livekit.Codec) bool {
		return strings.EqualFold(c.GetMime(), parameters.MimeType)
	})
}

// Publish sends t in place of what was published in the same role. Audio is
// Opus, PCMU or PCMA; Main and Content are H264 or VP8, H264 announced as Constrained
// Baseline 3.1, packetization-mode 1, whatever the profile. It returns when
// the SFU has agreed, or with ErrFormat, ErrNotPermitted, or the reason the
// seat ended. While the link is being renewed it waits for it.
//
// Video is attached to only while somebody subscribes; see Wanted.
func (s *Seat) Publish(ctx context.Context, t media.Track) (unpublish func(), err error) {
	return s.publishing.publish(ctx, t)
}

// SetMuted tells the meeting that the leg's stream of a role is muted, and
// stops sending it. It holds for later publications of the role too.
func (s *Seat) SetMuted(role media.Role, muted bool) { s.publishing.setMuted(role, muted) }

// Muted reports whether the stream of a role is muted, by either side.
func (s *Seat) Muted(role media.Role) bool { return s.publishing.isMuted(role) }

// Wanted reports whether somebody subscribes to our video of a role.
func (s *Seat) Wanted(role media.Role) bool { return s.publishing.isWanted(role) }

// OfferSmall says whether there can be a small size of what is published in a role, with
// SmallWanted telling when somebody wants it. Until there is one, and where there is none,
// everybody gets the large one.
func (s *Seat) OfferSmall(role media.Role, on bool) { s.publishing.offerSmall(role, on) }

// SetSmall gives the small size of what is published in a role, in the same codec, about
// 320x180; nil takes it away.
func (s *Seat) SetSmall(role media.Role, t media.Track) { s.publishing.setSmall(role, t) }

// OthersChanged says that somebody has gone from the room, or come, who may have wanted the
// small size, or want it: seats that do not receive are not told by the SFU.
func (s *Seat) OthersChanged(gone bool) { s.publishing.othersChanged(gone) }

// SetVideoSize tells subscribers the size of the pictures of a role, which
// they use to choose among streams.
func (s *Seat) SetVideoSize(role media.Role, width, height int) {
	s.publishing.setSize(role, width, height)
}

// Stats counts what was published, per role.
func (s *Seat) Stats() []media.StreamStats { return s.publishing.stats() }

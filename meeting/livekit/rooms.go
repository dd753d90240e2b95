package livekit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"
	"google.golang.org/protobuf/proto"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// Room is a meeting on the SFU.
type Room struct {
	Name     string
	Metadata string
	// MaxParticipants counts seats and browsers, not our receivers; 0 = any.
	MaxParticipants int
	// EmptyTimeout closes a room nobody joined, DepartureTimeout one that
	// everybody left; whole seconds, 0 = the server's default.
	EmptyTimeout, DepartureTimeout time.Duration
	// Read-only: how many are in it, and since when it exists.
	Participants int
	Created      time.Time
	// Recording is set by recorders in the room.
	Recording bool
}

// CreateRoom makes a room, or updates the settings of one that exists.
func (c *Client) CreateRoom(ctx context.Context, r Room) (Room, error) {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomCreate: true})
	if err != nil {
		return Room{}, err
	}
	got, err := c.rooms.CreateRoom(ctx, &livekit.CreateRoomRequest{
		Name: r.Name, Metadata: r.Metadata, MaxParticipants: uint32(max(r.MaxParticipants, 0)),
		EmptyTimeout: uint32(r.EmptyTimeout / time.Second), DepartureTimeout: uint32(r.DepartureTimeout / time.Second),
	})
	if err != nil {
		return Room{}, serviceError("create room", err)
	}
	return roomOf(got), nil
}

// Rooms lists the rooms with these names, or all.
func (c *Client) Rooms(ctx context.Context, names ...string) ([]Room, error) {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomList: true})
	if err != nil {
		return nil, err
	}
	got, err := c.rooms.ListRooms(ctx, &livekit.ListRoomsRequest{Names: names})
	if err != nil {
		return nil, serviceError("list rooms", err)
	}
	rooms := make([]Room, 0, len(got.GetRooms()))
	for _, r := range got.GetRooms() {
		rooms = append(rooms, roomOf(r))
	}
	return rooms, nil
}

// DeleteRoom ends a room; everybody in it is told that it closed.
func (c *Client) DeleteRoom(ctx context.Context, room string) error {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomCreate: true})
	if err != nil {
		return err
	}
	_, err = c.rooms.DeleteRoom(ctx, &livekit.DeleteRoomRequest{Room: room})
	return serviceError("delete room", err)
}

// Participants lists who is in a room, without hidden ones.
func (c *Client) Participants(ctx context.Context, room string) ([]call.Participant, error) {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room})
	if err != nil {
		return nil, err
	}
	got, err := c.rooms.ListParticipants(ctx, &livekit.ListParticipantsRequest{Room: room})
	if err != nil {
		return nil, serviceError("list participants", err)
	}
	participants := make([]call.Participant, 0, len(got.GetParticipants()))
	for _, info := range got.GetParticipants() {
		if p := participantOf(info); !p.Hidden {
			participants = append(participants, p)
		}
	}
	return participants, nil
}

// Remove throws a participant out.
func (c *Client) Remove(ctx context.Context, room, identity string) error {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room})
	if err != nil {
		return err
	}
	_, err = c.rooms.RemoveParticipant(ctx, &livekit.RoomParticipantIdentity{Room: room, Identity: identity})
	return serviceError("remove participant", err)
}

// MuteTrack mutes or, where the server allows it, unmutes one track.
func (c *Client) MuteTrack(ctx context.Context, room, identity, trackID string, muted bool) error {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room})
	if err != nil {
		return err
	}
	_, err = c.rooms.MutePublishedTrack(ctx, &livekit.MuteRoomTrackRequest{Room: room, Identity: identity, TrackSid: trackID, Muted: muted})
	return serviceError("mute track", err)
}

// Mute mutes or unmutes every track of a participant that has the role.
func (c *Client) Mute(ctx context.Context, room, identity string, role media.Role, muted bool) error {
	admin, err := c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room})
	if err != nil {
		return err
	}
	info, err := c.rooms.GetParticipant(admin, &livekit.RoomParticipantIdentity{Room: room, Identity: identity})
	if err != nil {
		return serviceError("get participant", err)
	}
	for _, t := range participantOf(info).Tracks {
		if t.Role != role.String() || t.Muted == muted {
			continue
		}
		if err := c.MuteTrack(ctx, room, identity, t.ID, muted); err != nil {
			return err
		}
	}
	return nil
}

// UpdateParticipant changes a participant's name (unless empty) and merges
// attributes; an empty value deletes its key.
func (c *Client) UpdateParticipant(ctx context.Context, room, identity, name string, attributes map[string]string) error {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room})
	if err != nil {
		return err
	}
	_, err = c.rooms.UpdateParticipant(ctx, &livekit.UpdateParticipantRequest{Room: room, Identity: identity, Name: name, Attributes: attributes})
	return serviceError("update participant", err)
}

// ErrMetadata is returned for a room whose metadata is not ours to change.
var ErrMetadata = errors.New("livekit: the room's metadata is no JSON object")

// Note sets a member of the JSON object that a room's metadata is, and leaves those of
// others. Whoever receives in the room is told (Described).
func (c *Client) Note(ctx context.Context, room, member string, value any) error {
	rooms, err := c.Rooms(ctx, room)
	if err != nil {
		return err
	}
	if len(rooms) == 0 {
		return ErrNoRoom
	}
	all := map[string]json.RawMessage{}
	if text := rooms[0].Metadata; text != "" && (json.Unmarshal([]byte(text), &all) != nil || all == nil) { // null makes it nil
		return ErrMetadata
	}
	if all[member], err = json.Marshal(value); err != nil {
		return err
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if ctx, err = c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room}); err != nil {
		return err
	}
	_, err = c.rooms.UpdateRoomMetadata(ctx, &livekit.UpdateRoomMetadataRequest{Room: room, Metadata: string(text)})
	return serviceError("note in room", err)
}

// Tell sends a message to one participant, reliably.
func (c *Client) Tell(ctx context.Context, room, identity, topic string, message []byte) error {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room})
	if err != nil {
		return err
	}
	_, err = c.rooms.SendData(ctx, &livekit.SendDataRequest{
		Room: room, Data: message, Kind: livekit.DataPacket_RELIABLE, DestinationIdentities: []string{identity}, Topic: &topic,
	})
	return serviceError("send data", err)
}

// StopSharing ends the screen share of a participant, sound and all: the right to share
// is taken, whereupon the server unpublishes it, and given back.
func (c *Client) StopSharing(ctx context.Context, room, identity string) error {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room})
	if err != nil {
		return err
	}
	who, err := c.rooms.GetParticipant(ctx, &livekit.RoomParticipantIdentity{Room: room, Identity: identity})
	if err != nil {
		return serviceError("get participant", err)
	}
	before := who.GetPermission()
	if before == nil {
		return nil // it has none to take
	}
	without := proto.Clone(before).(*livekit.ParticipantPermission)
	without.CanPublishSources = slices.DeleteFunc(sourcesOf(before), func(s livekit.TrackSource) bool {
		return s == livekit.TrackSource_SCREEN_SHARE || s == livekit.TrackSource_SCREEN_SHARE_AUDIO
	})
	for _, p := range []*livekit.ParticipantPermission{without, before} {
		if _, err := c.rooms.UpdateParticipant(ctx, &livekit.UpdateParticipantRequest{Room: room, Identity: identity, Permission: p}); err != nil {
			return serviceError("update participant", err)
		}
	}
	return nil
}

// sourcesOf are what a permission allows to publish; an empty list allows all.
func sourcesOf(p *livekit.ParticipantPermission) []livekit.TrackSource {
	if list := p.GetCanPublishSources(); len(list) > 0 {
		return slices.Clone(list)
	}
	return []livekit.TrackSource{
		livekit.TrackSource_CAMERA, livekit.TrackSource_MICROPHONE, livekit.TrackSource_SCREEN_SHARE, livekit.TrackSource_SCREEN_SHARE_AUDIO,
	}
}

// UpdateMetadata replaces the room's metadata.
func (c *Client) UpdateMetadata(ctx context.Context, room, metadata string) error {
	ctx, err := c.authorize(ctx, &auth.VideoGrant{RoomAdmin: true, Room: room})
	if err != nil {
		return err
	}
	_, err = c.rooms.UpdateRoomMetadata(ctx, &livekit.UpdateRoomMetadataRequest{Room: room, Metadata: metadata})
	return serviceError("update room", err)
}

// authorize puts a token with just this grant on the request.
func (c *Client) authorize(ctx context.Context, grant *auth.VideoGrant) (context.Context, error) {
	token, err := c.serviceToken(grant)
	if err != nil {
		return nil, err
	}
	ctx, err = twirp.WithHTTPRequestHeaders(ctx, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		return nil, fmt.Errorf("livekit: %w", err)
	}
	return ctx, nil
}

// serviceError names the request and says a missing room or participant as
// ErrNoRoom, a refused token as ErrRefused.
func serviceError(what string, err error) error {
	if err == nil {
		return nil
	}
	var answer twirp.Error
	if errors.As(err, &answer) {
		switch answer.Code() {
		case twirp.NotFound:
			return fmt.Errorf("livekit: %s: %w: %s", what, ErrNoRoom, answer.Msg())
		case twirp.Unauthenticated, twirp.PermissionDenied:
			return fmt.Errorf("livekit: %s: %w: %s", what, ErrRefused, answer.Msg())
		}
	}
	return fmt.Errorf("livekit: %s: %w", what, err)
}

func roomOf(r *livekit.Room) Room {
	return Room{
		Name: r.GetName(), Metadata: r.GetMetadata(), MaxParticipants: int(r.GetMaxParticipants()),
		EmptyTimeout: time.Duration(r.GetEmptyTimeout()) * time.Second, DepartureTimeout: time.Duration(r.GetDepartureTimeout()) * time.Second,
		Participants: int(r.GetNumParticipants()), Created: time.Unix(r.GetCreationTime(), 0), Recording: r.GetActiveRecording(),
	}
}

// roomTransport sends each request to where the SFU is now.
type roomTransport struct{ client *Client }

// newRoomService makes the Twirp client; its base is a placeholder that
// roomTransport replaces by the address in force.
func newRoomService(c *Client) livekit.RoomService {
	return livekit.NewRoomServiceProtobufClient("http://sfu", roomTransport{c})
}

func (t roomTransport) Do(req *http.Request) (*http.Response, error) {
	base, err := parseURL(t.client.config.URLFunc())
	if err != nil {
		return nil, err
	}
	req.URL.Scheme, req.URL.Host, req.URL.Path = httpScheme(base.Scheme), base.Host, base.Path+req.URL.Path
	req.Host = base.Host
	return t.client.http.Do(req)
}

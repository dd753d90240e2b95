package livekit

import (
	"fmt"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"github.com/roomgate/roomgate/call"
)

// TokenOptions describe a browser's way into a room.
type TokenOptions struct {
	Room     string
	Identity string // unique in the room
	Name     string
	// Role is call.RoleHost, who may moderate (mute, remove), or
	// call.RoleGuest. It also travels as the attribute AttrRole.
	Role       string
	Attributes map[string]string
	// TTL is how long the token may be used to join; default 1 h. The SFU
	// renews it while the participant is in the room.
	TTL time.Duration
}

// AttrRole is the attribute under which a participant's role is shown.
const AttrRole = call.AttrRole

// Token signs a token for a browser: it may publish camera, microphone and
// screen, subscribe and chat; a host may also administer this one room.
func (c *Client) Token(o TokenOptions) (string, error) {
	if o.Room == "" || o.Identity == "" {
		return "", fmt.Errorf("livekit: token: room and identity are required")
	}
	yes := true
	grant := &auth.VideoGrant{
		RoomJoin: true, Room: o.Room, RoomAdmin: o.Role == call.RoleHost,
		CanPublish: &yes, CanSubscribe: &yes, CanPublishData: &yes,
	}
	attributes := map[string]string{call.AttrKind: string(call.Browser)}
	for k, v := range o.Attributes {
		attributes[k] = v
	}
	if o.Role != "" {
		attributes[AttrRole] = o.Role
	}
	return c.sign(auth.NewAccessToken(c.config.APIKey, c.config.APISecret).
		SetIdentity(o.Identity).SetName(o.Name).SetAttributes(attributes).
		SetValidFor(orDefault(o.TTL, time.Hour)).SetVideoGrant(grant))
}

// ReadToken checks a token that Token has signed, and tells whose it is.
func (c *Client) ReadToken(token string) (room, identity, role string, err error) {
	v, err := auth.ParseAPIToken(token)
	if err != nil {
		return "", "", "", fmt.Errorf("livekit: token: %w", err)
	}
	if v.APIKey() != c.config.APIKey {
		return "", "", "", fmt.Errorf("livekit: token of another key")
	}
	_, claims, err := v.Verify(c.config.APISecret)
	if err != nil {
		return "", "", "", fmt.Errorf("livekit: token: %w", err)
	}
	if claims.Video == nil {
		return "", "", "", fmt.Errorf("livekit: token of no room")
	}
	return claims.Video.Room, claims.Identity, claims.Attributes[AttrRole], nil
}

// seatToken lets a leg publish, and subscribe only where its own seat receives.
func (c *Client) seatToken(room string, p call.Participant, receive bool) (string, error) {
	yes, no := true, false
	grant := &auth.VideoGrant{
		RoomJoin: true, Room: room,
		CanPublish: &yes, CanSubscribe: &receive, CanPublishData: &no,
		CanPublishSources: []string{"microphone", "camera", "screen_share"},
		Hidden:            p.Hidden,
	}
	attributes := make(map[string]string, len(p.Attributes)+1)
	for k, v := range p.Attributes {
		attributes[k] = v
	}
	if p.Kind != "" {
		attributes[call.AttrKind] = string(p.Kind)
	}
	return c.sign(auth.NewAccessToken(c.config.APIKey, c.config.APISecret).
		SetIdentity(p.Identity).SetName(p.Name).SetAttributes(attributes).
		SetKind(livekit.ParticipantInfo_SIP).
		SetValidFor(10 * time.Minute).SetVideoGrant(grant))
}

// receiverToken makes a participant nobody sees and no limit counts: hidden
// and agent together.
func (c *Client) receiverToken(room, identity string) (string, error) {
	yes, no := true, false
	return c.sign(auth.NewAccessToken(c.config.APIKey, c.config.APISecret).
		SetIdentity(identity).SetValidFor(10 * time.Minute).
		SetVideoGrant(&auth.VideoGrant{
			RoomJoin: true, Room: room, CanPublish: &no, CanSubscribe: &yes, CanPublishData: &yes,
			Hidden: true, Agent: true,
		}))
}

// serviceToken is what one request to the room service may do, for a minute.
func (c *Client) serviceToken(grant *auth.VideoGrant) (string, error) {
	return c.sign(auth.NewAccessToken(c.config.APIKey, c.config.APISecret).
		SetIdentity("roomgate").SetValidFor(time.Minute).SetVideoGrant(grant))
}

func (c *Client) sign(t *auth.AccessToken) (string, error) {
	signed, err := t.ToJWT()
	if err != nil {
		return "", fmt.Errorf("livekit: token: %w", err)
	}
	return signed, nil
}

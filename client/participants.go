package client

import (
	"context"
	"net/http"
)

// InviteRequest says who is to be called into a meeting.
type InviteRequest struct {
	Target string `json:"target"`
	Name   string `json:"name,omitempty"`
	Digits string `json:"digits,omitempty"` // sent after the answer; a comma waits for a second
}

// InviteParticipant calls somebody into a meeting, as Dial does.
func (c *Client) InviteParticipant(ctx context.Context, alias string, r InviteRequest) (v Call, err error) {
	err = c.do(ctx, http.MethodPost, path("meetings", alias, "participants"), r, &v)
	return v, err
}

// RenameParticipant changes the name that others see.
func (c *Client) RenameParticipant(ctx context.Context, alias, identity, name string) error {
	return c.do(ctx, http.MethodPatch, path("meetings", alias, "participants", identity), map[string]string{"name": name}, nil)
}

// MoveRequest says where somebody is to go.
type MoveRequest struct {
	Meeting string `json:"meeting"`
	Role    string `json:"role,omitempty"` // of browsers: guest (the default), host
}

// MoveParticipant takes somebody to another meeting.
func (c *Client) MoveParticipant(ctx context.Context, alias, identity string, r MoveRequest) error {
	return c.do(ctx, http.MethodPost, path("meetings", alias, "participants", identity, "move"), r, nil)
}

// Spotlight shows somebody to all in the place of the speaker, or the speaker again.
func (c *Client) Spotlight(ctx context.Context, alias, identity string, on bool) error {
	verb := "unspotlight"
	if on {
		verb = "spotlight"
	}
	return c.do(ctx, http.MethodPost, path("meetings", alias, "participants", identity, verb), nil, nil)
}

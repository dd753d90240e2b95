package client

import (
	"context"
	"net/http"
)

// CameraRequest says what a camera is to do: a motion, or a preset. A motion goes
// on for a second and a half, or until the next request; all zeros stop it.
type CameraRequest struct {
	Pan    int    `json:"pan,omitempty"`    // 1 is to the right, -1 to the left
	Tilt   int    `json:"tilt,omitempty"`   // 1 is up
	Zoom   int    `json:"zoom,omitempty"`   // 1 is in
	Focus  int    `json:"focus,omitempty"`  // 1 is in
	Preset *uint8 `json:"preset,omitempty"` // 0 to 15; a motion beside it is passed over
	Store  bool   `json:"store,omitempty"`  // the position under the preset instead
}

// CameraAbilities are what a terminal says its camera can do.
type CameraAbilities struct {
	Pan     bool `json:"pan"`
	Tilt    bool `json:"tilt"`
	Zoom    bool `json:"zoom"`
	Focus   bool `json:"focus"`
	Presets int  `json:"presets"`
}

// Camera shows what the camera of a call's terminal can do.
func (c *Client) Camera(ctx context.Context, id string) (can CameraAbilities, err error) {
	err = c.do(ctx, http.MethodGet, path("calls", id, "camera"), nil, &can)
	return can, err
}

// ParticipantCamera shows what the camera of somebody in a meeting can do.
func (c *Client) ParticipantCamera(ctx context.Context, alias, identity string) (can CameraAbilities, err error) {
	err = c.do(ctx, http.MethodGet, path("meetings", alias, "participants", identity, "camera"), nil, &can)
	return can, err
}

// MoveCamera moves the camera of a call's terminal.
func (c *Client) MoveCamera(ctx context.Context, id string, r CameraRequest) error {
	return c.do(ctx, http.MethodPost, path("calls", id, "camera"), r, nil)
}

// MoveParticipantCamera moves the camera of somebody in a meeting.
func (c *Client) MoveParticipantCamera(ctx context.Context, alias, identity string, r CameraRequest) error {
	return c.do(ctx, http.MethodPost, path("meetings", alias, "participants", identity, "camera"), r, nil)
}

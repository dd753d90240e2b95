package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/gateway"
)

// CameraRequest says what a terminal's camera is to do: a motion, or a preset.
type CameraRequest struct {
	Pan    int    `json:"pan,omitempty" minimum:"-1" maximum:"1" doc:"1 is to the right."`
	Tilt   int    `json:"tilt,omitempty" minimum:"-1" maximum:"1" doc:"1 is up."`
	Zoom   int    `json:"zoom,omitempty" minimum:"-1" maximum:"1" doc:"1 is in."`
	Focus  int    `json:"focus,omitempty" minimum:"-1" maximum:"1" doc:"1 is in."`
	Preset *uint8 `json:"preset,omitempty" maximum:"15" doc:"Go to this preset; a motion beside it is passed over."`
	Store  bool   `json:"store,omitempty" doc:"Store the position under the preset instead."`
}

// CameraAbilities are what a terminal says its camera can do.
type CameraAbilities struct {
	Pan     bool `json:"pan"`
	Tilt    bool `json:"tilt"`
	Zoom    bool `json:"zoom"`
	Focus   bool `json:"focus"`
	Presets int  `json:"presets"`
}

const cameraDescription = "A motion goes on for a second and a half, or until the next request; all zeros stop it. " +
	"Who holds a key down asks again each half second. Terminals are reached by H.224 (SIP and H.323)."

func (a *API) cameras() {
	op := operation("move-camera", http.MethodPost, "/calls/{id}/camera", "Move a terminal's camera", "Calls", http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
	op.DefaultStatus, op.Description = http.StatusNoContent, cameraDescription
	huma.Register(a.huma, op, func(_ context.Context, in *struct {
		CallPath
		Body CameraRequest
	}) (*struct{}, error) {
		return nil, a.moveCamera(in.ID, in.Body)
	})
	show := operation("show-camera", http.MethodGet, "/calls/{id}/camera", "Show what a terminal's camera can do", "Calls", http.StatusNotFound, http.StatusConflict)
	huma.Register(a.huma, show, func(_ context.Context, in *CallPath) (*struct{ Body CameraAbilities }, error) {
		return a.cameraOf(in.ID)
	})
	guest := operation("move-participant-camera", http.MethodPost, "/meetings/{alias}/participants/{identity}/camera", "Move a participant's camera", "Participants",
		http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
	guest.DefaultStatus, guest.Security = http.StatusNoContent, open
	guest.Description = "With an API key, or with the ticket of a host who is in the meeting. " + cameraDescription
	huma.Register(a.huma, guest, func(ctx context.Context, in *struct {
		HostPath
		Identity string `path:"identity" minLength:"1" maxLength:"256"`
		Body     CameraRequest
	}) (*struct{}, error) {
		if err := a.moderates(ctx, in.HostPath); err != nil {
			return nil, err
		}
		id, err := a.Gateway.CallOf(in.Alias, in.Identity)
		if err != nil {
			return nil, a.problem(err)
		}
		return nil, a.moveCamera(id, in.Body)
	})
	seen := operation("show-participant-camera", http.MethodGet, "/meetings/{alias}/participants/{identity}/camera", "Show what a participant's camera can do", "Participants",
		http.StatusNotFound, http.StatusConflict)
	seen.Security = open
	seen.Description = "With an API key, or with the ticket of a host who is in the meeting."
	huma.Register(a.huma, seen, func(ctx context.Context, in *struct {
		HostPath
		Identity string `path:"identity" minLength:"1" maxLength:"256"`
	}) (*struct{ Body CameraAbilities }, error) {
		if err := a.moderates(ctx, in.HostPath); err != nil {
			return nil, err
		}
		id, err := a.Gateway.CallOf(in.Alias, in.Identity)
		if err != nil {
			return nil, a.problem(err)
		}
		return a.cameraOf(id)
	})
}

func (a *API) cameraOf(id string) (*struct{ Body CameraAbilities }, error) {
	if _, err := a.Gateway.Call(id); err != nil {
		return nil, a.problem(err)
	}
	can, ok := a.Gateway.CameraOf(id)
	if !ok {
		return nil, document(http.StatusConflict, "", "the terminal has no camera that can be moved, or has not said so yet")
	}
	return &struct{ Body CameraAbilities }{CameraAbilities{can.Pan, can.Tilt, can.Zoom, can.Focus, int(can.Presets)}}, nil
}

func (a *API) moveCamera(id string, r CameraRequest) error {
	var err error
	if r.Preset != nil {
		err = a.Gateway.CameraPreset(id, *r.Preset, r.Store)
	} else {
		err = a.Gateway.MoveCamera(id, gateway.CameraMotion{Pan: r.Pan, Tilt: r.Tilt, Zoom: r.Zoom, Focus: r.Focus})
	}
	if err != nil {
		return a.problem(err)
	}
	return nil
}

package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/gateway"
)

func TestCameras(t *testing.T) {
	var said string
	f := &fake{
		calls:  []gateway.Call{sampleCall("c0", 0)},
		camera: gateway.CameraAbilities{Pan: true, Zoom: true, Presets: 9},
		steer: func(id string, m gateway.CameraMotion) error {
			if id != "c0" {
				return gateway.ErrNoCamera
			}
			said = fmt.Sprint(id, " ", m)
			return nil
		},
		preset: func(id string, n uint8, store bool) error {
			said = fmt.Sprint(id, " ", n, " ", store)
			return nil
		},
	}
	a := newAPI(t, f)
	const path = "/api/v1/calls/c0/camera"
	for body, want := range map[string]string{
		`{"pan":-1,"zoom":1}`: "c0 {-1 0 1 0}", `{}`: "c0 {0 0 0 0}", `{"preset":3}`: "c0 3 false", `{"preset":0,"store":true}`: "c0 0 true",
	} {
		assert.Equal(t, http.StatusNoContent, ask(a, "POST", path, body, withKey).Code, body)
		assert.Equal(t, want, said, body)
	}
	for _, body := range []string{`{"pan":2}`, `{"preset":16}`, `{"preset":-1}`} {
		assert.Equal(t, http.StatusUnprocessableEntity, ask(a, "POST", path, body, withKey).Code, body)
	}
	assert.Equal(t, http.StatusConflict, ask(a, "POST", "/api/v1/calls/c1/camera", `{}`, withKey).Code)
	assert.Equal(t, api.CameraAbilities{Pan: true, Zoom: true, Presets: 9}, decode[api.CameraAbilities](t, ask(a, "GET", path, "", withKey)))
	f.camera = gateway.CameraAbilities{}
	assert.Equal(t, http.StatusConflict, ask(a, "GET", path, "", withKey).Code)
	assert.Equal(t, http.StatusUnauthorized, ask(a, "POST", path, `{}`).Code)

	f.host = "hosts-ticket"
	const page = "/api/v1/meetings/88001/participants/c0/camera"
	assert.Equal(t, http.StatusUnauthorized, ask(a, "POST", page, `{"tilt":1}`).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", page, `{"tilt":-1}`, withKey).Code)
	assert.Equal(t, "c0 {0 -1 0 0}", said)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", page, `{"tilt":1}`, withTicket("hosts-ticket")).Code)
	assert.Equal(t, http.StatusUnauthorized, ask(a, "POST", page, `{"tilt":1}`, withTicket("guests-ticket")).Code)
}

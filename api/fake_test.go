package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a gateway made of functions; what a test does not set is empty.
type fake struct {
	meetings []gateway.Meeting
	gone     atomic.Bool // meetings have ended meanwhile
	calls    []gateway.Call
	rows     []gateway.Participant
	bindings []gateway.Registration
	draining bool
	status   gateway.Status

	create  func(gateway.MeetingSpec) (gateway.Meeting, error)
	del     func(alias string) error
	token   func(alias, name, role, pin string, trusted bool) (gateway.Token, error)
	mute    func(id string, muted bool) error
	muteBy  func(alias, identity string, muted bool) error
	remove  func(alias, identity string) error
	present func(alias, identity string, yes bool) error
	moderated
	camera  gateway.CameraAbilities
	steer   func(id string, m gateway.CameraMotion) error
	preset  func(id string, n uint8, store bool) error
	dial    func(gateway.DialRequest) (gateway.Call, error)
	hangup  func(id string, code call.CauseCode) error
	move    func(id, target string) error
	arrange func(id, kind, pinned string) error
	chat    func(id string) error
	fakeDoors
	explain func(info call.Info, at time.Time) (route.Decision, []route.Step)
	events  func(ctx context.Context, after uint64) <-chan gateway.Event
}

func (f *fake) CreateMeeting(_ context.Context, s gateway.MeetingSpec) (gateway.Meeting, error) {
	return f.create(s)
}
func (f *fake) ChangeMeeting(_ context.Context, alias string, change func(*gateway.MeetingSpec)) (gateway.Meeting, error) {
	for i := range f.meetings {
		if m := &f.meetings[i]; m.Alias == alias {
			change(&m.MeetingSpec)
			return *m, nil
		}
	}
	return gateway.Meeting{}, gateway.ErrNoMeeting
}
func (f *fake) Extend(_ context.Context, alias string, by time.Duration) (time.Time, error) {
	if _, err := f.Meeting(alias); err != nil {
		return time.Time{}, err
	}
	if alias != "planned" {
		return time.Time{}, gateway.ErrNoEnd
	}
	return time.Unix(1e9, 0).Add(by), nil
}
func (f *fake) Meetings() []gateway.Meeting { return append([]gateway.Meeting(nil), f.meetings...) }
func (f *fake) Meeting(alias string) (gateway.Meeting, error) {
	if f.gone.Load() {
		return gateway.Meeting{}, gateway.ErrNoMeeting
	}
	for _, m := range f.meetings {
		if m.Alias == alias {
			return m, nil
		}
	}
	return gateway.Meeting{}, gateway.ErrNoMeeting
}
func (f *fake) DeleteMeeting(_ context.Context, alias string) error { return f.del(alias) }
func (f *fake) Token(_ context.Context, alias, name, role, pin string, trusted bool) (gateway.Token, error) {
	return f.token(alias, name, role, pin, trusted)
}
func (f *fake) Participants(_ context.Context, alias string) ([]gateway.Participant, error) {
	if _, err := f.Meeting(alias); err != nil {
		return nil, err
	}
	return append([]gateway.Participant(nil), f.rows...), nil
}
func (f *fake) MuteParticipant(_ context.Context, alias, identity string, muted bool) error {
	return f.muteBy(alias, identity, muted)
}
func (f *fake) RemoveParticipant(_ context.Context, alias, identity string) error {
	return f.remove(alias, identity)
}

// moderated is what was asked of a fake about participants.
type moderated struct {
	asked []string
	fails error
}

func (m *moderated) RenameParticipant(_ context.Context, alias, identity, name string) error {
	m.asked = append(m.asked, "rename "+alias+" "+identity+" "+name)
	return m.fails
}
func (m *moderated) MoveParticipant(_ context.Context, alias, identity, to, role string) error {
	m.asked = append(m.asked, "move "+alias+" "+identity+" "+to+" "+role)
	return m.fails
}
func (m *moderated) Spotlight(_ context.Context, alias, identity string, on bool) error {
	m.asked = append(m.asked, fmt.Sprint("spotlight ", alias, " ", identity, " ", on))
	return m.fails
}
func (f *fake) Present(alias, identity string, yes bool) error {
	return f.present(alias, identity, yes)
}
func (f *fake) CameraOf(string) (gateway.CameraAbilities, bool)    { return f.camera, f.camera.Pan }
func (f *fake) MoveCamera(id string, m gateway.CameraMotion) error { return f.steer(id, m) }
func (f *fake) CameraPreset(id string, n uint8, store bool) error  { return f.preset(id, n, store) }
func (f *fake) CallOf(_, identity string) (string, error)          { return identity, nil }
func (f *fake) Calls() []gateway.Call                              { return append([]gateway.Call(nil), f.calls...) }
func (f *fake) Call(id string) (gateway.Call, error) {
	for _, c := range f.calls {
		if c.Info.ID == id {
			return c, nil
		}
	}
	return gateway.Call{}, gateway.ErrNoCall
}
func (f *fake) Dial(_ context.Context, r gateway.DialRequest) (gateway.Call, error) { return f.dial(r) }
func (f *fake) Hangup(id string, code call.CauseCode) error                         { return f.hangup(id, code) }
func (f *fake) SetLayout(id, kind, pinned string) error                             { return f.arrange(id, kind, pinned) }
func (f *fake) ShowChat(id string) error                                            { return f.chat(id) }
func (f *fake) Transfer(_ context.Context, id, target string) error                 { return f.move(id, target) }

func (f *fake) Mute(id string, muted bool) error      { return f.mute(id, muted) }
func (f *fake) Status(context.Context) gateway.Status { return f.status }
func (f *fake) Draining() bool                        { return f.draining }
func (f *fake) Registrations() []gateway.Registration { return f.bindings }
func (f *fake) Explain(info call.Info, at time.Time) (route.Decision, []route.Step) {
	return f.explain(info, at)
}
func (f *fake) Events(ctx context.Context, after uint64) <-chan gateway.Event {
	return f.events(ctx, after)
}

const key = "rg_test-key-0123456789"

// now is the time of all tests.
var now = time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC)

// clock is a time that tests can move.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newAPI(t *testing.T, f *fake, change ...func(*api.Config)) *api.API {
	t.Helper()
	keys := &api.Keys{}
	keys.Set(api.HashKey(key))
	c := api.Config{Gateway: f, Keys: keys, Logger: zaptest.NewLogger(t), Version: "1.2.3", Now: func() time.Time { return now }}
	for _, f := range change {
		f(&c)
	}
	a, err := api.New(c)
	require.NoError(t, err)
	return a
}

// ask sends one request. Without a key it comes from a stranger.
func ask(h http.Handler, method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://gw.example.org:8080"+path, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.7:4711"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func withKey(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address + ":4711" }
}

// decode reads an answer's body.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

func read(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}

func parseURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}

// sampleCall is a room terminal in a meeting.
func sampleCall(id string, age time.Duration) gateway.Call {
	return gateway.Call{
		Info: call.Info{
			ID: id, Protocol: call.SIP, Direction: call.In, Called: "88001",
			Remote: call.Remote{
				Alias: "room1", Name: "Phòng họp 1", URI: "sip:room1@example.org", Transport: "udp",
				Address: netip.MustParseAddrPort("10.0.0.5:5060"), UserAgent: "TestTerminal/1", Product: "Test Room",
			},
			Encryption: "srtp", Created: now.Add(-age), Answered: now.Add(-age + time.Second),
		},
		Meeting: "88001", Identity: "leg-" + id, State: gateway.StateActive,
		Media: []gateway.MediaInfo{
			{StreamStats: media.StreamStats{Role: media.Audio, Codec: media.G722, Packets: 500, Bytes: 80000, Lost: 2, Jitter: 1234 * time.Microsecond, Kbps: 64}, Mode: "mixed", Pipeline: "G722 -> mixer"},
			{StreamStats: media.StreamStats{Role: media.Main, Sent: true, Codec: media.H264, Packets: 900, Bytes: 900000, RTT: 20 * time.Millisecond, Kbps: 1500}, Mode: "passthrough", Width: 1280, Height: 720, FPS: 29.97},
		},
	}
}

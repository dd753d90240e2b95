package livekit_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/auth"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/meeting/livekit"
)

// record joins a room as what records it does (LiveKit's egress among others); hidden or not.
func record(t *testing.T, room, identity string, hidden bool) (end func()) {
	t.Helper()
	key, secret := shared.Credentials()
	token, err := auth.NewAccessToken(key, secret).SetIdentity(identity).SetValidFor(time.Hour).
		SetVideoGrant(&auth.VideoGrant{RoomJoin: true, Room: room, Recorder: true, Hidden: hidden}).ToJWT()
	require.NoError(t, err)
	u, err := url.Parse(shared.URL())
	require.NoError(t, err)
	u.Path, u.RawQuery = "/rtc", url.Values{"access_token": {token}, "protocol": {"9"}, "sdk": {"go"}}.Encode()
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), u.String(), nil)
	require.NoError(t, err)
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	go func() { // what it is told
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	return func() { _ = conn.Close() }
}

// Everybody who receives learns that the room is recorded and that it is not any more, also
// who comes later; who records is no participant.
func TestRecorded(t *testing.T) {
	c := newClient(t, shared, nil)
	join(t, c, t.Name(), "first", livekit.JoinOptions{})
	recorded := func(r *livekit.Receiver, on bool) {
		t.Helper()
		await(t, "the recording", r.Events(), func(e livekit.Event) bool { return e.Kind == livekit.Recorded && e.On == on })
	}
	early := receive(t, c, t.Name(), livekit.ReceiveOptions{})
	recorded(early, false)
	end := record(t, t.Name(), "recorder", true)
	recorded(early, true)
	late := receive(t, newClient(t, shared, nil), t.Name(), livekit.ReceiveOptions{})
	recorded(late, true)
	end()
	recorded(early, false)
	recorded(late, false)
	record(t, t.Name(), "seen", false)
	recorded(early, true)
	require.Len(t, early.Participants(), 1)
}

// What is kept about a room is told to all who receive in it, also to who comes later, and
// leaves alone what others keep there.
func TestDescribed(t *testing.T) {
	c := newClient(t, shared, nil)
	join(t, c, t.Name(), "first", livekit.JoinOptions{})
	described := func(r *livekit.Receiver, want string) {
		t.Helper()
		got := await(t, "what is kept", r.Events(), ofKind(livekit.Described))
		require.JSONEq(t, want, got.Metadata)
	}
	early := receive(t, c, t.Name(), livekit.ReceiveOptions{})
	require.NoError(t, c.Note(t.Context(), t.Name(), "ours", map[string]int{"a": 1}))
	described(early, `{"ours":{"a":1}}`)
	late := receive(t, newClient(t, shared, nil), t.Name(), livekit.ReceiveOptions{})
	described(late, `{"ours":{"a":1}}`)
	require.NoError(t, c.Note(t.Context(), t.Name(), "theirs", "b"))
	described(early, `{"ours":{"a":1},"theirs":"b"}`)
	described(late, `{"ours":{"a":1},"theirs":"b"}`)
	for _, others := range []string{"a note", "null", "[]"} {
		_, err := c.CreateRoom(t.Context(), livekit.Room{Name: t.Name() + others, Metadata: others})
		require.NoError(t, err)
		require.ErrorIs(t, c.Note(t.Context(), t.Name()+others, "ours", 1), livekit.ErrMetadata)
	}
	require.ErrorIs(t, c.Note(t.Context(), "nowhere", "ours", 1), livekit.ErrNoRoom)
}

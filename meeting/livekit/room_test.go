package livekit_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// The roster shows everybody but hidden participants, and follows them.
func TestRoster(t *testing.T) {
	t.Parallel()
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	first := join(t, a, t.Name(), "first", livekit.JoinOptions{})
	receiver := receive(t, a, t.Name(), livekit.ReceiveOptions{})
	receive(t, b, t.Name(), livekit.ReceiveOptions{Quality: livekit.Low})
	require.Len(t, receiver.Participants(), 1)

	join(t, b, t.Name(), "second", livekit.JoinOptions{})
	joined := await(t, "second", receiver.Events(), func(e livekit.Event) bool {
		return e.Kind == livekit.Joined && e.Participant.Identity == "second"
	})
	require.Equal(t, "Room second", joined.Participant.Name)
	require.Equal(t, "second", joined.Participant.Attributes[call.AttrLeg])

	require.NoError(t, b.UpdateParticipant(t.Context(), t.Name(), "second", "Hà Nội", map[string]string{"hand": "up"}))
	await(t, "the new name", receiver.Events(), func(e livekit.Event) bool {
		return e.Kind == livekit.Changed && e.Participant.Name == "Hà Nội" && e.Participant.Attributes["hand"] == "up"
	})

	listed, err := a.Participants(t.Context(), t.Name())
	require.NoError(t, err)
	require.Len(t, listed, 2)

	require.NoError(t, first.Close())
	require.NoError(t, first.Close())
	require.Equal(t, "first", await(t, "leaving", receiver.Events(), ofKind(livekit.Left)).Participant.Identity)
	require.Len(t, receiver.Participants(), 1)
}

// Our own node's legs are in the roster but not subscribed to.
func TestLocalLegsAreNotReceived(t *testing.T) {
	a := newClient(t, shared, func(c *livekit.Config) {
		c.Local = func(_ string, attributes map[string]string) bool { return attributes[call.AttrLeg] == "ours" }
	})
	receiver := receive(t, a, t.Name(), livekit.ReceiveOptions{})
	ours := join(t, a, t.Name(), "ours", livekit.JoinOptions{})
	publish(t, ours, newSource(t, media.Audio, opus, speech))
	published(t, receiver, "ours", media.Audio)
	theirs := join(t, a, t.Name(), "theirs", livekit.JoinOptions{})
	publish(t, theirs, newSource(t, media.Audio, opus, speech))

	track := await(t, "a track", receiver.Tracks(), any1[media.Track]).(livekit.ParticipantTrack)
	require.Equal(t, "theirs", track.Participant().Identity)
	require.Len(t, receiver.Participants(), 2)
}

// Every way a stay can end says which it was, and closes what was open.
func TestEndings(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(t *testing.T, c *livekit.Client, room string)
		want error
		code call.CauseCode
	}{
		"removed by a moderator": {func(t *testing.T, c *livekit.Client, room string) {
			require.NoError(t, c.Remove(t.Context(), room, "leg"))
		}, livekit.ErrRemoved, call.Removed},
		"room deleted": {func(t *testing.T, c *livekit.Client, room string) {
			require.NoError(t, c.DeleteRoom(t.Context(), room))
		}, livekit.ErrRoomClosed, call.MeetingEnded},
		"identity taken over": {func(t *testing.T, c *livekit.Client, room string) {
			join(t, c, room, "leg", livekit.JoinOptions{})
		}, livekit.ErrReplaced, call.Failure},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newClient(t, shared, nil), newClient(t, shared, nil)
			seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
			microphone := newSource(t, media.Audio, opus, speech)
			publish(t, seat, microphone)
			tc.end(t, b, t.Name())
			await(t, "the end", seat.Events(), ofKind(livekit.Ended))
			<-seat.Done()
			require.ErrorIs(t, seat.Err(), tc.want)
			require.Equal(t, tc.code, livekit.Cause(seat.Err()).Code)
			require.Zero(t, microphone.attached.Load())
			_, open := <-seat.Tracks()
			require.False(t, open)
			_, err := seat.Publish(t.Context(), microphone)
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	p := call.Participant{Identity: "leg"}
	t.Run("bad secret", func(t *testing.T) {
		c := newClient(t, shared, func(c *livekit.Config) { c.APISecret = strings.Repeat("x", 40) })
		_, err := c.Join(t.Context(), t.Name(), p, livekit.JoinOptions{})
		require.ErrorIs(t, err, livekit.ErrRefused)
		var refusal *livekit.JoinError
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, 401, refusal.Status)
		_, err = c.Rooms(t.Context())
		require.ErrorIs(t, err, livekit.ErrRefused)
	})
	t.Run("room full", func(t *testing.T) {
		c := newClient(t, shared, nil)
		_, err := c.CreateRoom(t.Context(), livekit.Room{Name: t.Name(), MaxParticipants: 1, Metadata: "m", EmptyTimeout: time.Minute, DepartureTimeout: time.Second})
		require.NoError(t, err)
		receive(t, c, t.Name(), livekit.ReceiveOptions{}) // does not count
		join(t, c, t.Name(), "first", livekit.JoinOptions{})
		_, err = c.Join(t.Context(), t.Name(), p, livekit.JoinOptions{})
		require.ErrorIs(t, err, livekit.ErrRoomFull)
		require.Equal(t, call.UserBusy, livekit.Cause(err).Code)
		rooms, err := c.Rooms(t.Context(), t.Name())
		require.NoError(t, err)
		require.Len(t, rooms, 1)
		require.Eventually(t, func() bool { // counted with a delay
			rooms, err = c.Rooms(t.Context(), t.Name())
			return err == nil && len(rooms) == 1 && rooms[0].Participants == 1
		}, patience, tick)
		require.Equal(t, "m", rooms[0].Metadata)
		require.NoError(t, c.UpdateMetadata(t.Context(), t.Name(), "n"))
	})
	t.Run("nobody there", func(t *testing.T) {
		c := newClient(t, shared, func(c *livekit.Config) {
			c.URL, c.JoinTimeout = "ws://127.0.0.1:1", 300*time.Millisecond
		})
		_, err := c.Join(t.Context(), t.Name(), p, livekit.JoinOptions{})
		require.ErrorIs(t, err, livekit.ErrUnreachable)
		require.NotContains(t, err.Error(), "access_token")
		require.Error(t, c.Healthy(t.Context()))
	})
	t.Run("given up", func(t *testing.T) {
		c := newClient(t, shared, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Join(ctx, t.Name(), p, livekit.JoinOptions{})
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("client closed", func(t *testing.T) {
		c := newClient(t, shared, nil)
		require.NoError(t, c.Close())
		_, err := c.Join(t.Context(), t.Name(), p, livekit.JoinOptions{})
		require.Error(t, err)
	})
	t.Run("no such room", func(t *testing.T) {
		c := newClient(t, shared, nil)
		require.NoError(t, c.Healthy(t.Context()))
		require.ErrorIs(t, c.Remove(t.Context(), t.Name(), "nobody"), livekit.ErrNoRoom)
	})
}

// Hosts may administer their room, guests may not, and neither another.
func TestTokenGrants(t *testing.T) {
	c := newClient(t, shared, nil)
	for role, admin := range map[string]bool{call.RoleHost: true, call.RoleGuest: false} {
		token, err := c.Token(livekit.TokenOptions{Room: "r", Identity: "i", Name: "n", Role: role, Attributes: map[string]string{"a": "b"}, TTL: time.Minute})
		require.NoError(t, err)
		body, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		require.NoError(t, err)
		var claims struct {
			Sub, Name  string
			Attributes map[string]string
			Video      map[string]any
			Exp, Nbf   int64
		}
		require.NoError(t, json.Unmarshal(body, &claims))
		require.Equal(t, "i", claims.Sub)
		require.Equal(t, "n", claims.Name)
		require.Equal(t, map[string]string{"a": "b", call.AttrKind: "browser", livekit.AttrRole: role}, claims.Attributes)
		require.Equal(t, "r", claims.Video["room"])
		require.Equal(t, admin, claims.Video["roomAdmin"] == true)
		require.Nil(t, claims.Video["roomCreate"])
		require.Nil(t, claims.Video["hidden"])
		require.InDelta(t, time.Now().Add(time.Minute).Unix(), claims.Exp, 5)
	}
	_, err := c.Token(livekit.TokenOptions{Room: "r"})
	require.Error(t, err)
}

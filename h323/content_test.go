package h323_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/media"
)

// presenter can show content beside the main picture (H.239).
var presenter = func() media.Capabilities {
	c := room
	c.Content, c.MaxContent = room.Video, 1_000_000
	return c
}()

// Content goes from either side, in the clear and encrypted, and through firewalls, where
// its session has an identifier of its own.
func TestContent(t *testing.T) {
	for _, c := range []struct {
		name             string
		behind, together bool // behind a firewall; multiplexed
		tune             func(*h323.Config)
	}{
		{name: "plain"},
		{name: "encrypted", tune: encrypts(h323.EncryptRequire)},
		{name: "behind a firewall", behind: true},
		{name: "multiplexed", behind: true, together: true},
		{name: "multiplexed and encrypted", behind: true, together: true, tune: encrypts(h323.EncryptRequire)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var caller, callee call.Leg
			if c.behind {
				s := startSite(t, "127.0.0.1", c.together, c.tune)
				terminal := register(t, "127.0.0.2", "room9", s, false, c.tune)
				var err error
				caller, err = s.Dial(within(t), call.Target{Address: "room9", Can: presenter})
				require.NoError(t, err)
				callee = terminal.next()
				require.NoError(t, callee.Accept(within(t), presenter))
				stand(t, presenter, caller, callee)
				if c.together {
					defer func() { require.Zero(t, s.mux.Counters().Unplaced) }()
				}
			} else {
				a, b := start(t, c.tune), start(t, c.tune)
				caller, callee = connect(t, a, b, presenter)
			}
			encryption := "none"
			if c.tune != nil {
				encryption = "h235"
			}
			present(t, caller, callee, encryption)
			present(t, callee, caller, encryption)
			exchangeAudio(t, caller, callee) // the others are as they were
			exchange(t, media.Main, callee, caller)
			hangUp(t, caller, callee)
		})
	}
}

// present has one side show content until the other sees it, and stop.
func present(t *testing.T, from, to call.Leg, encryption string) {
	t.Helper()
	require.NoError(t, from.(call.ContentHolder).RequestContent(within(t)))
	await(t, to, call.ContentRequested)
	require.NoError(t, to.(call.ContentHolder).AnswerContent(within(t), true))
	await(t, from, call.ContentGranted)
	await(t, to, call.ContentStarted)
	for l, way := range map[call.Leg]media.Direction{from: media.SendOnly, to: media.RecvOnly} {
		require.Eventually(t, func() bool { return stream(l, media.Content).Direction == way }, patience, time.Millisecond, "%+v", l.Info().Streams)
		require.Equal(t, encryption, stream(l, media.Content).Encryption)
		require.Equal(t, encryption, l.Info().Encryption)
	}
	exchange(t, media.Content, from, to)
	require.NoError(t, from.(call.ContentHolder).ReleaseContent(within(t)))
	await(t, to, call.ContentStopped)
	for _, l := range []call.Leg{from, to} {
		require.Eventually(t, func() bool { return stream(l, media.Content).Direction == media.Inactive }, patience, time.Millisecond, "%+v", l.Info().Streams)
	}
}

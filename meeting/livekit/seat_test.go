package livekit_test

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// tick is how often a condition without an event of its own is looked at.
const tick = 5 * time.Millisecond

// What a leg says arrives at another node's hidden receiver as it was sent:
// payloads untouched and in order. A level of -20 dBov makes the leg a speaker.
func TestAudioArrives(t *testing.T) {
	for _, format := range []media.Format{opus, pcma} {
		t.Run(format.String(), func(t *testing.T) {
			a, b := newClient(t, shared, nil), newClient(t, shared, nil)
			receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
			seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
			publish(t, seat, newSource(t, media.Audio, format, speech))

			track := awaitTrack(t, receiver.Tracks(), "leg", media.Audio)
			require.True(t, track.Format().Encodes(format), "format %s", track.Format())
			require.Equal(t, call.Terminal, track.Participant().Kind)
			require.Equal(t, "Room leg", track.Participant().Name)
			packets := attach(t, track)
			first := await(t, "speech", packets, func(p rtp.Packet) bool { return len(p.Payload) == 10 })
			for i := 1; i < 20; i++ {
				p := await(t, "speech", packets, any1)
				require.Equal(t, first.SequenceNumber+uint16(i), p.SequenceNumber)
				require.Equal(t, uint16(first.Payload[1])<<8|uint16(first.Payload[2])+uint16(i), uint16(p.Payload[1])<<8|uint16(p.Payload[2]))
			}
			// The server detects speech from the level we send and nothing else.
			speaking := await(t, "speech detection", receiver.Events(), ofKind(livekit.Speaking))
			require.Equal(t, "leg", speaking.Speakers[0].Identity)
			require.True(t, speaking.Speakers[0].Active)
			require.NoError(t, seat.Close())
			await(t, "leaving", receiver.Events(), ofKind(livekit.Left))
			<-track.Done()
		})
	}
}

// A terminal's H.264 arrives whatever its profile, without the server's dummy
// packets, and flows only while wanted.
func TestVideoOnDemand(t *testing.T) {
	t.Parallel()
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	camera := newSource(t, media.Main, h264, picture)
	seat.SetVideoSize(media.Main, 1280, 720)
	publish(t, seat, camera)
	id := published(t, receiver, "leg", media.Main)
	require.False(t, seat.Wanted(media.Main))
	require.Eventually(t, func() bool { return camera.attached.Load() == 0 }, patience, tick, "sent although nobody wants it")

	for range 2 { // again after it was given up
		asked := camera.keyframes.Load()
		receiver.Subscribe(id, livekit.Subscription{})
		wanted := await(t, "demand", seat.Events(), ofKind(livekit.Wanted))
		require.True(t, wanted.On)
		require.Equal(t, media.Main, wanted.Role)
		track := awaitTrack(t, receiver.Tracks(), "leg", media.Main)
		require.Equal(t, id, track.ID())
		packets := attach(t, track)
		await(t, "keyframe", packets, func(p rtp.Packet) bool { return p.Payload[0] == 24 })
		for range 30 {
			p := await(t, "picture", packets, any1)
			require.NotZero(t, p.Payload[0]&0x1f, "dummy packet delivered")
			require.True(t, p.Marker)
		}
		require.Greater(t, camera.keyframes.Load(), asked, "no keyframe was asked for")

		receiver.Unsubscribe(id)
		<-track.Done()
		require.False(t, await(t, "end of demand", seat.Events(), ofKind(livekit.Wanted)).On)
		require.Eventually(t, func() bool { return camera.attached.Load() == 0 }, patience, tick)
	}
	shown := receiver.Participants()[0].Tracks[0]
	require.Equal(t, "H264", shown.Codec)
	require.Equal(t, [2]int{1280, 720}, [2]int{shown.Width, shown.Height})
	seat.SetVideoSize(media.Main, 640, 360)
	await(t, "new size", receiver.Events(), func(e livekit.Event) bool {
		return len(e.Participant.Tracks) == 1 && e.Participant.Tracks[0].Width == 640
	})
}

// A keyframe asked for by a receiver reaches the terminal; a flood of requests
// does not.
func TestKeyframeRequests(t *testing.T) {
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	camera := newSource(t, media.Main, h264, picture)
	publish(t, seat, camera)
	receiver.Subscribe(published(t, receiver, "leg", media.Main), livekit.Subscription{})
	track := awaitTrack(t, receiver.Tracks(), "leg", media.Main)
	packets := attach(t, track)
	await(t, "picture", packets, any1)

	before := camera.keyframes.Load()
	start := 0
	await(t, "three seconds of pictures", packets, func(rtp.Packet) bool {
		start++
		track.RequestKeyframe()
		return start == 150
	})
	got := camera.keyframes.Load() - before
	require.GreaterOrEqual(t, got, int32(2))
	require.LessOrEqual(t, got, int32(8), "requests are not throttled")
}

// Sound, picture and slides of one leg, given up and published again.
func TestPublishAgain(t *testing.T) {
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	publish(t, seat, newSource(t, media.Audio, opus, speech))
	publish(t, seat, newSource(t, media.Main, h264, picture))
	awaitTrack(t, receiver.Tracks(), "leg", media.Audio)
	published(t, receiver, "leg", media.Main)
	for range 3 {
		unpublish := publish(t, seat, newSource(t, media.Content, h264, picture))
		id := published(t, receiver, "leg", media.Content)
		receiver.Subscribe(id, livekit.Subscription{Quality: livekit.High})
		track := awaitTrack(t, receiver.Tracks(), "leg", media.Content)
		await(t, "slide", attach(t, track), any1)
		unpublish()
		unpublish() // harmless
		await(t, "withdrawal", receiver.Events(), func(e livekit.Event) bool { return len(e.Participant.Tracks) == 2 })
		<-track.Done()
	}
	require.Len(t, seat.Stats(), 2)
}

// Another track of the same codec takes the stream over without a gap in its
// numbers; one of another codec is a new publication.
func TestReplaceTrack(t *testing.T) {
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	prompt := newSource(t, media.Audio, opus, speech)
	withdrawPrompt := publish(t, seat, prompt)
	track := awaitTrack(t, receiver.Tracks(), "leg", media.Audio)
	packets := attach(t, track)
	last := await(t, "prompt", packets, any1)

	publish(t, seat, newSource(t, media.Audio, opus, func(i int, p *rtp.Packet) {
		speech(i, p)
		p.SequenceNumber, p.Timestamp, p.Payload[9] = uint16(i), 77+uint32(i)*960, 0xEE
	}))
	withdrawPrompt() // the role has passed on: this must not end it
	require.Zero(t, prompt.attached.Load())
	await(t, "the other track", packets, func(p rtp.Packet) bool {
		require.Equal(t, last.SequenceNumber+1, p.SequenceNumber)
		require.Less(t, p.Timestamp-last.Timestamp, uint32(48000))
		last = p
		return p.Payload[9] == 0xEE
	})

	publish(t, seat, newSource(t, media.Audio, pcma, speech))
	other := awaitTrack(t, receiver.Tracks(), "leg", media.Audio)
	require.True(t, other.Format().Encodes(pcma))
	<-track.Done()
}

func TestPublishRefusesFormats(t *testing.T) {
	seat := join(t, newClient(t, shared, nil), t.Name(), "leg", livekit.JoinOptions{})
	for _, source := range []*source{
		newSource(t, media.Main, opus, speech),
		newSource(t, media.Audio, h264, picture),
		newSource(t, media.Audio, media.Format{Codec: media.G722, ClockRate: 8000}, speech),
	} {
		_, err := seat.Publish(t.Context(), source)
		require.ErrorIs(t, err, livekit.ErrFormat)
	}
}

// Mute works from either side, and muted means that nothing is sent.
func TestMute(t *testing.T) {
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	microphone := newSource(t, media.Audio, opus, speech)
	publish(t, seat, microphone)
	track := awaitTrack(t, receiver.Tracks(), "leg", media.Audio)
	muted := func(on bool) func(livekit.Event) bool {
		return func(e livekit.Event) bool {
			return e.Kind == livekit.Changed && len(e.Participant.Tracks) == 1 && e.Participant.Tracks[0].Muted == on
		}
	}

	seat.SetMuted(media.Audio, true)
	await(t, "own mute in the roster", receiver.Events(), muted(true))
	require.Zero(t, microphone.attached.Load())
	seat.SetMuted(media.Audio, false)
	await(t, "own unmute in the roster", receiver.Events(), muted(false))

	require.NoError(t, b.MuteTrack(t.Context(), t.Name(), "leg", track.ID(), true))
	e := await(t, "moderator's mute", seat.Events(), ofKind(livekit.Muted))
	require.True(t, e.On)
	require.True(t, seat.Muted(media.Audio))
	require.Zero(t, microphone.attached.Load())
	require.NoError(t, b.Mute(t.Context(), t.Name(), "leg", media.Audio, false))
	require.False(t, await(t, "moderator's unmute", seat.Events(), ofKind(livekit.Muted)).On)
	await(t, "sound again", attach(t, track), any1)
}

// A meeting with one leg on the node receives on the leg's own seat.
func TestSeatReceives(t *testing.T) {
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	leg := join(t, a, t.Name(), "leg", livekit.JoinOptions{Receive: true})
	browser := join(t, b, t.Name(), "browser", livekit.JoinOptions{Receive: true})
	for _, seat := range []*livekit.Seat{leg, browser} {
		publish(t, seat, newSource(t, media.Audio, opus, speech))
		publish(t, seat, newSource(t, media.Main, h264, picture))
	}
	for seat, other := range map[*livekit.Seat]string{leg: "browser", browser: "leg"} {
		seat.Subscribe(published(t, seat, other, media.Main), livekit.Subscription{Width: 1280, Height: 720})
		seen := map[media.Role]bool{}
		for len(seen) < 2 {
			track := await(t, "tracks", seat.Tracks(), any1[media.Track])
			require.Equal(t, other, track.(livekit.ParticipantTrack).Participant().Identity)
			await(t, "media", attach(t, track), any1)
			seen[track.Role()] = true
		}
		require.Len(t, seat.Participants(), 1)
	}
}

package livekit_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// sized is picture with its size at the end of the payload.
func sized(size byte) func(int, *rtp.Packet) {
	return func(i int, p *rtp.Packet) {
		picture(i, p)
		p.Payload[len(p.Payload)-1] = size
	}
}

const largeOne, smallOne = 200, 100

func ofSize(size byte) func(rtp.Packet) bool {
	return func(p rtp.Packet) bool { return p.Payload[len(p.Payload)-1] == size }
}

// Of a video in two sizes everybody gets the large one until the small one is made, and it is
// made while somebody wants it.
func TestSmallPicture(t *testing.T) {
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	leg := join(t, a, t.Name(), "leg", livekit.JoinOptions{Simulcast: true})
	camera := newSource(t, media.Main, h264, sized(largeOne))
	leg.SetVideoSize(media.Main, 1280, 720)
	publish(t, leg, camera)
	leg.OfferSmall(media.Main, true)

	stage := join(t, b, t.Name(), "stage", livekit.JoinOptions{Receive: true})
	id := published(t, stage, "leg", media.Main)
	stage.Subscribe(id, livekit.Subscription{Quality: livekit.High})
	large := attach(t, awaitTrack(t, stage.Tracks(), "leg", media.Main))
	await(t, "the large picture", large, ofSize(largeOne))

	wall := join(t, b, t.Name(), "wall", livekit.JoinOptions{Receive: true})
	began := time.Now()
	wall.Subscribe(id, livekit.Subscription{Quality: livekit.Low})
	track := awaitTrack(t, wall.Tracks(), "leg", media.Main)
	packets := attach(t, track)
	await(t, "the large picture while there is no small one", packets, ofSize(largeOne))
	t.Logf("a picture after %v", time.Since(began))
	wanted := await(t, "demand", leg.Events(), ofKind(livekit.SmallWanted))
	require.True(t, wanted.On)
	t.Logf("demand known after %v", time.Since(began))
	little := newSource(t, media.Main, h264, sized(smallOne))
	leg.SetSmall(media.Main, little)
	last := await(t, "the small picture", packets, ofSize(smallOne))
	t.Logf("the small picture after %v", time.Since(began))
	run := 0
	await(t, "the small picture goes on", packets, func(p rtp.Packet) bool {
		require.Less(t, p.Timestamp-last.Timestamp, uint32(90000), "timestamps jump")
		last = p
		run++
		if !ofSize(smallOne)(p) {
			run = 0 // our own camera stood still on a busy machine, and the large picture is sent to all for a while
		}
		return run == 100
	})
	only(t, large, largeOne)

	// Somebody leaves, not the one who wants it: it is missed at once.
	leg.OthersChanged(true)
	require.Eventually(t, func() bool { return little.attached.Load() == 0 }, patience, tick, "nobody looked who misses it")
	require.Eventually(t, func() bool { return little.attached.Load() == 1 }, patience, tick)
	waiting, longest := len(packets), uint32(0)
	await(t, "the small picture again", packets, func(p rtp.Packet) bool {
		longest = max(longest, p.Timestamp-last.Timestamp)
		last = p
		waiting--
		return ofSize(smallOne)(p) && waiting < -20
	})
	t.Logf("it stood still for %v", time.Duration(longest)*time.Second/90000)

	require.NoError(t, wall.Close())
	leg.OthersChanged(true)
	left := time.Now()
	await(t, "end of demand", leg.Events(), func(e livekit.Event) bool { return e.Kind == livekit.SmallWanted && !e.On })
	t.Logf("end of demand known after %v", time.Since(left))
	require.Zero(t, little.attached.Load())
	only(t, large, largeOne)
}

// only wants one size from now on.
func only(t *testing.T, packets sink, size byte) {
	t.Helper()
	for len(packets) > 0 {
		<-packets
	}
	for range 100 {
		p := await(t, "a picture", packets, any1)
		require.Equal(t, size, p.Payload[len(p.Payload)-1])
	}
}

// While nobody wants the large picture it is not sent; it is there again for who wants it, and
// when there is no small one any more.
func TestSmallPictureAlone(t *testing.T) {
	t.Parallel()
	a, b := newClient(t, shared, nil), newClient(t, shared, nil)
	leg := join(t, a, t.Name(), "leg", livekit.JoinOptions{Simulcast: true})
	camera := newSource(t, media.Main, h264, sized(largeOne))
	leg.SetVideoSize(media.Main, 1280, 720)
	publish(t, leg, camera)
	leg.OfferSmall(media.Main, true)
	leg.SetSmall(media.Main, newSource(t, media.Main, h264, sized(smallOne)))

	wall := join(t, b, t.Name(), "wall", livekit.JoinOptions{Receive: true})
	id := published(t, wall, "leg", media.Main)
	wall.Subscribe(id, livekit.Subscription{Width: 256, Height: 144})
	packets := attach(t, awaitTrack(t, wall.Tracks(), "leg", media.Main))
	await(t, "the small picture", packets, ofSize(smallOne))
	require.Eventually(t, func() bool { return camera.attached.Load() == 0 }, patience, tick, "the large picture is sent for nobody")
	only(t, packets, smallOne)

	stage := join(t, b, t.Name(), "stage", livekit.JoinOptions{Receive: true})
	stage.Subscribe(id, livekit.Subscription{Width: 1280, Height: 720})
	await(t, "the large picture", attach(t, awaitTrack(t, stage.Tracks(), "leg", media.Main)), ofSize(largeOne))
	only(t, packets, smallOne)
	require.NoError(t, stage.Close())
	require.Eventually(t, func() bool { return camera.attached.Load() == 0 }, patience, tick)

	leg.OfferSmall(media.Main, false)
	leg.SetSmall(media.Main, nil)
	began := time.Now()
	await(t, "the large picture in place of the small one", packets, ofSize(largeOne))
	t.Logf("after %v", time.Since(began))
}

// A server that is started anew is told everything again: the small picture is made anew when
// somebody wants it there.
func TestSmallPictureWhenTheSFUIsKilled(t *testing.T) {
	t.Parallel()
	server := startSFU(t, nil)
	a, b := newClient(t, server, nil), newClient(t, server, nil)
	leg := join(t, a, t.Name(), "leg", livekit.JoinOptions{Simulcast: true})
	camera := newSource(t, media.Main, h264, sized(largeOne))
	leg.SetVideoSize(media.Main, 1280, 720)
	publish(t, leg, camera)
	leg.OfferSmall(media.Main, true)
	leg.SetSmall(media.Main, newSource(t, media.Main, h264, sized(smallOne)))
	wall := join(t, b, t.Name(), "wall", livekit.JoinOptions{Receive: true})
	wall.Subscribe(published(t, wall, "leg", media.Main), livekit.Subscription{Quality: livekit.Low})
	before := awaitTrack(t, wall.Tracks(), "leg", media.Main)
	await(t, "the small picture", attach(t, before), ofSize(smallOne))

	require.NoError(t, syscall.Kill(server.PID(), syscall.SIGKILL))
	<-before.Done()
	await(t, "end of demand", leg.Events(), func(e livekit.Event) bool { return e.Kind == livekit.SmallWanted && !e.On })
	await(t, "reconnected", wall.Events(), ofKind(livekit.Reconnected))
	wall.Subscribe(published(t, wall, "leg", media.Main), livekit.Subscription{Quality: livekit.Low})
	await(t, "the small picture again", attach(t, awaitTrack(t, wall.Tracks(), "leg", media.Main)), ofSize(smallOne))
}

package face_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/face"
	"github.com/roomgate/roomgate/media"
)

func TestEventsNobodyReadsAreDroppedButTheLast(t *testing.T) {
	f := face.New(call.Info{ID: "x"}, zap.NewNop())
	for range 1000 {
		f.Emit(call.Event{Kind: call.Ringing})
	}
	f.End(call.Cause{Code: call.UserBusy})
	f.Emit(call.Event{Kind: call.Ringing})
	n := 0
	var last call.Event
	for last = range f.Events() {
		n++
	}
	require.Equal(t, 128, n)
	require.Equal(t, call.Ended, last.Kind)
	require.Equal(t, call.UserBusy, last.Cause.Code)
	<-f.Done()
	_, open := <-f.Tracks()
	require.False(t, open)
}

func TestAgreementsAreAnnouncedWhenTheyChange(t *testing.T) {
	f := face.New(call.Info{}, zap.NewNop())
	one := face.Agreement{Streams: []media.Stream{{Direction: media.SendRecv}}, Encryption: "none"}
	held := one
	held.Held = true
	f.Agreed(one, false)
	f.Agreed(one, true)
	f.Agreed(held, true)
	f.Agreed(held, true)
	f.Agreed(face.Agreement{Encryption: "srtp", MaxVideo: 7}, true)
	require.Equal(t, "srtp", f.Info().Encryption)
	require.Equal(t, 7, f.Info().MaxVideo)
	f.End(call.Cause{})
	var kinds []call.EventKind
	for ev := range f.Events() {
		kinds = append(kinds, ev.Kind)
	}
	require.Equal(t, []call.EventKind{call.Held, call.MediaChanged, call.Resumed, call.Ended}, kinds)
}

func TestFirstWishToHangUpCounts(t *testing.T) {
	f := face.New(call.Info{}, zap.NewNop())
	require.NoError(t, f.Hangup(call.Cause{Code: call.UserBusy}))
	require.NoError(t, f.Hangup(call.Cause{Code: call.Rejected}))
	require.Equal(t, call.UserBusy, (<-f.Wishes()).Code)
}

func TestAsk(t *testing.T) {
	f := face.New(call.Info{}, zap.NewNop())
	mail := make(chan func(error), 1)
	wish := func(reply func(error)) func(error) { return reply }
	ask := func(ctx context.Context) error { return face.Ask(ctx, f, mail, wish) }

	told := errors.New("told")
	go func() { (<-mail)(told) }()
	require.ErrorIs(t, ask(t.Context()), told)

	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-mail; cancel() }()
	require.ErrorIs(t, ask(ctx), context.Canceled)

	go func() {
		(<-mail)(nil)
		f.End(call.Cause{})
	}()
	require.NoError(t, ask(t.Context()))
	<-f.Done()
	mail <- nil // nobody reads any more
	require.ErrorIs(t, ask(t.Context()), call.ErrEnded)
}

func TestPublishingWithoutMedia(t *testing.T) {
	f := face.New(call.Info{}, zap.NewNop())
	_, err := f.PublishTo(t.Context(), nil, nil)
	require.ErrorIs(t, err, call.ErrNoCommonMedia)
	f.End(call.Cause{})
	_, err = f.PublishTo(t.Context(), nil, nil)
	require.ErrorIs(t, err, call.ErrEnded)
}

func TestTimer(t *testing.T) {
	var timer face.Timer
	fired := make(chan int, 2)
	timer.Start(time.Nanosecond, func(round int) { fired <- round })
	first := <-fired
	require.True(t, timer.Running())
	timer.Start(time.Nanosecond, func(round int) { fired <- round })
	second := <-fired
	require.False(t, timer.Take(first), "it was started anew")
	require.True(t, timer.Take(second))
	require.False(t, timer.Running())
	timer.Start(time.Hour, nil)
	timer.Stop()
	require.False(t, timer.Running())
}

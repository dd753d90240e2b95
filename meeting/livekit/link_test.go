package livekit

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// Events nobody reads are bounded; the loss is announced, and the last ones
// are those that are kept.
func TestEventsOverflow(t *testing.T) {
	q := newEvents()
	for i := range cap(q.ch) + 10 {
		q.send(Event{Kind: Wanted, Role: media.Role(i % 3)})
	}
	q.send(Event{Kind: Speaking}) // gives way to the rest
	q.send(Event{Kind: Ended})
	q.close()
	q.send(Event{Kind: Wanted})
	var n, missed int
	var last Event
	for e := range q.ch {
		n++
		last = e
		if e.Missed {
			missed++
		}
	}
	require.Equal(t, cap(q.ch), n)
	require.Equal(t, 11, missed)
	require.Equal(t, Ended, last.Kind)
}

func TestJoinErrors(t *testing.T) {
	for _, tc := range []struct {
		err   error
		is    error
		code  call.CauseCode
		final bool
	}{
		{&JoinError{401, "invalid token"}, ErrRefused, call.Rejected, true},
		{&JoinError{404, "requested room does not exist"}, ErrNoRoom, call.MeetingEnded, true},
		{&JoinError{500, "could not join: connection closed by media"}, ErrRoomFull, call.UserBusy, true},
		{&JoinError{503, "no nodes"}, nil, call.Failure, false},
		{&JoinError{500, "internal"}, nil, call.Failure, false},
		{leaveError(&livekit.LeaveRequest{Reason: livekit.DisconnectReason_PARTICIPANT_REMOVED}), ErrRemoved, call.Removed, true},
		{leaveError(&livekit.LeaveRequest{Reason: livekit.DisconnectReason_ROOM_DELETED}), ErrRoomClosed, call.MeetingEnded, true},
		{leaveError(&livekit.LeaveRequest{Reason: livekit.DisconnectReason_DUPLICATE_IDENTITY}), ErrReplaced, call.Failure, true},
		{leaveError(&livekit.LeaveRequest{Reason: livekit.DisconnectReason_SERVER_SHUTDOWN}), errBroken, call.Failure, false},
		{leaveError(&livekit.LeaveRequest{Reason: livekit.DisconnectReason_STATE_MISMATCH}), errBroken, call.Failure, false},
		{fmt.Errorf("%w: x", ErrUnreachable), ErrUnreachable, call.Congestion, false},
		{nil, nil, call.NormalClearing, false},
	} {
		if tc.is != nil {
			require.ErrorIs(t, tc.err, tc.is)
		}
		require.Equal(t, tc.code, Cause(tc.err).Code, "%v", tc.err)
		require.Equal(t, tc.final, permanent(tc.err), "%v", tc.err)
	}
	require.False(t, errors.Is(&JoinError{500, "internal"}, ErrRoomFull))
}

// A seat that does not receive skips, undecoded, exactly what concerns others.
func TestConcernsOthers(t *testing.T) {
	for _, tc := range []struct {
		message *livekit.SignalResponse
		others  bool
	}{
		{&livekit.SignalResponse{Message: &livekit.SignalResponse_Update{Update: &livekit.ParticipantUpdate{}}}, true},
		{&livekit.SignalResponse{Message: &livekit.SignalResponse_SpeakersChanged{SpeakersChanged: &livekit.SpeakersChanged{}}}, true},
		{&livekit.SignalResponse{Message: &livekit.SignalResponse_RoomUpdate{RoomUpdate: &livekit.RoomUpdate{}}}, true},
		{&livekit.SignalResponse{Message: &livekit.SignalResponse_ConnectionQuality{ConnectionQuality: &livekit.ConnectionQualityUpdate{}}}, true},
		{&livekit.SignalResponse{Message: &livekit.SignalResponse_Leave{Leave: &livekit.LeaveRequest{}}}, false},
		{&livekit.SignalResponse{Message: &livekit.SignalResponse_Mute{Mute: &livekit.MuteTrackRequest{}}}, false},
		{&livekit.SignalResponse{Message: &livekit.SignalResponse_SubscribedQualityUpdate{SubscribedQualityUpdate: &livekit.SubscribedQualityUpdate{}}}, false},
		{&livekit.SignalResponse{Message: &livekit.SignalResponse_TrackPublished{TrackPublished: &livekit.TrackPublishedResponse{}}}, false},
	} {
		b, err := proto.Marshal(tc.message)
		require.NoError(t, err)
		require.Equal(t, tc.others, concernsOthers(b), "%T", tc.message.GetMessage())
	}
	require.False(t, concernsOthers(nil))
	require.False(t, concernsOthers([]byte{0xff}))
}

func TestWithoutCandidates(t *testing.T) {
	require.Equal(t, "v=0\r\nm=audio\r\na=mid:0\r\n",
		withoutCandidates("v=0\r\nm=audio\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\na=mid:0\r\na=end-of-candidates\r\n"))
}

// Each beat is called once an interval, whatever slot it has.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPulse(time.Second)
		counts := make([]int, 25)
		var removes []func()
		for i := range counts {
			removes = append(removes, p.add(func(time.Time) { counts[i]++ }))
		}
		time.Sleep(10*time.Second + time.Millisecond) // of the bubble's clock
		synctest.Wait()
		for _, n := range counts {
			require.Equal(t, 10, n)
		}
		for _, remove := range removes {
			remove()
		}
		time.Sleep(2 * time.Second)
		p.close()
		p.close()
		require.Equal(t, 10, counts[0])
	})
}

func TestURLs(t *testing.T) {
	for _, good := range []string{"ws://h:1", "wss://h/prefix/", "http://h", "https://[::1]:7880"} {
		_, err := New(Config{URL: good, APIKey: "k", APISecret: "s"})
		require.NoError(t, err, good)
	}
	for _, bad := range []string{"", "h:1", "ftp://h", "ws://", "://"} {
		_, err := New(Config{URL: bad, APIKey: "k", APISecret: "s"})
		require.Error(t, err, bad)
	}
	_, err := New(Config{URL: "ws://h"})
	require.Error(t, err)
	c, err := New(Config{URL: "ws://h", PublicURL: "wss://p", APIKey: "k", APISecret: "s"})
	require.NoError(t, err)
	require.Equal(t, "wss://p", c.PublicURL())
	require.Equal(t, "https", httpScheme("wss"))
	require.Equal(t, "ws", webSocketScheme("http"))
}

package livekit

import (
	"fmt"
	"testing"

	"github.com/livekit/protocol/livekit"
	"github.com/stretchr/testify/require"
)

// A leg of the node may know of a picture before the receiver does: what was
// asked for meanwhile is subscribed to when the receiver hears of it, once on
// every session.
func TestSubscribedBeforeItIsKnown(t *testing.T) {
	client := &Client{config: Config{Local: func(string, map[string]string) bool { return false }}}
	r := newReception(&link{client: client, identity: "receiver"}, nil, High, false)
	camera := func(id string) []*livekit.ParticipantInfo {
		return []*livekit.ParticipantInfo{{Sid: "PA_1", Identity: "lan", Tracks: []*livekit.TrackInfo{
			{Sid: id, Type: livekit.TrackType_VIDEO, MimeType: "video/H264"},
		}}}
	}
	r.Subscribe("TR_1", Subscription{Quality: Low})
	require.Empty(t, r.due(), "not published yet")
	r.apply(camera("TR_1"), false)
	require.Equal(t, map[string]Subscription{"TR_1": {Quality: Low}}, r.due())
	require.Empty(t, r.due(), "asked for already")
	clear(r.asked) // as a new session does
	require.Len(t, r.due(), 1)

	r.apply(camera("TR_2"), false)
	require.Empty(t, r.wanted, "what is gone is not wanted")
	r.Subscribe("TR_3", Subscription{})
	r.Unsubscribe("TR_3")
	r.apply(camera("TR_3"), false)
	require.Empty(t, r.due(), "given up")

	for i := range 2 * mostWishes {
		r.Subscribe(fmt.Sprint("never", i), Subscription{})
	}
	require.LessOrEqual(t, len(r.wanted), mostWishes)
	r.Subscribe("TR_3", Subscription{})
	require.True(t, r.asked["TR_3"], "what is there is not bounded")
	r.pause()
	require.Empty(t, r.due())
}

package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	lkproto "github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"
)

// roomAdmin is the API of an SFU, and what gives requests about a room their right.
func roomAdmin(t *testing.T, url, room string) (lkproto.RoomService, func() (context.Context, context.CancelFunc)) {
	t.Helper()
	token, err := auth.NewAccessToken(livekitKey, livekitSecret).SetVideoGrant(&auth.VideoGrant{RoomAdmin: true, Room: room}).ToJWT()
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := twirp.WithHTTPRequestHeaders(t.Context(), http.Header{"Authorization": []string{"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	return lkproto.NewRoomServiceProtobufClient(url, http.DefaultClient), func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 5*time.Second)
	}
}

// muteContent has the SFU mute what a participant presents, as a moderator's tool does.
func muteContent(t *testing.T, room, identity string) {
	t.Helper()
	rooms, within := roomAdmin(t, "http://127.0.0.1:7880", room)
	ctx, cancel := within()
	defer cancel()
	who, err := rooms.GetParticipant(ctx, &lkproto.RoomParticipantIdentity{Room: room, Identity: identity})
	if err != nil {
		t.Fatal(err)
	}
	for _, track := range who.Tracks {
		if track.Source != lkproto.TrackSource_SCREEN_SHARE {
			continue
		}
		if _, err := rooms.MutePublishedTrack(ctx, &lkproto.MuteRoomTrackRequest{Room: room, Identity: identity, TrackSid: track.Sid, Muted: true}); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s publishes no content: %v", identity, who.Tracks)
}

// TestContentTakenAway: who presents and is muted, stopped or removed presents no more,
// whether terminal or browser; a muted microphone alone changes nothing.
func TestContentTakenAway(t *testing.T) {
	g := startGateway(t, "sfu: {api_key: "+livekitKey+", api_secret: "+livekitSecret+"}\n")
	stop := func(t *testing.T, meeting, identity string) {
		if err := g.api().Present(t.Context(), meeting, identity, false); err != nil {
			t.Error(err)
		}
	}
	remove := func(t *testing.T, meeting, identity string) {
		if err := g.api().RemoveParticipant(t.Context(), meeting, identity); err != nil {
			t.Error(err)
		}
	}
	ways := []struct {
		name  string
		by    func(t *testing.T, meeting, identity string)
		stays bool
	}{{"muted", muteContent, true}, {"stopped", stop, true}, {"removed", remove, false}}
	type pair struct {
		name              string
		viewer, presenter *room
	}
	var pairs []pair // each in a meeting of its own
	for _, kind := range []int{0, 2} {
		for _, way := range ways {
			meeting := way.name + "-" + kinds[kind].name
			viewer := g.viewer(t, 500, meeting)
			eventually(t, 15*time.Second, "the viewer is in", func() bool { return g.legsIn(meeting) == 1 })
			pairs = append(pairs, pair{meeting, viewer, g.presenter(t, 800, meeting, kinds[kind].args...)})
		}
	}
	for i, p := range pairs {
		way, meeting := ways[i%len(ways)], p.name
		t.Run(meeting, func(t *testing.T) {
			during(t, p.viewer.process, p.presenter.process)
			eventually(t, 15*time.Second, "it presents", func() bool { return g.presents(meeting) != "" && g.isSentContent(meeting, 0) })
			identity := g.presents(meeting)
			if err := g.api().MuteParticipant(t.Context(), meeting, identity, true); err != nil {
				t.Error(err)
			}
			eventually(t, 10*time.Second, "it is muted", func() bool { return g.muted(meeting) })
			if g.presents(meeting) != identity {
				t.Error("with its microphone muted it presents no more")
			}
			way.by(t, meeting, identity)
			eventually(t, 10*time.Second, "nobody presents", func() bool { return g.presents(meeting) == "" })
			if way.stays {
				eventually(t, 10*time.Second, "it is told so", func() bool { return strings.Contains(p.presenter.text(), "presentation lost") })
				p.presenter.stop()
			}
			if r := p.presenter.report(); r.Presenting == nil || way.stays && r.Presenting.State != "lost" || !way.stays && r.Cause == "" {
				t.Errorf("it was told %+v, and left: %q", r.Presenting, r.Cause)
			}
			p.viewer.stop()
			_ = p.viewer.report()
		})
	}
	g.noCalls()
	for _, way := range ways {
		t.Run("browser "+way.name, func(t *testing.T) {
			meeting := way.name + "-web"
			web := joinMeeting(t, meeting, browserOptions{name: "Lan", still: true})
			viewer := g.viewer(t, 500, meeting)
			web.shareCanvas(1280, 720)
			eventually(t, 20*time.Second, "the terminal is sent the screen", func() bool {
				return strings.HasPrefix(g.presents(meeting), "web-") && len(g.calls()) == 1 && g.calls()[0].packets("content", "send") > 20
			})
			way.by(t, meeting, g.presents(meeting))
			eventually(t, 10*time.Second, "nobody presents", func() bool { return g.presents(meeting) == "" })
			if ids := g.identities(meeting); way.stays != (len(ids) == 2) {
				t.Errorf("in the meeting are %v", ids)
			}
			viewer.stop()
			_ = viewer.report()
			g.noCalls()
		})
	}
}

package e2e

import (
	"net/url"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/auth"
)

// A meeting that the meeting server records is said to be, from the moment that what records
// it comes to the one when it goes.
func TestRecordingIsTold(t *testing.T) {
	startRedis(t)
	l := startLiveKit(t, 0)
	g := startGateway(t, l.external())
	r := startRoom(t, 500, "--call", "taped@"+gatewayIP, "--audio-only")
	during(t, r.process)
	g.inMeeting("taped", "active", 1)
	recorded := func(want bool) {
		t.Helper()
		eventually(t, 15*time.Second, "the recording is told", func() bool {
			m, err := g.api().Meeting(t.Context(), "taped")
			return err == nil && m.Recorded == want
		})
	}
	recorded(false)
	// LiveKit's egress joins with this right, hidden.
	token, err := auth.NewAccessToken(livekitKey, livekitSecret).SetIdentity("egress").SetValidFor(time.Hour).
		SetVideoGrant(&auth.VideoGrant{RoomJoin: true, Room: "taped", Recorder: true, Hidden: true}).ToJWT()
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{"access_token": {token}, "protocol": {"9"}, "sdk": {"go"}}
	conn, answer, err := websocket.DefaultDialer.DialContext(t.Context(), l.url()+"/rtc?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	recorded(true)
	conn.Close()
	recorded(false)
	r.stop()
	g.noCalls()
}

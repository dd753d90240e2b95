package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	lkproto "github.com/livekit/protocol/livekit"

	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
)

// cluster is two gateways with one database and one SFU.
type cluster struct {
	t           *testing.T
	first, over *gateway
	sfu         string // its URL
	db          *store.DB
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	postgres, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := postgres.Stop(); err != nil {
			t.Error(err)
		}
	})
	startRedis(t)
	server := startLiveKit(t, 0)
	shared := fmt.Sprintf("database: {url: %q}\nsecret_key: %q\n", postgres.URL("postgres"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	c := &cluster{t: t, sfu: strings.Replace(server.url(), "ws:", "http:", 1)}
	c.first = startGateway(t, server.external()+shared)
	c.over = startSecondAt(t, server.external(), shared)
	if c.db, err = store.Open(t.Context(), postgres.URL("postgres")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.db.Close() })
	return c
}

// decides is the node that the database says decides in a meeting; "" is none.
func (c *cluster) decides(meeting string) (node string) {
	row := c.db.QueryRow(c.t.Context(), "SELECT node FROM leases WHERE name = $1", "floor "+meeting)
	if err := row.Scan(&node); err != nil {
		return ""
	}
	return node
}

// shares are who publishes content that is not muted, and of which node each participant is.
func (c *cluster) shares(meeting string) (who []string, nodes map[string]string) {
	c.t.Helper()
	rooms, within := roomAdmin(c.t, c.sfu, meeting)
	ctx, cancel := within()
	defer cancel()
	nodes = map[string]string{}
	got, err := rooms.ListParticipants(ctx, &lkproto.ListParticipantsRequest{Room: meeting})
	if err != nil {
		return nil, nodes
	}
	for _, p := range got.Participants {
		nodes[p.Identity] = p.Attributes["roomgate.node"]
		for _, track := range p.Tracks {
			if track.Source == lkproto.TrackSource_SCREEN_SHARE && !track.Muted {
				who = append(who, p.Identity)
			}
		}
	}
	return who, nodes
}

// presents waits until one alone presents, both gateways say that it is the same one, and
// it stays so: who has to stop gets a moment to.
func (c *cluster) presents(meeting, notThis string) (identity string) {
	c.t.Helper()
	since := time.Now()
	last := ""
	eventually(c.t, 30*time.Second, "one alone presents in "+meeting, func() bool {
		who, _ := c.shares(meeting)
		here, there := c.first.presents(meeting), c.over.presents(meeting)
		if len(who) != 1 || who[0] == notThis || who[0] != last || here != last || there != last {
			last, since = "", time.Now()
			if len(who) == 1 && here == who[0] {
				last = here
			}
			return false
		}
		return time.Since(since) > 3*time.Second
	})
	return last
}

// TestOneOfTwoGatewaysDecides: terminals at two gateways of one meeting present one at a
// time, also when both ask at once; the gateway that decides is killed, and the other one
// does.
func TestOneOfTwoGatewaysDecides(t *testing.T) {
	c := startCluster(t)
	const meeting = "shared"
	c.first.makeMeeting(map[string]any{"alias": meeting})
	call := func(hz float64, of *gateway, args ...string) *room {
		at := gatewayIP
		if of == c.over {
			at = fmt.Sprintf("%s:%d", gatewayIP, otherSIP)
		}
		return startRoom(t, hz, append([]string{"--call", meeting + "@" + at, "--video", "none"}, args...)...)
	}
	viewers := []*room{call(400, c.first), call(500, c.over)}
	eventually(t, 20*time.Second, "the viewers are in", func() bool { return c.first.legsIn(meeting) == 1 && c.over.legsIn(meeting) == 1 })
	eventually(t, 20*time.Second, "one decides", func() bool { return c.decides(meeting) != "" })
	if err := c.first.api().SetMeetingLayout(t.Context(), meeting, "3x3", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the other gateway shows the layout that was chosen", func() bool {
		l, err := c.over.api().MeetingLayout(t.Context(), meeting)
		return err == nil && l.Layout == "3x3"
	})
	first := call(700, c.first, "--content", "page:7@1280x720", "--content-after", "4s")
	over := call(800, c.over, "--content", "page:8@1280x720", "--content-after", "4s") // both at once
	was := c.presents(meeting, "")
	t.Logf("of two who asked at once %s presents, %s decides", was, c.decides(meeting))

	third := call(900, c.first, "--content", "page:9@1280x720")
	was = c.presents(meeting, was)
	for _, r := range []*room{first, over} {
		r.stop()
		if p := r.report().Presenting; p == nil || p.State == "granted" {
			t.Errorf("%s was told %+v while another presents", r.name, p)
		}
	}

	decided := c.decides(meeting)
	_, nodes := c.shares(meeting)
	var killed, left *gateway = c.first, c.over
	if nodes[was] != decided { // the third one is of the first gateway
		killed, left = c.over, c.first
	}
	t.Logf("%s presents at %s, %s decides and is killed", was, nodes[was], decided)
	killed.kill()
	eventually(t, 30*time.Second, "the other gateway decides", func() bool { n := c.decides(meeting); return n != "" && n != decided })
	eventually(t, 60*time.Second, "nobody of the killed one is in the meeting", func() bool {
		_, nodes := c.shares(meeting)
		for _, n := range nodes {
			if n == decided {
				return false
			}
		}
		return true
	})
	last := call(1100, left, "--content", "page:10@1280x720")
	eventually(t, 20*time.Second, "the last one presents", func() bool {
		who, nodes := c.shares(meeting)
		return len(who) == 1 && who[0] == left.presents(meeting) && nodes[who[0]] == c.decides(meeting) && who[0] != was
	})
	viewer := viewers[slices.Index([]*gateway{c.first, c.over}, left)]
	left.flowsOn(t, meeting)
	last.stop()
	eventually(t, 10*time.Second, "nobody presents", func() bool { return left.presents(meeting) == "" })
	viewer.stop()
	if r := last.report(); r.Presenting == nil || r.Presenting.State != "granted" {
		t.Errorf("the last one was told %+v", r.Presenting)
	}
	if v := viewer.report().Content; v == nil || v.Width != 1280 || v.Frames < 10 {
		t.Errorf("the viewer sees %+v", v)
	}
	third.kill()
}

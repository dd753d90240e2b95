package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// scrape returns our metrics, by name and labels.
func scrape(t *testing.T, m *api.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	values := map[string]string{}
	for line := range strings.SplitSeq(w.Body.String(), "\n") {
		if name, value, ok := strings.Cut(line, " "); ok && strings.HasPrefix(name, "roomgate_") {
			values[name] = value
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	events := make(chan gateway.Event)
	f := &fake{
		status: gateway.Status{MaxCalls: 100, SFU: "up", Video: "up", Total: 5, Refused: 2,
			Pictures: gateway.Pictures{Encoders: 4, Frames: 900, Busy: 1500 * time.Millisecond, Restarts: 1},
			Ticks:    gateway.Ticks{Bounds: []time.Duration{time.Millisecond, 5 * time.Millisecond}, Late: []uint64{90, 9, 1}, LateSum: time.Second, Skipped: 2}},
		calls:    []gateway.Call{sampleCall("c1", time.Hour), sampleCall("c2", time.Minute)},
		meetings: []gateway.Meeting{{Legs: 2}, {Legs: 0}},
		bindings: []gateway.Registration{{Protocol: call.SIP}, {Protocol: call.SIP}},
	}
	m := api.NewMetrics()
	assert.Empty(t, scrape(t, m), "nothing to look at yet")
	m.Observe(f, func() api.Reload { return api.Reload{Reloads: 3, Failures: 1, NeedRestart: []string{"sip.udp"}} })
	done := make(chan struct{})
	go func() { defer close(done); m.Run(events) }()

	m.SIPMessage(false, "INVITE", 0)
	m.SIPMessage(true, "", 200)
	m.SIPMessage(true, "", 200)
	m.SIPMessage(false, "NONSENSE", 0)
	m.H323Message(false, "RRQ")
	m.H323Message(true, "RCF")
	got := scrape(t, m)
	for name, want := range map[string]string{
		`roomgate_calls{direction="in",protocol="sip",state="active"}`: "2",
		`roomgate_calls_total`:                                             "5",
		`roomgate_calls_refused_total`:                                     "2",
		`roomgate_calls_limit`:                                             "100",
		`roomgate_meetings`:                                                "2",
		`roomgate_meeting_legs`:                                            "2",
		`roomgate_registrations{protocol="sip"}`:                           "2",
		`roomgate_sfu_up`:                                                  "1",
		`roomgate_video_up`:                                                "1",
		`roomgate_video_encoders`:                                          "4",
		`roomgate_video_steps_total`:                                       "900",
		`roomgate_video_busy_seconds_total`:                                "1.5",
		`roomgate_video_restarts_total`:                                    "1",
		`roomgate_audio_tick_late_seconds_bucket{le="0.005"}`:              "99",
		`roomgate_audio_tick_late_seconds_count`:                           "100",
		`roomgate_audio_ticks_skipped_total`:                               "2",
		`roomgate_draining`:                                                "0",
		`roomgate_media_packets_total{direction="recv",kind="audio"}`:      "1000",
		`roomgate_media_packets_total{direction="send",kind="video"}`:      "1800",
		`roomgate_media_lost_packets_total{direction="recv",kind="audio"}`: "4",
		`roomgate_config_reloads_total{result="applied"}`:                  "3",
		`roomgate_config_reloads_total{result="refused"}`:                  "1",
		`roomgate_config_restart_needed`:                                   "1",
		`roomgate_sip_messages_total{direction="in",kind="INVITE"}`:        "1",
		`roomgate_sip_messages_total{direction="in",kind="other"}`:         "1",
		`roomgate_sip_messages_total{direction="out",kind="2xx"}`:          "2",
		`roomgate_h323_messages_total{direction="in",kind="RRQ"}`:          "1",
		`roomgate_h323_messages_total{direction="out",kind="RCF"}`:         "1",
	} {
		assert.Equal(t, want, got[name], name)
	}

	// c1 ends with more packets than were ever scraped; c3 comes and goes
	// between two scrapes.
	ended := sampleCall("c1", time.Hour)
	ended.Media[0].Packets = 700
	f.calls = f.calls[1:]
	events <- gateway.Event{Seq: 1, Kind: gateway.EventCallEnded, Call: &ended}
	short := sampleCall("c3", time.Second)
	events <- gateway.Event{Seq: 2, Kind: gateway.EventCallEnded, Call: &short}
	const audio = `roomgate_media_packets_total{direction="recv",kind="audio"}`
	events <- gateway.Event{Seq: 3, Kind: gateway.EventSpeaker} // c3 is counted when this is taken
	assert.Equal(t, "1700", scrape(t, m)[audio])

	// c2 vanishes without a word: it counts on as last seen.
	f.calls = nil
	for range 5 {
		assert.Equal(t, "1700", scrape(t, m)[audio])
	}
	close(events)
	<-done
}

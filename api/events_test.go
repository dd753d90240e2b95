package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// source is a stream of events that tests feed; it notes where clients start.
type source struct {
	started chan uint64
	events  chan gateway.Event
}

func newSource() *source {
	return &source{started: make(chan uint64, 1), events: make(chan gateway.Event)}
}

func (s *source) follow(ctx context.Context, after uint64) <-chan gateway.Event {
	out := make(chan gateway.Event)
	s.started <- after
	go func() {
		defer close(out)
		for {
			select {
			case e, open := <-s.events:
				if !open {
					return
				}
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// received is one event as a client sees it.
type received struct {
	id, kind string
	data     api.Event
}

// subscriber reads a stream of events.
type subscriber struct {
	t     *testing.T
	lines *bufio.Scanner
}

func subscribe(t *testing.T, server *httptest.Server, query, lastID string, change ...func(*http.Request)) *subscriber {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/events"+query, nil)
	require.NoError(t, err)
	withKey(req)
	for _, c := range change {
		c(req)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { cancel(); resp.Body.Close() })
	require.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	return &subscriber{t, bufio.NewScanner(resp.Body)}
}

// next reads one event; ok is false at the end of the stream.
func (s *subscriber) next() (e received, ok bool) {
	s.t.Helper()
	for s.lines.Scan() {
		line := s.lines.Text()
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			require.NoError(s.t, json.Unmarshal([]byte(value), &e.data))
		case "":
			if e.kind != "" {
				return e, true
			}
		}
	}
	return e, false
}

func TestEvents(t *testing.T) {
	src := newSource()
	started := time.UnixMilli(1700000000123)
	f := &fake{events: src.follow, status: gateway.Status{Started: started}}
	server := httptest.NewServer(newAPI(t, f))
	defer server.Close()

	s := subscribe(t, server, "", "")
	assert.Equal(t, uint64(0), <-src.started, "from now on")
	c := sampleCall("c1", time.Minute)
	src.events <- gateway.Event{Seq: 7, Time: now, Kind: gateway.EventCallStarted, Meeting: "88001", Call: &c}
	e, _ := s.next()
	assert.Equal(t, "1700000000123-7", e.id)
	assert.Equal(t, "call.started", e.kind)
	assert.Equal(t, "call.started", e.data.Type)
	assert.Equal(t, "c1", e.data.Call.ID)
	assert.Equal(t, now, e.data.Time)

	src.events <- gateway.Event{Seq: 8, Time: now, Kind: gateway.EventRegistered, Registration: &gateway.Registration{Protocol: call.SIP, Alias: "room1"}}
	e, _ = s.next()
	assert.Equal(t, "room1", e.data.Registration.Alias)
	src.events <- gateway.Event{Seq: 9, Time: now, Kind: gateway.EventJoined, Meeting: "88001", Participant: &gateway.Participant{Participant: call.Participant{Identity: "web-1"}}}
	e, _ = s.next()
	assert.Equal(t, "web-1", e.data.Participant.Identity)

	src.events <- gateway.Event{Seq: 15, Time: now, Kind: gateway.EventSFULost}
	e, _ = s.next()
	assert.Equal(t, api.EventGap, e.kind)
	assert.Contains(t, e.data.Text, "5 events")
	e, _ = s.next()
	assert.Equal(t, "sfu.lost", e.kind)

	close(src.events) // the gateway ends
	_, ok := s.next()
	assert.False(t, ok)
}

func TestEventsResume(t *testing.T) {
	for _, tc := range []struct {
		name, last string
		after      uint64
		kinds      []string
	}{
		{"where it was", "1700000000123-6", 6, []string{"meeting.started"}},
		{"some are lost", "1700000000123-3", 3, []string{"gap", "meeting.started"}},
		{"the gateway has restarted", "1600000000000-99", 0, []string{"gap", "meeting.started"}},
		{"nonsense", "yesterday", 0, []string{"meeting.started"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src := newSource()
			f := &fake{events: src.follow, status: gateway.Status{Started: time.UnixMilli(1700000000123)}}
			server := httptest.NewServer(newAPI(t, f))
			defer server.Close()
			s := subscribe(t, server, "", tc.last)
			assert.Equal(t, tc.after, <-src.started)
			src.events <- gateway.Event{Seq: 7, Kind: gateway.EventMeetingStarted, Meeting: "88001"}
			for _, kind := range tc.kinds {
				e, _ := s.next()
				assert.Equal(t, kind, e.kind)
			}
			close(src.events)
		})
	}
}

func TestEventsOfOneMeeting(t *testing.T) {
	src := newSource()
	server := httptest.NewServer(newAPI(t, &fake{events: src.follow}))
	defer server.Close()
	s := subscribe(t, server, "?meeting=b", "")
	for i, alias := range []string{"a", "b", "a", "b"} {
		src.events <- gateway.Event{Seq: uint64(i + 1), Kind: gateway.EventSpeaker, Meeting: alias}
	}
	for range 2 {
		e, _ := s.next()
		assert.Equal(t, "b", e.data.Meeting, "events of others are no gap")
	}
	close(src.events)
}

// A key of one agency follows its meetings, to their end, and nothing else.
func TestEventsOfOneAgency(t *testing.T) {
	src := newSource()
	f := &fake{events: src.follow}
	f.meetings = []gateway.Meeting{{MeetingSpec: gateway.MeetingSpec{Alias: "theirs", Agency: "Sở Y tế"}}, {MeetingSpec: gateway.MeetingSpec{Alias: "own", Agency: "UBND"}}}
	s := serveDirectory(t, f)
	key := s.key(`"read"`, "UBND")
	server := httptest.NewServer(s)
	defer server.Close()
	stream := subscribe(t, server, "", "", key)
	seq := uint64(0)
	say := func(kind gateway.EventKind, meeting string) {
		seq++
		src.events <- gateway.Event{Seq: seq, Kind: kind, Meeting: meeting}
	}
	say(gateway.EventMeetingStarted, "theirs")
	say(gateway.EventSFULost, "")
	say(gateway.EventMeetingStarted, "own")
	e, _ := stream.next()
	assert.Equal(t, "own", e.data.Meeting)
	f.gone.Store(true) // before the event of it
	say(gateway.EventMeetingEnded, "theirs")
	say(gateway.EventMeetingEnded, "own")
	e, _ = stream.next()
	assert.Equal(t, "own", e.data.Meeting)
	assert.Equal(t, string(gateway.EventMeetingEnded), e.kind)
	close(src.events)
	_, more := stream.next()
	assert.False(t, more)
}

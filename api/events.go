package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/roomgate/roomgate/gateway"
)

// keepAlive is how often a silent stream says that it lives, so that proxies
// do not close it; writeTimeout is how long a client may take what we send.
const (
	keepAlive    = 15 * time.Second
	writeTimeout = 10 * time.Second
)

// Event is the data of one event of the stream. Only what belongs to its type
// is set.
type Event struct {
	Type         string        `json:"type" example:"call.started"`
	Time         time.Time     `json:"time"`
	Meeting      string        `json:"meeting,omitempty"`
	Call         *Call         `json:"call,omitempty"`
	Participant  *Participant  `json:"participant,omitempty"`
	Registration *Registration `json:"registration,omitempty"`
	Text         string        `json:"text,omitempty"`
}

// EventGap is the type of the event that stands where others were lost: the
// client was away, or slow, for longer than events are kept.
const EventGap = "gap"

func eventView(e gateway.Event) Event {
	v := Event{Type: string(e.Kind), Time: e.Time.UTC(), Meeting: e.Meeting, Text: e.Text}
	if e.Call != nil {
		c := callView(*e.Call)
		v.Call = &c
	}
	if e.Participant != nil {
		p := participantView(*e.Participant)
		v.Participant = &p
	}
	if e.Registration != nil {
		r := registrationView(*e.Registration)
		v.Registration = &r
	}
	return v
}

type eventsInput struct {
	LastEventID string `header:"Last-Event-ID" maxLength:"64" doc:"Continue after this event."`
	Meeting     string `query:"meeting" maxLength:"64" doc:"Only events of this meeting."`
}

func (a *API) events() {
	op := operation("events", http.MethodGet, "/events", "Follow what happens", "Events")
	op.Metadata = map[string]any{byAgency: true}
	op.Description = "A stream of Server-Sent Events: id, event (the type), and data, an Event. A client that comes back with Last-Event-ID " +
		"gets what it missed; where that is no longer kept, an event of type " + EventGap + " says so. An API key of one agency gets the events of its meetings."
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflectEvent, true, "Event")
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The stream.",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string", Description: "data: " + schema.Ref}}},
	}}
	huma.Register(a.huma, op, func(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
		agency := agencyOf(clientOf(ctx))
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			r, w := humachi.Unwrap(ctx)
			s := stream{api: a, meeting: in.Meeting, agency: agency, owners: map[string]string{}, out: w, flush: http.NewResponseController(w)}
			s.run(r.Context(), in.LastEventID)
		}}, nil
	})
}

// stream is one client's.
type stream struct {
	api     *API
	meeting string
	agency  string            // only events of its meetings; "" = all
	owners  map[string]string // agencies of the meetings seen, which outlive the last event of them
	out     http.ResponseWriter
	flush   *http.ResponseController
	boot    int64  // tells the event numbers of this run of the gateway from others'
	last    uint64 // number of the last event seen
}

func (s *stream) run(ctx context.Context, lastEventID string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.out.Header().Set("Content-Type", "text/event-stream")
	s.out.Header().Set("Cache-Control", "no-store")
	s.out.Header().Set("X-Accel-Buffering", "no")
	s.out.WriteHeader(http.StatusOK)
	s.boot = s.api.Gateway.Status(ctx).Started.UnixMilli()
	boot, after, resumed := parseEventID(lastEventID)
	if resumed && boot != s.boot {
		resumed, after = false, 0
		if s.send("", Event{Type: EventGap, Time: s.api.Now().UTC(), Text: "the gateway has restarted"}) != nil {
			return
		}
	}
	events := s.api.Gateway.Events(ctx, after)
	if s.write(": roomgate\n\n") != nil {
		return
	}
	if resumed {
		s.last = after
	}
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		var err error
		select {
		case e, open := <-events:
			if !open {
				return
			}
			err = s.event(e)
		case <-tick.C:
			err = s.write(": \n\n")
		}
		if err != nil {
			return
		}
	}
}

func (s *stream) event(e gateway.Event) error {
	if s.last != 0 && e.Seq > s.last+1 {
		text := fmt.Sprintf("%d events are no longer kept", e.Seq-s.last-1)
		if err := s.send("", Event{Type: EventGap, Time: e.Time.UTC(), Text: text}); err != nil {
			return err
		}
	}
	s.last = e.Seq
	if s.meeting != "" && e.Meeting != s.meeting || !s.owned(e.Meeting) {
		return nil
	}
	return s.send(fmt.Sprintf("%d-%d", s.boot, e.Seq), eventView(e))
}

// owned reports whether events of a meeting are for this client.
func (s *stream) owned(meeting string) bool {
	if s.agency == "" {
		return true
	}
	if m, err := s.api.Gateway.Meeting(meeting); meeting != "" && err == nil {
		s.owners[meeting] = m.Agency
	}
	return s.owners[meeting] == s.agency
}

// send writes one event in the form of HTML §9.2.6.
func (s *stream) send(id string, e Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("event %s: %w", e.Type, err)
	}
	var b strings.Builder
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("event: " + e.Type + "\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
	return s.write(b.String())
}

func (s *stream) write(text string) error {
	// Writers without deadlines, as in tests, are fast.
	_ = s.flush.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.out.Write([]byte(text)); err != nil {
		return err
	}
	return s.flush.Flush()
}

// parseEventID takes "BOOT-SEQ" apart.
func parseEventID(id string) (boot int64, seq uint64, ok bool) {
	b, n, ok := strings.Cut(id, "-")
	if !ok {
		return 0, 0, false
	}
	boot, errBoot := strconv.ParseInt(b, 10, 64)
	seq, errSeq := strconv.ParseUint(n, 10, 64)
	return boot, seq, errBoot == nil && errSeq == nil
}

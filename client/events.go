package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// longestEvent bounds one line of the stream.
const longestEvent = 1 << 20

// Event is something that happened. Only what belongs to its type is set.
type Event struct {
	ID           string        `json:"-"` // continues the stream; "" for a gap
	Type         string        `json:"type"`
	Time         time.Time     `json:"time"`
	Meeting      string        `json:"meeting"`
	Call         *Call         `json:"call"`
	Participant  *Participant  `json:"participant"`
	Registration *Registration `json:"registration"`
	Text         string        `json:"text"`
}

// Follow hands events to take, in order, until ctx ends, take fails, or the
// connection does. after is the ID of the last event seen, "" to begin with
// what happens from now on; meeting, when not "", leaves other meetings out. To
// continue after an error, call Follow again with the last ID.
func (c *Client) Follow(ctx context.Context, after, meeting string, take func(Event) error) error {
	header := http.Header{}
	if after != "" {
		header.Set("Last-Event-ID", after)
	}
	query := ""
	if meeting != "" {
		query = "?" + url.Values{"meeting": {meeting}}.Encode()
	}
	resp, err := c.send(ctx, http.MethodGet, "/events"+query, nil, header, 0)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, longestEvent)
	var id, data string
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if data == "" {
				continue // a sign of life
			}
			e := Event{ID: id}
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				return fmt.Errorf("event %s: %w", id, err)
			}
			if err := take(e); err != nil {
				return err
			}
			id, data = "", ""
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	return io.EOF
}

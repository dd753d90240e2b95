package e2e

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// eventLog collects the API's event stream.
type eventLog struct {
	t      *testing.T
	mu     sync.Mutex
	events []string // types and data, as they came
}

// listen follows the event stream until the test ends.
func (g *gateway) listen() *eventLog {
	g.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url("/api/v1/events"), nil)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		g.t.Fatalf("events: %s", resp.Status)
	}
	l := &eventLog{t: g.t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				l.mu.Lock()
				l.events = append(l.events, data)
				l.mu.Unlock()
			}
		}
	}()
	g.t.Cleanup(func() { cancel(); <-done })
	return l
}

// of are the events of a type.
func (l *eventLog) of(kind string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.events {
		if strings.Contains(e, `"type":"`+kind+`"`) {
			out = append(out, e)
		}
	}
	return out
}

// await waits for an event of a type.
func (l *eventLog) await(kind string) {
	l.t.Helper()
	eventually(l.t, 15*time.Second, "the event "+kind, func() bool { return len(l.of(kind)) > 0 })
}

package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/signature"
	"github.com/roomgate/roomgate/directory/store"
	"github.com/roomgate/roomgate/directory/webhook"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

const secret = "a-secret-of-16-chars"

// receiver notes what it takes; answer decides what it says to a delivery.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	taken  []string // body, once each
	tries  map[string]int
	answer func(body string, try int) int // status; 0 = stall
}

func newReceiver(t *testing.T, answer func(body string, try int) int) *receiver {
	r := &receiver{tries: map[string]int{}, answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		assert.NoError(t, signature.Verify(secret, req.Header.Get(signature.Header), body, time.Now(), time.Minute))
		assert.NotEmpty(t, req.Header.Get(webhook.HeaderDelivery))
		r.mu.Lock()
		r.tries[string(body)]++
		status := r.answer(string(body), r.tries[string(body)])
		if status/100 == 2 && !slices.Contains(r.taken, string(body)) { // at least once
			r.taken = append(r.taken, string(body))
		}
		r.mu.Unlock()
		if status == 0 {
			<-req.Context().Done()
			return
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.taken)
}

type fixture struct {
	t *testing.T
	d *directory.Directory
}

func each(t *testing.T, test func(f *fixture)) {
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgres": postgrestest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), address)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			keys, err := seal.Parse(seal.NewKey())
			require.NoError(t, err)
			d, err := directory.Open(t.Context(), directory.Config{DB: db, Keys: keys})
			require.NoError(t, err)
			test(&fixture{t, d})
		})
	}
}

func (f *fixture) hook(url string, change func(*directory.Webhook)) directory.Webhook {
	f.t.Helper()
	w := directory.Webhook{URL: url, Secret: secret}
	if change != nil {
		change(&w)
	}
	w, err := f.d.SaveWebhook(f.t.Context(), w)
	require.NoError(f.t, err)
	return w
}

// sender works until stop.
func (f *fixture) sender() (s *webhook.Sender, stop func()) {
	client := &http.Client{Transport: &http.Transport{}}
	s = webhook.New(webhook.Config{
		Directory: f.d, Node: "n1", Client: client, Timeout: 2 * time.Second, Attempts: 4, FirstPause: 5 * time.Millisecond, LongestPause: 20 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.NoError(f.t, <-done)
			client.CloseIdleConnections()
		})
	}
	f.t.Cleanup(stop)
	return s, stop
}

func (f *fixture) send(s *webhook.Sender, eventType, meeting, agency, body string) {
	f.t.Helper()
	require.NoError(f.t, s.Send(f.t.Context(), webhook.Event{Type: eventType, Meeting: meeting, Agency: agency, Body: func() ([]byte, error) { return []byte(body), nil }}))
}

// TestOrderAndRetries: a receiver that fails and stalls gets everything, that of a
// meeting in order; another one is not held up.
func TestOrderAndRetries(t *testing.T) {
	each(t, func(f *fixture) {
		bad := newReceiver(f.t, func(body string, try int) int {
			switch {
			case try == 1 && (body == "m1-0" || body == "m2-3"):
				return http.StatusInternalServerError
			case try == 1 && body == "m1-4":
				return 0
			}
			return http.StatusNoContent
		})
		good := newReceiver(f.t, func(string, int) int { return http.StatusOK })
		f.hook(bad.URL, nil)
		f.hook(good.URL, nil)
		s, _ := f.sender()
		for i := range 8 {
			for _, m := range []string{"m1", "m2"} {
				f.send(s, "call.ended", m, "", fmt.Sprintf("%s-%d", m, i))
			}
		}
		require.Eventually(f.t, func() bool { return len(bad.got()) == 16 && len(good.got()) == 16 }, 20*time.Second, 5*time.Millisecond)
		for _, r := range []*receiver{bad, good} {
			for _, m := range []string{"m1", "m2"} {
				var own []string
				for _, body := range r.got() {
					if body[:2] == m {
						own = append(own, body)
					}
				}
				assert.True(f.t, slices.IsSorted(own), "%v", own)
			}
		}
	})
}

// TestDeadLetters: what is never taken is put aside, what comes after it goes on,
// and it is sent again when somebody wants it.
func TestDeadLetters(t *testing.T) {
	each(t, func(f *fixture) {
		open := false
		r := newReceiver(f.t, func(body string, _ int) int {
			if body == "poison" && !open {
				return http.StatusBadRequest
			}
			return http.StatusOK
		})
		w := f.hook(r.URL, nil)
		s, _ := f.sender()
		f.send(s, "call.ended", "m", "", "before")
		f.send(s, "call.ended", "m", "", "poison")
		f.send(s, "call.ended", "m", "", "after")
		require.Eventually(f.t, func() bool { return len(r.got()) == 2 }, 20*time.Second, 5*time.Millisecond)
		dead, err := webhook.Dead(f.t.Context(), f.d.DB, w.ID, 10)
		require.NoError(f.t, err)
		require.Len(f.t, dead, 1)
		assert.Equal(f.t, "poison", dead[0].Body)
		assert.Equal(f.t, 4, dead[0].Attempts)
		assert.Equal(f.t, "it answers 400 Bad Request", dead[0].Error)
		r.mu.Lock()
		open = true
		r.mu.Unlock()
		n, err := webhook.Revive(f.t.Context(), f.d.DB, w.ID, "n1")
		require.NoError(f.t, err)
		assert.EqualValues(f.t, 1, n)
		s.Wake()
		require.Eventually(f.t, func() bool { return slices.Contains(r.got(), "poison") }, 20*time.Second, 5*time.Millisecond)
	})
}

// TestNothingIsLostWhenTheNodeStops: what waits is delivered after a restart, or by
// another node.
func TestNothingIsLostWhenTheNodeStops(t *testing.T) {
	each(t, func(f *fixture) {
		down := true
		r := newReceiver(f.t, func(string, int) int {
			if down {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		})
		f.hook(r.URL, nil)
		s, stop := f.sender()
		for i := range 3 {
			f.send(s, "call.ended", "m", "", fmt.Sprint(i))
		}
		require.Eventually(f.t, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.tries["0"] > 0 }, 20*time.Second, time.Millisecond)
		stop()
		r.mu.Lock()
		down = false
		r.mu.Unlock()
		require.NoError(f.t, webhook.Inherit(f.t.Context(), f.d.DB, "n1", "n2"))
		require.NoError(f.t, webhook.Inherit(f.t.Context(), f.d.DB, "n2", "n1"))
		f.sender()
		require.Eventually(f.t, func() bool { return len(r.got()) == 3 }, 20*time.Second, 5*time.Millisecond)
		assert.Equal(f.t, []string{"0", "1", "2"}, r.got())
	})
}

func TestWhatIsWanted(t *testing.T) {
	each(t, func(f *fixture) {
		r := newReceiver(f.t, func(string, int) int { return http.StatusOK })
		calls := f.hook(r.URL+"/calls", func(w *directory.Webhook) { w.Events = []string{"call.*"} })
		f.hook(r.URL+"/own", func(w *directory.Webhook) { w.Agency = "UBND" })
		f.hook(r.URL+"/off", func(w *directory.Webhook) { w.Disabled = true })
		s, _ := f.sender()
		f.send(s, "participant.speaking", "m", "UBND", "noise")
		f.send(s, "meeting.started", "m", "UBND", "own")
		f.send(s, "call.ended", "m", "Sở Y tế", "call")
		require.Eventually(f.t, func() bool { return len(r.got()) == 2 }, 20*time.Second, 5*time.Millisecond)
		assert.ElementsMatch(f.t, []string{"own", "call"}, r.got())
		require.NoError(f.t, f.d.DeleteWebhook(f.t.Context(), calls.ID, 0))
		for _, bad := range []directory.Webhook{
			{URL: "ftp://x", Secret: secret}, {URL: r.URL, Secret: "short"}, {URL: r.URL}, {URL: r.URL, Secret: secret, Events: []string{"everything"}},
		} {
			_, err := f.d.SaveWebhook(f.t.Context(), bad)
			var field *directory.FieldError
			assert.ErrorAs(f.t, err, &field)
		}
	})
}

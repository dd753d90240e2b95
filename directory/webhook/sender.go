package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/signature"
)

// Headers of a delivery, besides signature.Header.
const (
	HeaderType     = "Roomgate-Event"
	HeaderDelivery = "Roomgate-Delivery" // the same at each attempt
)

// Config is what a Sender is made of. Directory and Node are required.
type Config struct {
	Directory *directory.Directory
	Node      string
	Client    *http.Client
	Log       *zap.Logger
	Now       func() time.Time
	// Timeout of one attempt; 10 s. Attempts before an event is given up; 12, which
	// with FirstPause doubled each time up to LongestPause is about an hour.
	Timeout      time.Duration
	Attempts     int
	FirstPause   time.Duration // 1 s
	LongestPause time.Duration // 15 min
	// Lanes delivers so many lanes at once; 16.
	Lanes int
}

// Sender delivers what this node has to. Safe for concurrent use.
type Sender struct {
	Config
	wake chan struct{}

	mu   sync.Mutex
	busy map[[2]string]bool // lanes that are being worked on
	wait sync.WaitGroup
}

// New makes a Sender; Run makes it work.
func New(c Config) *Sender {
	if c.Client == nil {
		c.Client = &http.Client{}
	}
	client := *c.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Client = &client
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&c.Timeout, 10 * time.Second}, {&c.FirstPause, time.Second}, {&c.LongestPause, 15 * time.Minute}} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if c.Attempts <= 0 {
		c.Attempts = 12
	}
	if c.Lanes <= 0 {
		c.Lanes = 16
	}
	return &Sender{Config: c, wake: make(chan struct{}, 1), busy: make(map[[2]string]bool)}
}

// Event is something that happened.
type Event struct {
	Type    string
	Meeting string
	Agency  string
	Body    func() ([]byte, error) // made only when somebody wants it
}

// Send queues an event for every webhook that wants it. What Send has taken is
// delivered, after a restart too.
func (s *Sender) Send(ctx context.Context, e Event) error {
	var list []Delivery
	body := ""
	for _, w := range s.Directory.Webhooks() {
		if w.Disabled || !w.Wants(e.Type) || w.Agency != "" && w.Agency != e.Agency {
			continue
		}
		if body == "" {
			text, err := e.Body()
			if err != nil {
				return err
			}
			body = string(text)
		}
		list = append(list, Delivery{ID: newID(), Webhook: w.ID, Lane: e.Meeting, Type: e.Type, Body: body, Created: s.Now()})
	}
	if len(list) == 0 {
		return nil
	}
	if err := put(ctx, s.Directory.DB, s.Node, list); err != nil {
		return err
	}
	s.Wake()
	return nil
}

// Wake has the Sender look for what is due.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// idle is how often is looked for what came without a Wake.
const idle = 30 * time.Second

// Run delivers until ctx ends. What is under way then is sent again later.
func (s *Sender) Run(ctx context.Context) error {
	defer s.wait.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		list, next, err := heads(ctx, s.Directory.DB, s.Node, s.Now())
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("deliveries cannot be read", zap.Error(err))
		}
		for _, d := range list {
			s.begin(ctx, d)
		}
		pause := idle
		if !next.IsZero() {
			pause = min(pause, max(next.Sub(s.Now()), 10*time.Millisecond))
		}
		timer.Reset(pause)
	}
}

// begin works on a lane, unless somebody does, or too many are worked on.
func (s *Sender) begin(ctx context.Context, d Delivery) {
	lane := [2]string{d.Webhook, d.Lane}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[lane] || len(s.busy) >= s.Lanes {
		return
	}
	s.busy[lane] = true
	s.wait.Go(func() {
		s.work(ctx, d)
		s.mu.Lock()
		delete(s.busy, lane)
		s.mu.Unlock()
		s.Wake() // another lane may wait for a place
	})
}

// work delivers what a lane has, one after the other, until one fails.
func (s *Sender) work(ctx context.Context, d Delivery) {
	for ctx.Err() == nil {
		err := s.deliver(ctx, d)
		if ctx.Err() != nil {
			return
		}
		goesOn, storeErr := s.note(ctx, d, err)
		if storeErr == nil && goesOn {
			var ok bool
			if d, ok, storeErr = following(ctx, s.Directory.DB, s.Node, d); storeErr == nil && ok {
				continue
			}
		}
		if storeErr != nil {
			s.Log.Error("the outcome of a delivery is not kept", zap.Error(storeErr))
		}
		return
	}
}

// errGone: there is nobody to deliver to any more.
var errGone = errors.New("the webhook was deleted")

// note keeps the outcome of an attempt; goesOn lets the next of the lane follow.
func (s *Sender) note(ctx context.Context, d Delivery, err error) (goesOn bool, storeErr error) {
	switch {
	case err == nil:
		return true, remove(ctx, s.Directory.DB, d.ID)
	case errors.Is(err, errGone):
		return false, Forget(ctx, s.Directory.DB, d.Webhook)
	}
	d.Attempts++
	d.Error = strings.ToValidUTF8(err.Error(), "?")
	if d.Attempts >= s.Attempts {
		s.Log.Warn("event given up", zap.String("webhook", d.Webhook), zap.String("delivery", d.ID), zap.String("type", d.Type), zap.Error(err))
		return true, giveUp(ctx, s.Directory.DB, d)
	}
	pause := s.LongestPause
	if shift := d.Attempts - 1; shift < 20 {
		pause = min(pause, s.FirstPause<<shift)
	}
	return false, again(ctx, s.Directory.DB, d, s.Now().Add(pause))
}

// deliver makes one attempt.
func (s *Sender) deliver(ctx context.Context, d Delivery) error {
	w, err := s.Directory.Webhook(d.Webhook)
	if err != nil {
		return errGone
	}
	if w.Disabled {
		return errors.New("the webhook is switched off")
	}
	secret, err := s.Directory.WebhookSecret(w)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, strings.NewReader(d.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "roomgate")
	req.Header.Set(HeaderType, d.Type)
	req.Header.Set(HeaderDelivery, d.ID)
	req.Header.Set(signature.Header, signature.Sign(secret, s.Now(), []byte(d.Body)))
	resp, err := s.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	const mostRead = 64 << 10 // so that the connection can be used again
	_, _ = io.CopyN(io.Discard, resp.Body, mostRead)
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}

package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// How often a child is asked whether it serves, and how many answers in a row
// may fail before it counts as hung. The server answers 406 when its statistics
// are stale, which a loaded machine may cause: only silence counts.
const (
	startInterval = 15 * time.Millisecond
	watchInterval = 2 * time.Second
	answerTimeout = 3 * time.Second
	silences      = 3
)

// probe asks the child's health endpoint.
type probe struct {
	url    string
	client http.Client
}

// await returns when the child answers 200.
func (p *probe) await(ctx context.Context, ended <-chan struct{}, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(startInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("embedded sfu does not answer: %w", ctx.Err())
		case <-ended:
			return errChildEnded
		case <-tick.C:
			if status, err := p.ask(ctx); err == nil && status == http.StatusOK {
				return nil
			}
		}
	}
}

// watch returns when the child ended or hangs, or ctx ends.
func (p *probe) watch(ctx context.Context, ended <-chan struct{}) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	silent := 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return errChildEnded
		case <-tick.C:
			if _, err := p.ask(ctx); err == nil {
				silent = 0
			} else if silent++; silent >= silences {
				return errors.New("child hangs")
			}
		}
	}
}

func (p *probe) ask(ctx context.Context) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return 0, err
	}
	if p.client.Transport == nil {
		p.client.Transport = &http.Transport{MaxIdleConns: 1, DisableKeepAlives: true}
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}

func (p *probe) close() { p.client.CloseIdleConnections() }

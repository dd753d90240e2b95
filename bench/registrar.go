package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/bench/uac"
)

// registrar is digest registrations as fast as one core of the gateway goes.
func (r *run) registrar(ctx context.Context) error {
	const agents = 128 // each of its own address, one registration at a time
	st, err := r.newStage(ctx, setup{env: []string{"GOMAXPROCS=1"}}, agents)
	if err != nil {
		return err
	}
	defer st.close()
	var done, failed atomic.Uint64
	var first atomic.Pointer[error]
	until, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	for i := range agents {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := 0; until.Err() == nil; n++ { // over accounts of its own
				switch err := st.agents[i].Register(until, account(i+agents*(n%(accounts/agents)))); {
				case err == nil:
					done.Add(1)
				case until.Err() == nil:
					failed.Add(1)
					first.CompareAndSwap(nil, &err)
				}
			}
		}()
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	m, err := watch(st.gateway)
	if err != nil {
		return err
	}
	before := done.Load()
	if err := pause(ctx, r.window()); err != nil {
		return err
	}
	u, err := m.read()
	if err != nil {
		return err
	}
	if e := first.Load(); e != nil {
		return fmt.Errorf("%d registrations failed: %w", failed.Load(), *e)
	}
	rate := float64(done.Load()-before) / u.lasted.Seconds()
	r.add(Figure{Scenario: "registrar", Name: "digest REGISTERs a second and core", Value: rate / u.gateway, Unit: "1/s", Target: 2000, AtLeast: true,
		Note: fmt.Sprintf("%.0f a second with %.2f cores; each is challenged; load %.2f cores", rate, u.gateway, u.load)})
	return nil
}

// overload is more calls than a gateway can take.
func (r *run) overload(ctx context.Context) error {
	const agents, offered = 128, 500
	lasts := 10 * time.Second
	if r.in.Quick {
		lasts = 5 * time.Second
	}
	st, err := r.newStage(ctx, setup{}, agents)
	if err != nil {
		return err
	}
	defer st.close()
	if err := st.warmUp(ctx, casting{}); err != nil {
		return err
	}
	rss, _, err := st.gateway.self.memory()
	if err != nil {
		return err
	}
	f := &flood{stage: st}
	began := time.Now()
	peak := f.offer(ctx, int(lasts.Seconds())*offered, time.Second/offered)
	f.wait.Wait()
	after, _, err := st.gateway.self.memory()
	if err != nil {
		return err
	}
	repeats := st.repeats()
	accepted := float64(f.accepted.Load())
	note := fmt.Sprintf("of %d: %d accepted, %d refused with 503 (%d with Retry-After), %d otherwise, %d repeats; all answered after %.1f s",
		f.all.Load(), f.accepted.Load(), f.refused.Load(), f.retry.Load(), f.other.Load(), repeats, time.Since(began).Seconds())
	r.add(Figure{Scenario: "flood", Name: "accepted a second of 500 offered", Value: accepted / lasts.Seconds(), Unit: "1/s", Target: 60, AtLeast: true, Note: note})
	r.add(Figure{Scenario: "flood", Name: "set-ups lost", Value: float64(f.lost.Load()), Zero: true})
	r.add(Figure{Scenario: "flood", Name: "answered with neither 200 nor 503", Value: float64(f.other.Load()), Zero: true, Note: f.strange()})
	r.add(Figure{Scenario: "flood", Name: "memory at the peak", Value: float64(max(peak, after)) / (1 << 20), Unit: "MB",
		Note: fmt.Sprintf("%d MB before, %d MB after", rss>>20, after>>20)})
	return ctx.Err()
}

// flood counts what became of set-ups.
type flood struct {
	stage                                      *stage
	wait                                       sync.WaitGroup
	all, accepted, refused, retry, other, lost atomic.Int64
	first                                      atomic.Pointer[error]
}

// offer starts n calls, one every interval, whatever becomes of those before,
// and returns the most memory the gateway held meanwhile.
func (f *flood) offer(ctx context.Context, n int, interval time.Duration) (peak int64) {
	began := time.Now()
	for i := range n {
		if pause(ctx, time.Until(began.Add(time.Duration(i)*interval))) != nil {
			return peak
		}
		f.wait.Add(1)
		go func() {
			defer f.wait.Done()
			f.one(ctx, i)
		}()
		if i%100 == 0 {
			rss, _, _ := f.stage.gateway.self.memory() // the end of the gateway shows in the calls
			peak = max(peak, rss)
		}
	}
	return peak
}

// one calls, talks for two seconds and hangs up.
func (f *flood) one(ctx context.Context, i int) {
	f.all.Add(1)
	agent := f.stage.agents[i%len(f.stage.agents)]
	ctx, cancel := context.WithTimeout(ctx, answerTime+5*time.Second)
	defer cancel()
	c, err := agent.Invite(ctx, fmt.Sprintf("flood-%d", i), offer(f.stage.ports[0], casting{}), account(i))
	var refused *uac.Refused
	switch {
	case err == nil:
		f.accepted.Add(1)
		if pause(ctx, 2*time.Second) == nil {
			_ = c.Hangup(ctx) // the server may have done so
		}
	case errors.As(err, &refused) && refused.Status == 503:
		f.refused.Add(1)
		if refused.RetryAfter > 0 {
			f.retry.Add(1)
		}
	case errors.As(err, &refused):
		f.other.Add(1)
		f.first.CompareAndSwap(nil, &err)
	default:
		f.lost.Add(1)
	}
}

func (f *flood) strange() string {
	if e := f.first.Load(); e != nil {
		return (*e).Error()
	}
	return ""
}

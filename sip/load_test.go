package sip_test

import (
	"context"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
)

// Calls set up and torn down leave goroutines, descriptors and ports where they
// were.
func TestCallsLeaveNothing(t *testing.T) {
	calls := 1000
	if raceEnabled || testing.Short() {
		calls = 120
	}
	a, b := start(t, nil), start(t, nil)
	churn(t, a, b, 20) // what is opened once stays open
	settle(t, a, b)
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	began := time.Now()
	churn(t, a, b, calls)
	t.Logf("%.0f calls a second, set up and torn down, both sides in this process", float64(calls)/time.Since(began).Seconds())
	settle(t, a, b)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 }, patience, 20*time.Millisecond,
		"goroutines: %d before, %d after", goroutines, runtime.NumGoroutine())
	require.LessOrEqual(t, descriptors(t), files+2)
}

// churn makes calls one after the other, eight at a time.
func churn(t *testing.T, a, b *agent, calls int) {
	t.Helper()
	var wg sync.WaitGroup
	work := make(chan struct{}, calls)
	for range calls {
		work <- struct{}{}
	}
	close(work)
	for range 8 {
		wg.Add(2)
		done := make(chan struct{})
		go func() {
			defer wg.Done()
			defer close(done)
			for range work {
				oneCall(t, a, b)
			}
		}()
		go func() {
			defer wg.Done()
			for {
				select {
				case l := <-b.calls:
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					if err := l.Accept(ctx, phone); err != nil {
						t.Errorf("accept: %v", err)
					}
					cancel()
				case <-done:
					return
				}
			}
		}()
	}
	wg.Wait()
}

func oneCall(t *testing.T, a, b *agent) {
	leg, err := a.Dial(context.Background(), call.Target{Address: b.uri("x", "udp"), Can: phone})
	if err != nil {
		t.Errorf("dial: %v", err)
		return
	}
	for ev := range leg.Events() {
		switch ev.Kind {
		case call.Connected:
			_ = leg.Hangup(call.Cause{Code: call.NormalClearing})
		case call.Ended:
			if ev.Cause.Code != call.NormalClearing {
				t.Errorf("ended: %s", ev.Cause)
			}
		}
	}
}

func settle(t *testing.T, agents ...*agent) {
	t.Helper()
	for _, a := range agents {
		require.Eventually(t, func() bool { return a.Calls() == 0 }, patience, 10*time.Millisecond)
		require.Eventually(t, func() bool { return a.ports.Stats().InUse == 0 }, patience, 10*time.Millisecond)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/roomgate/roomgate/terminal"
)

// idleLegs is how many terminals there are at once, two in a meeting, one by each protocol.
const idleLegs = 20

// idleLimit is what rounds of the same calls differ by: less is not measurable.
const idleLimit = 1.1

// idle measures what it costs that terminals could be shown slides while nobody presents: the
// same calls with a second channel and floor control, and without, by turns.
func (r *run) idle(ctx context.Context) error {
	g, err := r.startGateway(ctx, setup{callH323: true})
	if err != nil {
		return err
	}
	defer g.stop()
	rounds := 3
	if r.in.Quick {
		rounds = 1
	}
	if _, err := r.idleRound(ctx, g, "none", time.Second); err != nil { // warms up
		return err
	}
	var costs [2][]float64 // without, with
	for range rounds {
		for i, content := range []string{"off", "none"} {
			cost, err := r.idleRound(ctx, g, content, r.window())
			if err != nil {
				return err
			}
			costs[i] = append(costs[i], cost/idleLegs)
		}
	}
	without, with := mean(costs[0]), mean(costs[1])
	const in = "idle content"
	r.add(Figure{Scenario: in, Name: "gateway, core per leg, no second channel", Value: without, Unit: "core",
		Note: fmt.Sprintf("%.5f to %.5f in %d rounds of %d legs", slices.Min(costs[0]), slices.Max(costs[0]), rounds, idleLegs)})
	r.add(Figure{Scenario: in, Name: "gateway, core per leg, second channel with nothing in it", Value: with, Unit: "core",
		Target: idleLimit * without, Baseline: without, Against: "none", Note: fmt.Sprintf("%.5f to %.5f", slices.Min(costs[1]), slices.Max(costs[1]))})
	return nil
}

// idleRound is the gateway's use of processors while calls last, in cores. content is that of
// terminal.Options.
func (r *run) idleRound(ctx context.Context, g *gateway, content string, lasts time.Duration) (cores float64, err error) {
	calls, hangUp := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer hangUp()
	up := make(chan struct{}, idleLegs)
	reports := make([]terminal.Report, idleLegs)
	for i := range idleLegs {
		o := g.terminal(i, presenters[i%2*2].protocol, fmt.Sprintf("idle-%d", i/2))
		o.Audio, o.Content, o.Connected = "tone:440", content, func() { up <- struct{}{} }
		wait.Go(func() { reports[i], _ = terminal.Run(calls, o) }) // one that fails is not up
	}
	for i := range idleLegs {
		select {
		case <-up:
		case <-time.After(20 * time.Second):
			return 0, fmt.Errorf("%d terminals of %d are connected", i, idleLegs)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if err := pause(ctx, 3*time.Second); err != nil {
		return 0, err
	}
	m, err := watch(g)
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, lasts); err != nil {
		return 0, err
	}
	u, err := m.read()
	if err != nil {
		return 0, err
	}
	hangUp()
	wait.Wait()
	for _, report := range reports {
		if report.Audio == nil || report.Audio.Packets == 0 {
			return 0, fmt.Errorf("a terminal heard nothing: %s", report.Cause)
		}
	}
	return u.gateway, nil
}

func mean(list []float64) (sum float64) {
	for _, v := range list {
		sum += v / float64(len(list))
	}
	return sum
}

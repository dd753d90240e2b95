package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/roomgate/roomgate/bench/traffic"
)

// protocols compares a call by H.323 with the same call by SIP: what it costs while it
// lasts, and how long it takes to be set up.
func (r *run) protocols(ctx context.Context) error {
	const calls = 50
	phone, err := traffic.Speech(pcmu, 8000)
	if err != nil {
		return err
	}
	browser, err := traffic.Speech(opus, 48000)
	if err != nil {
		return err
	}
	var perCall [3]float64 // SIP before and after, since what else the machine does changes
	for i, byH323 := range []bool{false, true, false} {
		if perCall[i], err = r.protocol(ctx, calls, byH323, casting{sound: phone}, casting{sound: browser}); err != nil {
			return err
		}
	}
	bySIP := (perCall[0] + perCall[2]) / 2
	r.add(Figure{Scenario: "h323", Name: "gateway, core per H.323 call", Value: perCall[1], Unit: "core", Baseline: bySIP, Against: "SIP",
		Target: 1.1 * bySIP, Note: fmt.Sprintf("SIP %.5f before, %.5f after", perCall[0], perCall[2])})
	return nil
}

// protocol is what a call costs by one of the protocols.
func (r *run) protocol(ctx context.Context, calls int, byH323 bool, phone, browser casting) (perCall float64, err error) {
	st, err := r.newStageBy(ctx, setup{}, 16, byH323)
	if err != nil {
		return 0, err
	}
	defer st.close()
	if err := st.warmUp(ctx, phone); err != nil {
		return 0, err
	}
	if err := st.seat(ctx, calls, browser); err != nil {
		return 0, err
	}
	if err := st.callAll(ctx, calls, alias, phone); err != nil {
		return 0, err
	}
	if err := pause(ctx, 4*time.Second); err != nil {
		return 0, err
	}
	s, err := r.sample(ctx, st)
	if err != nil || !byH323 {
		return s.gateway / float64(calls), err
	}
	r.add(Figure{Scenario: "h323", Name: "packets/s kept to the phone", Value: s.down, Unit: "1/s", Target: 49.5, AtLeast: true, Baseline: 50, Against: "sent",
		Note: fmt.Sprintf("lowest %.1f; to the meeting %.1f", s.worst, s.up)})
	var took delays
	for i := range 30 {
		p, err := st.dial(ctx, calls+i, fmt.Sprintf("probe-%d", i), phone)
		if err != nil {
			return 0, err
		}
		took.add(p.setUp)
	}
	r.add(Figure{Scenario: "h323", Name: st.gateway.answer() + ", p95", Value: took.quantile(0.95), Unit: "ms", Target: 150,
		Note: "media is agreed on by then: fast start"})
	return s.gateway / float64(calls), nil
}

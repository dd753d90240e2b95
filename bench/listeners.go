package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/roomgate/roomgate/bench/traffic"
)

// listeners is one meeting with a hundred phones that listen to three speakers.
func (r *run) listeners(ctx context.Context) error {
	const phones, speakers = 100, 3
	quiet, err := traffic.Quiet(pcmu, 8000)
	if err != nil {
		return err
	}
	speech, err := traffic.Speech(opus, 48000)
	if err != nil {
		return err
	}
	st, err := r.newStage(ctx, setup{}, 16)
	if err != nil {
		return err
	}
	defer st.close()
	err = each(ctx, speakers, speakers, func(ctx context.Context, i int) error {
		_, err := st.join(ctx, "hall", fmt.Sprintf("speaker-%d", i), casting{sound: speech})
		return err
	})
	if err != nil {
		return err
	}
	if err := st.callAll(ctx, phones, func(int) string { return "hall" }, casting{sound: quiet}); err != nil {
		return err
	}
	if err := pause(ctx, 4*time.Second); err != nil {
		return err
	}
	s, err := r.sample(ctx, st)
	if err != nil {
		return err
	}
	r.compare(func(f floor) {
		r.add(Figure{Scenario: "listeners", Name: "gateway, core per listening leg", Value: s.gateway / phones, Unit: "core", Target: 0.001,
			Baseline: f.relayed(50), Against: "relay of 50/s", Reference: reference.relayed(50), Note: s.around()})
	})
	r.add(Figure{Scenario: "listeners", Name: "packets/s kept to the phone", Value: s.down, Unit: "1/s", Target: 49.5, AtLeast: true,
		Baseline: 50, Against: "sent", Note: fmt.Sprintf("lowest %.1f", s.worst)})
	return nil
}

package bench

import (
	"context"
	"fmt"
	"time"
)

// pictures is H.264 passed on: 1280x720 of 1.5 Mbit/s both ways, between a leg and a
// participant, through the SFU.
func (r *run) pictures(ctx context.Context) error {
	direct, err := r.picturesDirect(ctx)
	if err != nil {
		return err
	}
	return r.picturesThroughSFU(ctx, direct)
}

// legs is how many legs have pictures at once.
func (r *run) legs() int {
	if r.in.Quick {
		return 6
	}
	return 10
}

// picturesDirect is the baseline: from participant to participant, without the
// gateway.
func (r *run) picturesDirect(ctx context.Context) (*delays, error) {
	st, err := r.newStage(ctx, setup{}, 1)
	if err != nil {
		return nil, err
	}
	defer st.close()
	var took delays
	a, err := st.join(ctx, "direct", "a", casting{pictures: true})
	if err != nil {
		return nil, err
	}
	if _, err := st.join(ctx, "direct", "b", casting{seen: took.of(a.stamps)}); err != nil {
		return nil, err
	}
	return &took, r.settled(ctx, &took)
}

// settled waits for the start to pass and then for a window.
func (r *run) settled(ctx context.Context, all ...*delays) error {
	if err := pause(ctx, 4*time.Second); err != nil {
		return err
	}
	for _, d := range all {
		d.reset()
	}
	if err := pause(ctx, r.window()/2); err != nil {
		return err
	}
	for _, d := range all {
		if d.count() == 0 {
			return fmt.Errorf("no picture came")
		}
	}
	return nil
}

func (r *run) picturesThroughSFU(ctx context.Context, direct *delays) error {
	st, err := r.newStage(ctx, setup{}, 16)
	if err != nil {
		return err
	}
	defer st.close()
	var up, down delays
	n := r.legs()
	err = each(ctx, n, 4, func(ctx context.Context, i int) error {
		late := new(later)
		p, err := st.join(ctx, alias(i), "partner", casting{pictures: true, seen: late.seen})
		if err != nil {
			return err
		}
		leg, err := st.dial(ctx, i, alias(i), casting{pictures: true, seen: down.of(p.stamps)})
		if err != nil {
			return err
		}
		late.set(up.of(leg.stamps))
		return nil
	})
	if err != nil {
		return err
	}
	if err := pause(ctx, 4*time.Second); err != nil {
		return err
	}
	up.reset()
	down.reset()
	s, err := r.sample(ctx, st)
	if err != nil {
		return err
	}
	if up.count() == 0 || down.count() == 0 {
		return fmt.Errorf("no picture through the SFU: %d up, %d down", up.count(), down.count())
	}
	const in = "pictures SFU"
	r.addPictureCost(in, s, n, 2, 0.008)
	for _, way := range []struct {
		name string
		took *delays
	}{{"leg -> meeting", &up}, {"meeting -> leg", &down}} {
		for _, q := range []float64{0.5, 0.99} {
			f := Figure{Scenario: in, Unit: "ms", Name: fmt.Sprintf("%s, latency added p%.0f", way.name, 100*q),
				Value: max(0, way.took.quantile(q)-direct.quantile(q)), Note: fmt.Sprintf("%.1f ms with, %.1f ms without the gateway", way.took.quantile(q), direct.quantile(q))}
			if q > 0.9 {
				f.Target = 5
			}
			r.add(f)
		}
	}
	return nil
}

// picturesBetweenLegs is the same between two legs.
func (r *run) picturesBetweenLegs(ctx context.Context) error {
	st, err := r.newStage(ctx, setup{}, 16)
	if err != nil {
		return err
	}
	defer st.close()
	var took delays
	n := r.legs()
	err = each(ctx, n/2, 4, func(ctx context.Context, i int) error {
		late := new(later)
		a, err := st.dial(ctx, 2*i, alias(i), casting{pictures: true, seen: late.seen})
		if err != nil {
			return err
		}
		b, err := st.dial(ctx, 2*i+1, alias(i), casting{pictures: true, seen: took.of(a.stamps)})
		if err != nil {
			return err
		}
		late.set(took.of(b.stamps))
		return nil
	})
	if err != nil {
		return err
	}
	if err := pause(ctx, 4*time.Second); err != nil {
		return err
	}
	took.reset()
	s, err := r.sample(ctx, st)
	if err != nil {
		return err
	}
	if took.count() == 0 {
		return fmt.Errorf("no picture between legs")
	}
	const in = "pictures local"
	r.addPictureCost(in, s, n/2*2, 1, 0.004)
	r.add(Figure{Scenario: in, Name: "leg -> leg, latency p50", Value: took.quantile(0.5), Unit: "ms"})
	r.add(Figure{Scenario: in, Name: "leg -> leg, latency p99", Value: took.quantile(0.99), Unit: "ms", Target: 5})
	return nil
}

// addPictureCost reports the cost of a leg; passes is how often each packet is
// received and sent on for a leg.
func (r *run) addPictureCost(in string, s sample, legs int, passes, target float64) {
	perLeg := s.video / float64(legs) // packets a second each way
	r.compare(func(f floor) {
		r.add(Figure{Scenario: in, Name: "gateway, core per leg", Value: s.gateway / float64(legs), Unit: "core", Target: target,
			Baseline: f.relayed(passes * perLeg), Against: "relay", Reference: reference.relayed(passes * perLeg), Note: s.around()})
	})
	r.add(Figure{Scenario: in, Name: "packets/s to the leg", Value: perLeg, Unit: "1/s", Target: 0.97 * packetRate, AtLeast: true, Baseline: packetRate, Against: "sent"})
	r.add(Figure{Scenario: in, Name: "allocations per packet", Value: s.allocations / (s.video * (1 + passes)), Note: "all libraries; packets in and out"})
}

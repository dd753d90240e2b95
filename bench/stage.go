package bench

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/roomgate/roomgate/bench/traffic"
	"github.com/roomgate/roomgate/bench/uac"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// stage is a gateway with the load around it.
type stage struct {
	gateway *gateway
	client  *livekit.Client
	wheel   *traffic.Wheel // of sound: 20 ms
	camera  *traffic.Wheel // of pictures: 1/30 s
	agents  []*uac.Agent
	ports   []*traffic.Port

	mu       sync.Mutex
	phones   []*phone
	partners []*partner
}

// ports is over how many sockets the media of all calls is spread.
const ports = 8

func (r *run) newStage(ctx context.Context, s setup, agents int) (*stage, error) {
	return r.newStageBy(ctx, s, agents, r.in.Protocol == "h323" && !s.h323)
}

// newStageBy makes a stage whose calls go by one of the protocols.
func (r *run) newStageBy(ctx context.Context, s setup, agents int, byH323 bool) (st *stage, err error) {
	st = &stage{}
	s.callH323 = byH323
	defer func() {
		if err != nil {
			st.close()
		}
	}()
	if st.gateway, err = r.startGateway(ctx, s); err != nil {
		return st, err
	}
	st.client, err = livekit.New(livekit.Config{URL: st.gateway.sfuURL, APIKey: sfuKey, APISecret: sfuSecret, Node: "bench"})
	if err != nil {
		return st, err
	}
	st.wheel = traffic.NewWheel(20 * time.Millisecond)
	st.camera = traffic.NewWheel(time.Second / 30)
	for i := range agents { // each its own source, since the gateway limits sources
		address := netip.AddrFrom4([4]byte{127, 0, byte(1 + i/250), byte(1 + i%250)})
		a, err := uac.NewAgent(address, st.gateway.sip)
		if err != nil {
			return st, err
		}
		st.agents = append(st.agents, a)
	}
	for range ports {
		p, err := traffic.NewPort(loopback)
		if err != nil {
			return st, err
		}
		st.ports = append(st.ports, p)
	}
	return st, nil
}

// close ends the load, then the gateway.
func (st *stage) close() {
	st.hangUp()
	for _, w := range []*traffic.Wheel{st.wheel, st.camera} {
		if w != nil {
			w.Close()
		}
	}
	for _, p := range st.partners {
		p.leave()
	}
	if st.client != nil {
		_ = st.client.Close() // always nil
	}
	if st.gateway != nil {
		st.gateway.stop()
	}
	for _, a := range st.agents {
		a.Close()
	}
	for _, p := range st.ports {
		p.Close()
	}
}

// hangUp ends all calls there are.
func (st *stage) hangUp() {
	st.mu.Lock()
	phones := st.phones
	st.phones = nil
	st.mu.Unlock()
	var wait sync.WaitGroup
	for _, p := range phones {
		wait.Add(1)
		go func() {
			defer wait.Done()
			p.hangUp()
		}()
	}
	wait.Wait()
}

// each runs f for 0..n-1, at most width at once.
func each(ctx context.Context, n, width int, f func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(width)
	for i := range n {
		group.Go(func() error { return f(ctx, i) })
	}
	return group.Wait()
}

// seat puts partners into n meetings.
func (st *stage) seat(ctx context.Context, n int, play casting) error {
	return each(ctx, n, 8, func(ctx context.Context, i int) error {
		_, err := st.join(ctx, alias(i), "partner", play)
		return err
	})
}

// callAll sets n calls up, a new one every 30 ms.
func (st *stage) callAll(ctx context.Context, n int, to func(i int) string, play casting) error {
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	group, ctx := errgroup.WithContext(ctx)
	for i := range n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return group.Wait()
		}
		group.Go(func() error {
			_, err := st.dial(ctx, i, to(i), play)
			return err
		})
	}
	return group.Wait()
}

// alias names the i-th meeting.
func alias(i int) string { return fmt.Sprintf("bench-%d", i) }

// repeats is how many SIP requests had to be sent again so far.
func (st *stage) repeats() (n uint64) {
	for _, a := range st.agents {
		n += a.Repeats.Load()
	}
	return n
}

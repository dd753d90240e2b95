package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/roomgate/roomgate/bench/traffic"
)

// calls is one meeting per call, a phone and a participant that both talk.
func (r *run) calls(ctx context.Context) error {
	for _, n := range r.in.Calls {
		if err := r.callsAt(ctx, n, "opus", 0.007); err != nil {
			return fmt.Errorf("%d calls: %w", n, err)
		}
	}
	return nil
}

// callsG711 is the same with the phone's sound published untouched.
func (r *run) callsG711(ctx context.Context) error { return r.callsAt(ctx, 50, "g711", 0.004) }

func (r *run) callsAt(ctx context.Context, n int, phoneAudio string, target float64) error {
	phone, err := traffic.Speech(pcmu, 8000)
	if err != nil {
		return err
	}
	browser, err := traffic.Speech(opus, 48000)
	if err != nil {
		return err
	}
	st, err := r.newStage(ctx, setup{phoneAudio: phoneAudio}, 16)
	if err != nil {
		return err
	}
	defer st.close()
	if err := st.warmUp(ctx, casting{sound: phone}); err != nil {
		return err
	}
	rss, _, err := st.gateway.self.memory()
	if err != nil {
		return err
	}
	if err := st.seat(ctx, n, casting{sound: browser}); err != nil {
		return err
	}
	if err := st.callAll(ctx, n, alias, casting{sound: phone}); err != nil {
		return err
	}
	if err := pause(ctx, 4*time.Second); err != nil {
		return err
	}
	s, err := r.sample(ctx, st)
	if err != nil {
		return err
	}
	r.compare(func(f floor) { r.reportCalls(s, f, n, phoneAudio, target, rss) })
	return r.setUps(ctx, st, n, phoneAudio, casting{sound: phone})
}

// warmUp makes the gateway hold what it needs once, whatever the calls.
func (st *stage) warmUp(ctx context.Context, play casting) error {
	if _, err := st.dial(ctx, 0, "warm-up", play); err != nil {
		return err
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	st.hangUp()
	return pause(ctx, time.Second)
}

// sample is what a window showed.
type sample struct {
	usage
	down, up    float64 // packets of sound a second and call: to phones, to partners
	worst       float64 // the lowest of all phones
	video       float64 // packets of pictures a second to phones, all together
	rss, pss    int64
	allocations float64 // of the gateway, a second
	late        time.Duration
}

func (r *run) sample(ctx context.Context, st *stage) (s sample, err error) {
	before := st.gateway.allocations(ctx)
	st.wheel.Late()
	m, err := watch(st.gateway)
	if err != nil {
		return s, err
	}
	down, up, video := st.counts()
	if err := pause(ctx, r.window()); err != nil {
		return s, err
	}
	if s.usage, err = m.read(); err != nil {
		return s, err
	}
	downAfter, upAfter, videoAfter := st.counts()
	s.late = st.wheel.Late()
	seconds := s.lasted.Seconds()
	s.allocations = (st.gateway.allocations(ctx) - before) / seconds
	for i := range down {
		rate := float64(downAfter[i]-down[i]) / seconds
		s.down += rate / float64(len(down))
		if i == 0 || rate < s.worst {
			s.worst = rate
		}
	}
	for i := range up {
		s.up += float64(upAfter[i]-up[i]) / seconds / float64(len(up))
	}
	s.video = float64(videoAfter-video) / seconds
	s.rss, s.pss, err = st.gateway.self.memory()
	return s, err
}

// counts are the packets of sound that came so far, per phone and per partner,
// and those of pictures to all phones.
func (st *stage) counts() (down, up []uint64, video uint64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, p := range st.phones {
		if p.audio != nil {
			down = append(down, p.audio.Packets())
		}
		if p.video != nil {
			video += p.video.Packets()
		}
	}
	for _, p := range st.partners {
		up = append(up, p.packets.Load())
	}
	return down, up, video
}

func (r *run) reportCalls(s sample, f floor, n int, phoneAudio string, target float64, rss int64) {
	in := fmt.Sprintf("calls %d", n)
	least, there := f.call(), reference.call()
	if phoneAudio == "g711" {
		in, least, there = "g711 50", f.callG711(), reference.callG711()
	}
	perCall := s.gateway / float64(n)
	r.add(Figure{Scenario: in, Name: "gateway, core per call", Value: perCall, Unit: "core", Target: target, Baseline: least, Against: "floor", Reference: there, Note: s.around()})
	r.add(Figure{Scenario: in, Name: "gateway cost / floor", Value: perCall / least, Unit: "x", Target: 1.6})
	r.add(Figure{Scenario: in, Name: "memory per call", Value: float64(s.rss-rss) / float64(n) / (1 << 20), Unit: "MB", Target: 1.5,
		Note: fmt.Sprintf("RSS %d MB before, %d MB with the calls", rss>>20, s.rss>>20)})
	r.add(Figure{Scenario: in, Name: "packets/s kept to the phone", Value: s.down, Unit: "1/s", Target: 49.5, AtLeast: true, Baseline: 50, Against: "sent",
		Note: fmt.Sprintf("lowest %.1f; to the meeting %.1f", s.worst, s.up)})
	r.add(Figure{Scenario: in, Name: "allocations per packet", Value: s.allocations / float64(n) / 200, Unit: "", Note: "all libraries; 100 in, 100 out a second"})
}

// around says what else the machine did in the window.
func (s sample) around() string {
	return fmt.Sprintf("SFU %.2f, load %.2f, machine %.2f cores; load late by %d ms at most", s.sfu, s.load, s.machine, s.late.Milliseconds())
}

// setUps measures calls that come while n others are up.
func (r *run) setUps(ctx context.Context, st *stage, n int, phoneAudio string, play casting) error {
	probes := 60
	if r.in.Quick {
		probes = 30
	}
	var took delays
	repeats := st.repeats()
	for i := range probes {
		p, err := st.dial(ctx, n+i, fmt.Sprintf("probe-%d", i), play)
		if err != nil {
			return err
		}
		took.add(p.setUp)
		if err := pause(ctx, 60*time.Millisecond); err != nil {
			return err
		}
	}
	in := fmt.Sprintf("calls %d", n)
	p50, p95 := Figure{Scenario: in, Name: st.gateway.answer() + ", p50", Value: took.quantile(0.5), Unit: "ms"},
		Figure{Scenario: in, Name: st.gateway.answer() + ", p95", Value: took.quantile(0.95), Unit: "ms"}
	switch {
	case phoneAudio == "g711":
		p50.Scenario, p95.Scenario = "g711 50", "g711 50"
	case n <= 50:
		p50.Target, p95.Target = 20, 40
	default:
		p95.Target = 100
	}
	p95.Note = fmt.Sprintf("%d calls, %d requests repeated", took.count(), st.repeats()-repeats)
	r.add(p50)
	r.add(p95)
	return nil
}

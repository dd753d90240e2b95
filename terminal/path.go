package terminal

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// path is a network path that is worse than the real one: so narrow, each way, and
// losing so much.
type path struct {
	mu    sync.Mutex
	began time.Time
	plan  []change // in order of time
	ways  [2]way   // in, out
}

// change is what becomes of a way at a time of the call.
type change struct {
	after time.Duration
	out   bool
	loss  bool    // of value: a share, else bit/s
	value float64 // 0 = as good as it is
}

// way is a token bucket: what does not fit into it is lost, as at a policer, or at a
// router with a queue of no more than depth.
type way struct {
	bps, loss float64
	level     float64 // bits
	at        time.Time
}

const depth = 300 * time.Millisecond

// checkPath reads NAME=VALUE@AFTER,...
func (p *prepared) checkPath() error {
	if p.Path == "" {
		return nil
	}
	p.path = &path{}
	for _, word := range strings.Split(p.Path, ",") {
		name, rest, _ := strings.Cut(word, "=")
		text, at, timed := strings.Cut(rest, "@")
		c := change{out: strings.HasPrefix(name, "out"), loss: strings.HasSuffix(name, "loss")}
		v, err := strconv.ParseFloat(text, 64)
		if timed && err == nil {
			c.after, err = time.ParseDuration(at)
		}
		if err != nil || v < 0 || !strings.Contains(" in out loss outloss ", " "+name+" ") || c.loss && v > 100 {
			return fmt.Errorf("path %q is not in, out, loss or outloss=VALUE@AFTER", word)
		}
		if c.value = v * 1000; c.loss {
			c.value = v / 100
		}
		if n := len(p.path.plan); n > 0 && p.path.plan[n-1].after > c.after {
			return fmt.Errorf("path %q comes after what is later", word)
		}
		p.path.plan = append(p.path.plan, c)
	}
	return nil
}

func (p *prepared) impair() func(sent bool, octets int) bool {
	if p.path == nil {
		return nil
	}
	return func(sent bool, octets int) bool { return p.path.passes(sent, octets, time.Now()) }
}

// begin starts the plan.
func (p *path) begin(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = at
}

// passes reports whether a datagram gets through.
func (p *path) passes(sent bool, octets int, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.plan) > 0 && !p.began.IsZero() && now.Sub(p.began) >= p.plan[0].after {
		c := p.plan[0]
		p.plan = p.plan[1:]
		w := &p.ways[index(c.out)]
		if c.loss {
			w.loss = c.value
		} else {
			w.bps, w.level, w.at = c.value, 0, now
		}
	}
	return p.ways[index(sent)].passes(octets, now)
}

func index(out bool) int {
	if out {
		return 1
	}
	return 0
}

func (w *way) passes(octets int, now time.Time) bool {
	if w.loss > 0 && rand.Float64() < w.loss {
		return false
	}
	if w.bps == 0 {
		return true
	}
	const headers = 28 // IPv4 and UDP
	w.level = max(0, w.level-w.bps*now.Sub(w.at).Seconds())
	w.at = now
	size := float64(8 * (octets + headers))
	if w.level+size > w.bps*depth.Seconds() {
		return false
	}
	w.level += size
	return true
}

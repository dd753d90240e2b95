package api

import (
	"net/netip"
	"sync"
	"time"
)

// maxSources bounds the memory a limiter gives to strangers.
const maxSources = 10000

// limiter counts what each source does, so many a period; an allowance grows
// back evenly. Sources beyond maxSources share one allowance.
type limiter struct {
	now    func() time.Time
	burst  float64
	period time.Duration

	mu      sync.Mutex
	sources map[netip.Addr]*allowance
	rest    allowance
}

type allowance struct {
	left float64
	at   time.Time
}

func newLimiter(now func() time.Time, burst int, period time.Duration) *limiter {
	return &limiter{now: now, burst: float64(burst), period: period, sources: map[netip.Addr]*allowance{}}
}

// take uses one of the source's allowance, and reports whether there was one.
func (l *limiter) take(source netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(source)
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}

// spent reports whether the source has nothing left, and when it will.
func (l *limiter) spent(source netip.Addr) (wait time.Duration, spent bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(source)
	if a.left >= 1 {
		return 0, false
	}
	return time.Duration((1 - a.left) / l.burst * float64(l.period)), true
}

// of brings the allowance of a source up to date; it needs l.mu.
func (l *limiter) of(source netip.Addr) *allowance {
	source = network(source)
	now := l.now()
	a, ok := l.sources[source]
	if !ok {
		if len(l.sources) >= maxSources {
			l.forget(now)
		}
		a = &allowance{left: l.burst, at: now}
		if len(l.sources) < maxSources {
			l.sources[source] = a
		} else {
			a = &l.rest
		}
	}
	a.left = min(l.burst, a.left+now.Sub(a.at).Seconds()/l.period.Seconds()*l.burst)
	a.at = now
	return a
}

// forget drops the sources whose allowance is whole again.
func (l *limiter) forget(now time.Time) {
	for source, a := range l.sources {
		if now.Sub(a.at) >= l.period {
			delete(l.sources, source)
		}
	}
}

// network is what counts as one source: an IPv4 address, or an IPv6 /64, which
// one host may fill.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}

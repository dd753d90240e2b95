package api

import (
	"net/netip"
	"sync"
	"time"
)

// maxSources bounds the memory a limiter gives to strangers.
const maxSources = 10000

// limiter counts what each source does, an address or a key, so many a period; an
// allowance grows back evenly. Sources beyond maxSources share one allowance.
type limiter[S comparable] struct {
	now    func() time.Time
	burst  func() int // may change
	period time.Duration

	mu      sync.Mutex
	sources map[S]*allowance
	rest    allowance
}

type allowance struct {
	left float64
	at   time.Time
}

func newLimiter[S comparable](now func() time.Time, burst func() int, period time.Duration) *limiter[S] {
	return &limiter[S]{now: now, burst: burst, period: period, sources: map[S]*allowance{}}
}

// always is an allowance that does not change.
func always(n int) func() int { return func() int { return n } }

// perMinute limits what hosts do.
type perMinute struct{ *limiter[netip.Addr] }

func newPerMinute(now func() time.Time, burst int) perMinute {
	return perMinute{newLimiter[netip.Addr](now, always(burst), time.Minute)}
}

func (l perMinute) take(a netip.Addr) bool { return l.limiter.take(network(a)) }

func (l perMinute) spent(a netip.Addr) (time.Duration, bool) { return l.limiter.spent(network(a)) }

// take uses one of the source's allowance, and reports whether there was one.
func (l *limiter[S]) take(source S) bool {
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
func (l *limiter[S]) spent(source S) (wait time.Duration, spent bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(source)
	if a.left >= 1 {
		return 0, false
	}
	return time.Duration((1 - a.left) / max(1, float64(l.burst())) * float64(l.period)), true
}

// of brings the allowance of a source up to date; it needs l.mu.
func (l *limiter[S]) of(source S) *allowance {
	now, burst := l.now(), float64(l.burst())
	a, ok := l.sources[source]
	if !ok {
		if len(l.sources) >= maxSources {
			l.forget(now)
		}
		a = &allowance{left: burst, at: now}
		if len(l.sources) < maxSources {
			l.sources[source] = a
		} else {
			a = &l.rest
		}
	}
	a.left = min(burst, a.left+now.Sub(a.at).Seconds()/l.period.Seconds()*burst)
	a.at = now
	return a
}

// forget drops the sources whose allowance is whole again.
func (l *limiter[S]) forget(now time.Time) {
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

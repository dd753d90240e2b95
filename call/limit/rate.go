package limit

import (
	"net/netip"
	"sync"
	"time"
)

// RateConfig sets the share of one source. Zero values take the defaults.
type RateConfig struct {
	PerSecond float64        // tokens that a source earns each second; default 100
	Burst     float64        // tokens that a source can save up; default twice PerSecond
	Sources   int            // sources remembered; default 16384
	Allow     []netip.Prefix // networks that are never limited
	Now       func() time.Time
}

// Rate is a token bucket per source. A source that was forgotten starts with a
// full bucket. Safe for concurrent use.
type Rate struct {
	perSecond float64
	burst     float64
	allow     []netip.Prefix
	now       func() time.Time

	mu      sync.Mutex
	buckets *recent[netip.Addr, bucket]
}

type bucket struct {
	tokens float64
	at     time.Time
}

// NewRate makes a limiter.
func NewRate(c RateConfig) *Rate {
	if c.PerSecond <= 0 {
		c.PerSecond = 100
	}
	if c.Burst <= 0 {
		c.Burst = 2 * c.PerSecond
	}
	if c.Sources <= 0 {
		c.Sources = 16384
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Rate{
		perSecond: c.PerSecond,
		burst:     c.Burst,
		allow:     c.Allow,
		now:       c.Now,
		buckets:   newRecent[netip.Addr, bucket](c.Sources),
	}
}

// Allow takes one token of the source and reports whether there was one.
func (r *Rate) Allow(addr netip.Addr) bool {
	if allowed(r.allow, addr) {
		return true
	}
	now := r.now()
	key := Source(addr)

	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buckets.get(key)
	if b == nil {
		b = r.buckets.add(key)
		b.tokens = r.burst
	} else if earned := now.Sub(b.at).Seconds() * r.perSecond; earned > 0 {
		b.tokens = min(r.burst, b.tokens+earned)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// Sources is the number of sources remembered.
func (r *Rate) Sources() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buckets.len()
}

package limit

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// LockoutConfig sets when a source is locked out. Zero values take the
// defaults.
type LockoutConfig struct {
	// UserFailures is how often one source may fail for one user name before
	// that pair is locked out; default 5.
	UserFailures int
	// SourceFailures is how often one source may fail in all, whatever names
	// it tries; default 20. Pairs that succeeded lately stay admitted, so one
	// guesser behind an address translator does not lock out its neighbours.
	SourceFailures int
	First          time.Duration // the first lock-out; each further failure doubles it; default 30 s
	Longest        time.Duration // the longest lock-out; default 1 h
	Forget         time.Duration // failures are forgotten after so long without one; default 1 h
	Entries        int           // sources, pairs and known-good pairs remembered, each; default 16384
	Allow          []netip.Prefix
	Now            func() time.Time
}

// Lockout counts failed authentications per source, and per source and user
// name. Safe for concurrent use.
type Lockout struct {
	c LockoutConfig

	mu      sync.Mutex
	sources *recent[netip.Addr, failures]
	pairs   *recent[pair, failures]
	good    *recent[pair, time.Time]
}

type pair struct {
	source netip.Addr
	user   string
}

type failures struct {
	count int
	last  time.Time
	until time.Time // locked out before then
}

// NewLockout makes a lock-out with nobody in it.
func NewLockout(c LockoutConfig) *Lockout {
	if c.UserFailures <= 0 {
		c.UserFailures = 5
	}
	if c.SourceFailures <= 0 {
		c.SourceFailures = 20
	}
	if c.First <= 0 {
		c.First = 30 * time.Second
	}
	if c.Longest <= 0 {
		c.Longest = time.Hour
	}
	if c.Forget <= 0 {
		c.Forget = time.Hour
	}
	if c.Entries <= 0 {
		c.Entries = 16384
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Lockout{
		c:       c,
		sources: newRecent[netip.Addr, failures](c.Entries),
		pairs:   newRecent[pair, failures](c.Entries),
		good:    newRecent[pair, time.Time](c.Entries),
	}
}

// maxUser bounds the memory that a user name of a stranger takes.
const maxUser = 64

func pairOf(addr netip.Addr, user string) pair {
	return pair{Source(addr), strings.Clone(user[:min(len(user), maxUser)])}
}

// Locked reports how long the source has to wait before it may try user
// again; zero means that it may try now.
func (l *Lockout) Locked(addr netip.Addr, user string) time.Duration {
	if allowed(l.c.Allow, addr) {
		return 0
	}
	now := l.c.Now()
	p := pairOf(addr, user)

	l.mu.Lock()
	defer l.mu.Unlock()
	var wait time.Duration
	if f := l.pairs.get(p); f != nil {
		wait = f.until.Sub(now)
	}
	if at := l.good.get(p); at == nil || now.Sub(*at) > l.c.Forget {
		if f := l.sources.get(p.source); f != nil {
			wait = max(wait, f.until.Sub(now))
		}
	}
	return max(wait, 0)
}

// Failed counts a wrong password or an unknown user, and returns how long the
// pair is locked out from now on: zero below the threshold.
func (l *Lockout) Failed(addr netip.Addr, user string) time.Duration {
	if allowed(l.c.Allow, addr) {
		return 0
	}
	now := l.c.Now()
	p := pairOf(addr, user)

	l.mu.Lock()
	defer l.mu.Unlock()
	wait := l.fail(lookup(l.pairs, p), l.c.UserFailures, now)
	return max(wait, l.fail(lookup(l.sources, p.source), l.c.SourceFailures, now))
}

// Succeeded forgets the failures of the pair and keeps it admitted while its
// source is locked out. Failures of the source remain: who knows one password
// may still be guessing others.
func (l *Lockout) Succeeded(addr netip.Addr, user string) {
	now := l.c.Now()
	p := pairOf(addr, user)

	l.mu.Lock()
	defer l.mu.Unlock()
	l.pairs.remove(p)
	*lookup(l.good, p) = now
}

func lookup[K comparable, V any](r *recent[K, V], key K) *V {
	if v := r.get(key); v != nil {
		return v
	}
	return r.add(key)
}

// fail counts one failure; from the threshold on each doubles the wait.
func (l *Lockout) fail(f *failures, threshold int, now time.Time) time.Duration {
	if now.Sub(f.last) > l.c.Forget {
		f.count = 0
	}
	f.count++
	f.last = now
	if f.count < threshold {
		return 0
	}
	wait := l.c.First
	for i := threshold; i < f.count && wait < l.c.Longest; i++ {
		wait *= 2
	}
	wait = min(wait, l.c.Longest)
	f.until = now.Add(wait)
	return wait
}

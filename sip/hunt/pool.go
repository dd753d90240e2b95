// Package hunt knows the hosts that the calls of a trunk may go to: in what order they
// are tried (RFC 2782, RFC 3263 §4), and which of them are believed to be there. It has
// no sockets and no clock.
//
// # Up and down
//
//	          3 failures in a row
//	up  ---------------------------->  down
//	    <----------------------------
//	          2 answers in a row
//
// A host of which nothing is known is up. Answers and failures are those of OPTIONS and
// of calls. One that answers 503 with Retry-After rests for so long (RFC 3261 §21.5.4).
package hunt

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Target is one entry of a trunk.
type Target struct {
	Address          string // HOST, HOST:PORT, or a domain with SRV records
	Transport        string // udp, tcp, tls
	Priority, Weight int    // RFC 2782: the lowest first, shared by weight
}

// Host is one address behind a target.
type Host struct {
	Target    int    // its position among the targets
	Name      string // of SRV or of the target, without a port
	At        netip.AddrPort
	Transport string
	// Priority and Weight are those of SRV.
	Priority, Weight int
}

// The failures in a row that make a host down, and the answers that make it up again.
const (
	Failures = 3
	Answers  = 2
)

// State is a host as it stands.
type State struct {
	Host
	Known   bool // it has answered or failed at all
	Down    bool
	Since   time.Time // it is so
	RTT     time.Duration
	Error   string // of the last failure, "" since an answer
	Resting time.Time
	run     int // answers (above 0) or failures (below) in a row
}

// key tells hosts apart, whatever SRV says of them.
type key struct {
	target    int
	at        netip.AddrPort
	transport string
}

func (h Host) key() key { return key{h.Target, h.At, h.Transport} }

// Pool is the hosts of a trunk. Safe for concurrent use.
type Pool struct {
	targets []Target
	random  func(n int) int

	mu    sync.Mutex
	hosts map[key]*State
	lost  map[int]string // targets that cannot be resolved, and why
}

// NewPool makes a Pool without hosts; random gives a number below n, nil takes one of
// math/rand.
func NewPool(targets []Target, random func(n int) int) *Pool {
	if random == nil {
		random = rand.IntN
	}
	return &Pool{targets: targets, random: random, hosts: make(map[key]*State), lost: make(map[int]string)}
}

// Targets are those of the trunk.
func (p *Pool) Targets() []Target { return p.targets }

// Resolved puts what names lead to in place of what is known of a target. Hosts that
// are still there keep their state. With an error the old ones stay.
func (p *Pool) Resolved(target int, hosts []Host, err error, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.lost[target] = err.Error()
		return
	}
	delete(p.lost, target)
	there := map[key]bool{}
	for _, h := range hosts {
		h.Target = target
		there[h.key()] = true
		if s := p.hosts[h.key()]; s != nil {
			s.Host = h
		} else {
			p.hosts[h.key()] = &State{Host: h, Since: now}
		}
	}
	for k := range p.hosts {
		if k.target == target && !there[k] {
			delete(p.hosts, k)
		}
	}
}

// Has reports whether an address is one of the hosts.
func (p *Pool) Has(addr netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.hosts {
		if k.at.Addr() == addr {
			return true
		}
	}
	return false
}

// Order is in what order the hosts are tried now: those that are up; when none is, all.
func (p *Pool) Order(now time.Time) []Host {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all, up []Host
	targets := make([]int, len(p.targets))
	for i := range targets {
		targets[i] = i
	}
	weighted(targets, func(i int) int { return p.targets[i].Priority }, func(i int) int { return p.targets[i].Weight }, p.random)
	for _, i := range targets {
		var own []*State
		for k, s := range p.hosts {
			if k.target == i {
				own = append(own, s)
			}
		}
		slices.SortFunc(own, func(a, b *State) int { return a.At.Compare(b.At) }) // maps have no order
		weighted(own, func(s *State) int { return s.Priority }, func(s *State) int { return s.Weight }, p.random)
		for _, s := range own {
			all = append(all, s.Host)
			if !s.Down && !now.Before(s.Resting) {
				up = append(up, s.Host)
			}
		}
	}
	if len(up) == 0 {
		return all
	}
	return up
}

// weighted sorts by priority, and those of one priority at random by weight (RFC 2782,
// "Usage rules").
func weighted[T any](list []T, priority, weight func(T) int, random func(n int) int) {
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(priority(a), priority(b)) })
	for from := 0; from < len(list); {
		to := from + 1
		for to < len(list) && priority(list[to]) == priority(list[from]) {
			to++
		}
		for at := from; at < to-1; at++ {
			// Weight 0 goes first, so that it has a small chance.
			slices.SortStableFunc(list[at:to], func(a, b T) int { return cmp.Compare(min(weight(a), 1), min(weight(b), 1)) })
			sum := 0
			for _, x := range list[at:to] {
				sum += weight(x)
			}
			chosen := random(sum + 1)
			for i, run := at, 0; i < to; i++ {
				if run += weight(list[i]); run >= chosen {
					picked := list[i]
					copy(list[at+1:i+1], list[at:i])
					list[at] = picked
					break
				}
			}
		}
		from = to
	}
}

// Answered notes that a host has answered; came: it was down and is up now.
func (p *Pool) Answered(h Host, rtt time.Duration, now time.Time) (came bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.hosts[h.key()]
	if s == nil {
		return false
	}
	s.run = max(s.run, 0) + 1
	s.Known, s.Error = true, ""
	if rtt > 0 {
		s.RTT = rtt
	}
	if s.Down && s.run >= Answers {
		s.Down, s.Since, came = false, now, true
	}
	return came
}

// Failed notes that a host has not answered, or that it cannot; fell: it was up and is
// down now. rest is how long it wants to be left alone, 0 for not.
func (p *Pool) Failed(h Host, why string, rest time.Duration, now time.Time) (fell bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.hosts[h.key()]
	if s == nil {
		return false
	}
	s.run = min(s.run, 0) - 1
	s.Known, s.Error = true, why
	if rest > 0 {
		s.Resting = now.Add(rest)
	}
	if !s.Down && s.run <= -Failures {
		s.Down, s.Since, fell = true, now, true
	}
	return fell
}

// States shows the hosts in the order of targets and addresses. A target that cannot
// be resolved stands there without an address.
func (p *Pool) States() []State {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]State, 0, len(p.hosts))
	seen := map[int]bool{}
	for _, s := range p.hosts {
		out = append(out, *s)
		seen[s.Target] = true
	}
	for i, why := range p.lost {
		if !seen[i] {
			out = append(out, State{Host: Host{Target: i, Name: p.targets[i].Address, Transport: p.targets[i].Transport}, Known: true, Down: true, Error: why})
		}
	}
	slices.SortFunc(out, func(a, b State) int { return cmp.Or(cmp.Compare(a.Target, b.Target), a.At.Compare(b.At)) })
	return out
}

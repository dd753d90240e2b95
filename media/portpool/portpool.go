// Package portpool hands out ports for media from a configured range: even/odd
// UDP pairs for RTP and RTCP (RFC 3550 §11) and single TCP ports for H.245 and
// BFCP. A port handed out is really bound; a port given back is closed at once
// and rests for a quarantine before it is handed out again, so that a new call
// never hears the packets of the peer of an old one.
package portpool

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/roomgate/roomgate/media/udp"
)

// ErrExhausted is returned when every port of the range is in use, resting, or
// taken by another process.
var ErrExhausted = errors.New("port pool is exhausted")

// ErrTooManyAddresses is returned when ports are asked for on more local
// addresses than a host has any use for.
var ErrTooManyAddresses = errors.New("port pool serves too many local addresses")

// maxAddresses bounds the local addresses a pool keeps books for.
const maxAddresses = 256

// Config describes a pool.
type Config struct {
	// Low and High bound the range, both included. An odd Low or an even High
	// leaves that one port unused by pairs.
	Low, High uint16
	// Quarantine is how long a port rests after use; zero means none.
	Quarantine time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Readers read the pairs that are served; nil means a goroutine for each socket.
	Readers *udp.Readers
}

// ParseRange reads "20000-29999".
func ParseRange(s string) (low, high uint16, err error) {
	a, b, ok := strings.Cut(s, "-")
	if !ok {
		return 0, 0, fmt.Errorf("port range %q: want LOW-HIGH", s)
	}
	lo, err := strconv.ParseUint(strings.TrimSpace(a), 10, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("port range %q: low: %w", s, err)
	}
	hi, err := strconv.ParseUint(strings.TrimSpace(b), 10, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("port range %q: high: %w", s, err)
	}
	if lo == 0 || hi < lo+1 {
		return 0, 0, fmt.Errorf("port range %q: want at least two ports above 0", s)
	}
	return uint16(lo), uint16(hi), nil
}

// Pool hands out ports. It is safe for concurrent use.
type Pool struct {
	cfg Config

	mu       sync.Mutex
	shelves  map[shelfKey]*shelf
	taken    uint64 // handed out since the start
	refused  uint64 // asked for in vain
	conflict uint64 // found taken by another process
}

// shelfKey tells apart the ports that do not get in each other's way.
type shelfKey struct {
	addr netip.Addr
	tcp  bool
}

// New makes a pool; it opens nothing yet.
func New(cfg Config) (*Pool, error) {
	if cfg.Low == 0 || cfg.High <= cfg.Low {
		return nil, fmt.Errorf("port range %d-%d: want at least two ports above 0", cfg.Low, cfg.High)
	}
	if cfg.Quarantine < 0 {
		return nil, fmt.Errorf("quarantine %v: must not be negative", cfg.Quarantine)
	}
	if len(evenPorts(cfg.Low, cfg.High)) == 0 {
		return nil, fmt.Errorf("port range %d-%d: holds no even/odd pair", cfg.Low, cfg.High)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Pool{cfg: cfg, shelves: make(map[shelfKey]*shelf)}, nil
}

// Readers are those of the configuration.
func (p *Pool) Readers() *udp.Readers { return p.cfg.Readers }

// Stats counts ports. For pairs a pair counts as one.
type Stats struct {
	Capacity  int    // units of the local addresses used so far
	InUse     int    // bound now
	Resting   int    // closed, in quarantine
	Taken     uint64 // handed out since the start
	Refused   uint64 // requests that ended in ErrExhausted
	Conflicts uint64 // ports found bound by somebody else
}

// Stats is a snapshot.
func (p *Pool) Stats() Stats {
	now := p.cfg.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	st := Stats{Taken: p.taken, Refused: p.refused, Conflicts: p.conflict}
	for _, s := range p.shelves {
		s.wake(now)
		st.Capacity += s.size
		st.InUse += s.size - s.free.len() - s.resting.len()
		st.Resting += s.resting.len()
	}
	return st
}

// take calls bind with one free port after another until one can be bound.
func (p *Pool) take(key shelfKey, bind func(port uint16) error) (uint16, error) {
	key.addr = key.addr.Unmap()
	s, err := p.shelf(key)
	if err != nil {
		return 0, err
	}
	for range s.size {
		port, ok := p.next(s)
		if !ok {
			break
		}
		err := bind(port)
		if err == nil {
			p.count(&p.taken)
			return port, nil
		}
		p.putBack(s, port)
		if !errors.Is(err, errInUse) {
			return 0, fmt.Errorf("port %d on %v: %w", port, key.addr, err)
		}
		p.count(&p.conflict)
	}
	p.count(&p.refused)
	return 0, fmt.Errorf("%v ports %d-%d: %w", key.addr, p.cfg.Low, p.cfg.High, ErrExhausted)
}

func (p *Pool) count(c *uint64) {
	p.mu.Lock()
	*c++
	p.mu.Unlock()
}

func (p *Pool) shelf(key shelfKey) (*shelf, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.shelves[key]; s != nil {
		return s, nil
	}
	if len(p.shelves) >= maxAddresses {
		return nil, ErrTooManyAddresses
	}
	ports := evenPorts(p.cfg.Low, p.cfg.High)
	if key.tcp {
		ports = allPorts(p.cfg.Low, p.cfg.High)
	}
	s := newShelf(ports)
	p.shelves[key] = s
	return s, nil
}

func (p *Pool) next(s *shelf) (uint16, bool) {
	now := p.cfg.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	s.wake(now)
	if s.free.len() == 0 {
		return 0, false
	}
	return s.free.pop().port, true
}

// putBack returns a port that could not be bound to the end of the queue.
func (p *Pool) putBack(s *shelf, port uint16) {
	p.mu.Lock()
	s.free.push(rest{port: port})
	p.mu.Unlock()
}

// release starts the quarantine of a closed port.
func (p *Pool) release(key shelfKey, port uint16) {
	key.addr = key.addr.Unmap()
	until := p.cfg.Now().Add(p.cfg.Quarantine)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shelves[key].resting.push(rest{port: port, until: until})
}

func evenPorts(low, high uint16) []uint16 {
	var ports []uint16
	for port := uint32(low) + uint32(low)&1; port+1 <= uint32(high); port += 2 {
		ports = append(ports, uint16(port))
	}
	return ports
}

func allPorts(low, high uint16) []uint16 {
	var ports []uint16
	for port := uint32(low); port <= uint32(high); port++ {
		ports = append(ports, uint16(port))
	}
	return ports
}

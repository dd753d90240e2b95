package rtpconn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/udp"
)

// ErrMuxFull is returned for a session more than a Mux takes.
var ErrMuxFull = errors.New("multiplexed media: too many sessions")

// ErrMuxClosed is returned for a session on a Mux that was closed.
var ErrMuxClosed = errors.New("multiplexed media: closed")

// Mux is a pair of UDP sockets that many sessions share (H.460.19), so that a
// firewall has two ports to open. Each datagram that comes in has an identifier before
// it:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|0 1|             multiplexID of the session                    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|            RTP or RTCP, whose first bits are 1 0 ...          |
//
// The first two bits are ours: with them an identifier is never taken for the beginning
// of RTP. Some terminals leave the identifier out of RTCP, and some send media as if
// nothing was multiplexed; such datagrams go to the session that their source belongs
// to.
type Mux struct {
	pair *portpool.Pair
	log  *zap.Logger
	max  int

	mu       sync.RWMutex
	sessions map[uint32]*share
	hosts    map[netip.Addr][]*share // by where their media goes to
	closed   bool

	rtp, rtcp udp.Socket

	unknown  atomic.Uint64
	unplaced atomic.Uint64
}

// MuxCounters are datagrams that belong to no session.
type MuxCounters struct {
	Unknown  uint64 // an identifier that was never given, or is no longer in use
	Unplaced uint64 // without an identifier, from where no session expects anything
}

// NewMux shares the sockets of pair between up to max sessions. Closing the Mux closes
// the pair. log may be nil.
func NewMux(pair *portpool.Pair, max int, log *zap.Logger) (*Mux, error) {
	if log == nil {
		log = zap.NewNop()
	}
	m := &Mux{
		pair: pair, log: log, max: max,
		sessions: make(map[uint32]*share), hosts: make(map[netip.Addr][]*share),
	}
	var err error
	take := func(b []byte, from netip.AddrPort) { m.deliver(b, unmap(from)) }
	if m.rtp, m.rtcp, err = pair.Serve(take, take); err != nil {
		return nil, fmt.Errorf("multiplexed media: %w", err)
	}
	return m, nil
}

// Addr is where RTP is received; RTCP has the next port.
func (m *Mux) Addr() netip.AddrPort { return m.pair.Addr }

// Sessions is how many sessions share it now.
func (m *Mux) Sessions() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.sessions)
}

// Counters is a snapshot.
func (m *Mux) Counters() MuxCounters {
	return MuxCounters{Unknown: m.unknown.Load(), Unplaced: m.unplaced.Load()}
}

// Close closes the sockets and waits for the readers; idempotent. Sessions that are left
// hear nothing more.
func (m *Mux) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	return m.pair.Close()
}

// share is a session's part of a Mux.
type share struct {
	mux       *Mux
	id        uint32
	advertise netip.Addr

	mu      sync.RWMutex // held by the readers while they are in the session
	session *Session     // nil before serve and after close
	host    netip.Addr   // under which it stands in Mux.hosts; guarded by Mux.mu
}

// join draws an identifier.
func (m *Mux) join(advertise netip.Addr) (*share, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return nil, ErrMuxClosed
	case len(m.sessions) >= m.max:
		return nil, ErrMuxFull
	}
	s := &share{mux: m, advertise: advertise}
	for s.id == 0 || m.sessions[s.id] != nil {
		s.id = rand.Uint32()&^(3<<30) | 1<<30
	}
	m.sessions[s.id] = s
	return s, nil
}

func (s *share) local() (rtp, rtcp netip.AddrPort) {
	a := s.mux.pair.Addr
	if a.Addr().IsUnspecified() && s.advertise.IsValid() {
		a = netip.AddrPortFrom(s.advertise, a.Port())
	}
	return a, netip.AddrPortFrom(a.Addr(), a.Port()+1)
}

func (s *share) conns() (rtp, rtcp udp.Socket) { return s.mux.rtp, s.mux.rtcp }

// following holds nothing back: packets of many sessions, to many addresses, alternate.
func (s *share) following() udp.Socket { return s.mux.rtp }

func (s *share) serve(session *Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = session
	return nil
}

// close waits for a reader that is in the session.
func (s *share) close() error {
	s.mux.forget(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = nil
	return nil
}

func (m *Mux) forget(s *share) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, s.id)
	m.unhost(s)
}

func (m *Mux) unhost(s *share) {
	if !s.host.IsValid() {
		return
	}
	rest := slices.DeleteFunc(slices.Clone(m.hosts[s.host]), func(o *share) bool { return o == s })
	if len(rest) == 0 {
		delete(m.hosts, s.host)
	} else {
		m.hosts[s.host] = rest
	}
	s.host = netip.Addr{}
}

// settle notes where a session's media goes to now.
func (m *Mux) settle(s *share, host netip.Addr) {
	m.mu.RLock()
	same := s.host == host
	m.mu.RUnlock()
	if same {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions[s.id] != s {
		return
	}
	m.unhost(s)
	if host.IsValid() {
		s.host = host
		m.hosts[host] = append(m.hosts[host], s)
	}
}

// deliver gives a datagram to the session it belongs to.
func (m *Mux) deliver(b []byte, from netip.AddrPort) {
	if len(b) < prefix || b[0]>>6 != 1 {
		m.place(b, from)
		return
	}
	m.mu.RLock()
	s := m.sessions[binary.BigEndian.Uint32(b)]
	m.mu.RUnlock()
	if s == nil {
		m.unknown.Add(1)
		return
	}
	s.receive(b[prefix:], from)
}

// place finds the session of a datagram without an identifier.
func (m *Mux) place(b []byte, from netip.AddrPort) {
	m.mu.RLock()
	candidates := m.hosts[from.Addr()] // never changed where it is read
	m.mu.RUnlock()
	var found *share
	several := false
	for _, s := range candidates {
		switch s.recognizes(b, from) {
		case certain:
			s.receive(b, from)
			return
		case possible:
			several = several || found != nil
			found = s
		}
	}
	if found == nil || several {
		m.unplaced.Add(1)
		return
	}
	found.receive(b, from)
}

func (s *share) receive(b []byte, from netip.AddrPort) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.session == nil {
		return
	}
	s.session.receive(b, from)
	s.settle()
}

// settle notes where the session's media goes to now.
func (s *share) settle() { s.mux.settle(s, s.session.route.to.Load().rtp.Addr()) }

// likelihood is how well a datagram without an identifier fits a session.
type likelihood uint8

const (
	impossible likelihood = iota
	possible
	certain
)

// recognizes compares the source of a datagram with where the session's media goes to,
// and its SSRC with the one the session receives.
func (s *share) recognizes(b []byte, from netip.AddrPort) likelihood {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.session == nil {
		return impossible
	}
	to := s.session.route.to.Load()
	if from == to.rtp || from == to.rtcp {
		return certain
	}
	if ssrc, ok := sourceOf(b); ok {
		if heard, known := s.session.in.source(); known {
			if heard == ssrc {
				return certain
			}
			return impossible
		}
	}
	return possible
}

// sourceOf reads the SSRC of whoever sent RTP or RTCP.
func sourceOf(b []byte) (ssrc uint32, ok bool) {
	switch {
	case len(b) < 8 || b[0]>>6 != 2:
		return 0, false
	case b[1] >= 192 && b[1] < 224:
		return binary.BigEndian.Uint32(b[4:]), true
	case len(b) >= headerSize:
		return binary.BigEndian.Uint32(b[8:]), true
	}
	return 0, false
}

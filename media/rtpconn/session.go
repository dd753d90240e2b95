package rtpconn

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

var (
	// ErrClosed is returned by a session that was closed.
	ErrClosed = errors.New("rtp session is closed")
	// ErrFormat is returned by Publish for a track the far side cannot take.
	ErrFormat = errors.New("format was not agreed on")
	// ErrNoEvents is returned by SendDigits when telephone events were not
	// agreed on.
	ErrNoEvents = errors.New("telephone events were not agreed on")
)

// Session is one medium of a leg, both directions. It is safe for concurrent
// use.
type Session struct {
	cfg   Config
	log   *zap.Logger
	clock Clock
	ports sockets
	cname string

	agreed atomic.Pointer[agreement] // nil before the first Apply
	keys   atomic.Pointer[keyring]
	route  *route
	in     *source
	out    *sink
	tally  tally

	gate   sync.Mutex // one packet at a time
	intake intake     // guarded by gate

	tracks chan media.Track
	reach  bitrates
	paths  paths
	life   life
	report reporter

	keyframe keyframes
	wake     chan struct{} // to the upkeep: something is due

	applying    sync.Mutex // one Apply, or Close, at a time
	keying      sync.Mutex // held while keys change
	association *secure.Association
	handshake   atomic.Pointer[secure.Association] // the same, for the readers
	digits      chan struct{}                      // a token: one SendDigits at a time
	events      sync.Mutex

	closing chan struct{}
	done    chan struct{}
	once    sync.Once
	running sync.WaitGroup
	err     error
}

var _ media.Peer = (*Session)(nil)

// trackQueue is how many tracks wait to be taken.
const trackQueue = 8

// New binds the ports and starts to listen. What arrives before the first Apply
// is dropped.
func New(cfg Config) (*Session, error) {
	if cfg.Pool == nil && cfg.Mux == nil {
		return nil, errors.New("rtp session: no port pool")
	}
	s := &Session{
		cfg: cfg, log: cfg.Logger, clock: cfg.Clock, cname: cfg.CNAME,
		route: newRoute(cfg.Latching, cfg.Mux != nil), in: new(source),
		tracks: make(chan media.Track, trackQueue), wake: make(chan struct{}, 1),
		digits: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	if s.clock == nil {
		s.clock = WallClock{}
	}
	if s.cname == "" {
		s.cname = newCNAME()
	}
	s.out = newSink(cfg.SSRC, s.clock.Now())
	var err error
	if s.ports, err = openSockets(cfg); err != nil {
		return nil, fmt.Errorf("rtp session: %w", err)
	}
	if err := s.ports.serve(s); err != nil {
		return nil, fmt.Errorf("rtp session: %w", errors.Join(err, s.ports.close()))
	}
	s.running.Add(1)
	ticks, stop := s.clock.Ticker(tickOf(cfg.Role))
	go s.upkeep(ticks, stop, s.clock.Now())
	return s, nil
}

// newCNAME draws a short-term persistent name (RFC 7022 §4.2).
func newCNAME() string {
	var b [12]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// readBuffer is room for a burst: a key frame of video comes at once.
func readBuffer(r media.Role) int {
	if r == media.Audio {
		return 0
	}
	return 1 << 20
}

// LocalRTP is the address media is received on.
func (s *Session) LocalRTP() netip.AddrPort {
	rtp, _ := s.ports.local()
	return rtp
}

// LocalRTCP is where RTCP is received without rtcp-mux.
func (s *Session) LocalRTCP() netip.AddrPort {
	_, rtcp := s.ports.local()
	return rtcp
}

// MultiplexID is what the far side is to put before each datagram; ok is false for a
// session with sockets of its own.
func (s *Session) MultiplexID() (id uint32, ok bool) {
	shared, ok := s.ports.(*share)
	if !ok {
		return 0, false
	}
	return shared.id, true
}

// SSRC of what is sent. It changes only after a collision (RFC 3550 §8.2).
func (s *Session) SSRC() uint32 { return s.out.ssrc.Load() }

// CNAME is the canonical name in our RTCP.
func (s *Session) CNAME() string { return s.cname }

// Tracks delivers a track for each codec the far side sends, as it opens; at
// most one is open at a time. It is closed by Close.
func (s *Session) Tracks() <-chan media.Track { return s.tracks }

// Done is closed when the session was closed.
func (s *Session) Done() <-chan struct{} { return s.done }

// Counters tell why packets were dropped.
func (s *Session) Counters() Counters { return s.tally.counters() }

// Stats are the counters of both directions: what is received, then what is
// sent.
func (s *Session) Stats() []media.StreamStats {
	now := s.clock.Now()
	in, out := s.in.snapshot(now), s.out.snapshot(now)
	in.Role, out.Role = s.cfg.Role, s.cfg.Role
	in.Dropped = s.tally.counters().Dropped()
	in.RTT = out.RTT
	s.life.mu.Lock()
	in.LastSeen = s.life.seen // a muted terminal still sends reports
	s.life.mu.Unlock()
	return []media.StreamStats{in, out}
}

// Close says BYE, ends the tracks, waits for the session's goroutines, and
// gives the ports back to the pool; idempotent. It must not be called from
// OnEvent nor from a writer attached to a track of the session.
func (s *Session) Close() error {
	s.once.Do(s.close)
	<-s.done
	return s.err
}

func (s *Session) close() {
	defer close(s.done)
	s.applying.Lock()
	defer s.applying.Unlock()
	close(s.closing)
	if pub := s.published(); pub != nil {
		s.withdraw(pub)
		pub.remove()
	}
	s.sayGoodbye()
	s.dissociate()
	s.err = s.ports.close()
	s.running.Wait()
	s.intake.endTrack()
	close(s.tracks)
	s.logDrops(s.clock.Now(), true)
}

// emit tells the owner, one event at a time.
func (s *Session) emit(e Event) {
	if s.cfg.OnEvent == nil {
		return
	}
	s.events.Lock()
	defer s.events.Unlock()
	s.cfg.OnEvent(e)
}

// rouse makes the upkeep look at what is due.
func (s *Session) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// life is whether the far side shows signs of it.
type life struct {
	mu     sync.Mutex
	waits  bool // media is expected
	since  time.Time
	seen   time.Time // the last valid RTP or RTCP
	silent bool      // TimedOut was reported

	logged   uint64 // drops that the log knows of
	loggedAt time.Time
}

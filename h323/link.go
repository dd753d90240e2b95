package h323

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/transport"
)

// link is one call signalling connection. Its goroutine reads, and hands messages
// to the legs by their call references.
type link struct {
	e    *Endpoint
	conn *transport.Conn
	pass *transport.Pass // nil for one that we opened
	log  *zap.Logger

	bad, stray int // owned by run: messages that could not be read, or belong to no call

	mu     sync.Mutex
	theirs map[uint16]*leg // by references that the far side chose
	ours   map[uint16]*leg // by references that we chose
	idle   *time.Timer     // closes a connection that carries no call any more
	keep   bool            // the connection is to outlive its calls
	tunnel bool            // it carries RAS
	ras    RAS             // who takes RAS of a connection to a gatekeeper; nil otherwise
	closed bool
}

// Bounds on the patience with one connection.
const (
	maxBad   = 20  // messages that cannot be read
	maxStray = 200 // answers to messages of no call
)

func newLink(e *Endpoint, conn net.Conn, cfg transport.Config, pass *transport.Pass) *link {
	k := &link{
		e: e, conn: transport.New(conn, cfg), pass: pass,
		theirs: make(map[uint16]*leg), ours: make(map[uint16]*leg),
	}
	k.log = e.log.With(zap.Stringer("remote", k.conn.Remote()))
	if pass != nil {
		k.idle = time.AfterFunc(e.cfg.Timers.Silence, k.closeIdle)
	}
	return k
}

// run reads until the connection ends.
func (k *link) run() {
	defer k.e.wg.Done()
	err := k.conn.Run(k.handle)
	k.mu.Lock()
	k.closed = true
	if k.idle != nil {
		k.idle.Stop()
	}
	legs := make([]*leg, 0, len(k.theirs)+len(k.ours))
	for _, l := range k.theirs {
		legs = append(legs, l)
	}
	for _, l := range k.ours {
		legs = append(legs, l)
	}
	k.mu.Unlock()
	for _, l := range legs {
		l.post(lostLink{k, err})
	}
	k.untunnel()
	if k.pass != nil {
		k.pass.Leave()
	}
	e := k.e
	e.mu.Lock()
	delete(e.links, k)
	e.mu.Unlock()
	k.log.Debug("signalling connection closed", zap.Error(err))
}

// handle takes one packet.
func (k *link) handle(payload []byte) {
	m, err := callsig.Parse(payload)
	if err != nil {
		k.e.counters.malformed.Add(1)
		if k.bad++; k.bad > maxBad {
			k.conn.Abort() // whatever it speaks, it is not H.225.0
		}
		return
	}
	k.e.tap(true, m.Type().String(), k.conn, payload)
	if m.Err != nil {
		k.e.counters.malformed.Add(1)
		k.log.Debug("message not understood", zap.Stringer("type", m.Type()), zap.Error(m.Err))
	}
	if k.tunnelled(m) || k.greeted(m) {
		return
	}
	ref := m.Reference()
	if ref.Value == 0 {
		k.global(m)
		return
	}
	if l := k.find(m); l != nil {
		l.traceSignal(true, k, payload)
		l.post(gotMessage{k, m})
		return
	}
	if m.Type() == q931.Setup && !ref.FromDestination {
		k.setup(m)
		if l := k.find(m); l != nil {
			l.traceSignal(true, k, payload)
		}
		return
	}
	k.strayed(m)
}

// find is the leg that a message belongs to. The flag of the call reference tells
// who chose the number (Q.931 clause 4.3); some get it wrong, which does no harm
// where only one of both is in use.
func (k *link) find(m *callsig.Message) *leg {
	ref := m.Reference()
	k.mu.Lock()
	defer k.mu.Unlock()
	right, wrong := k.theirs, k.ours
	if ref.FromDestination {
		right, wrong = k.ours, k.theirs
	}
	if l := right[ref.Value]; l != nil || m.Type() == q931.Setup {
		return l
	}
	return wrong[ref.Value]
}

// strayed answers a message of a call that is none (Q.931 clause 5.8.3.2).
func (k *link) strayed(m *callsig.Message) {
	k.e.counters.stray.Add(1)
	if k.stray++; k.stray > maxStray {
		return
	}
	switch m.Type() {
	case q931.ReleaseComplete, q931.Status:
	case q931.StatusInquiry:
		k.answer(callsig.IdleStatus(m))
	default:
		const invalidReference = 81 // Q.850
		k.answer(callsig.Refusal(m, invalidReference, nil, ""))
	}
}

// answer sends what was composed without a leg.
func (k *link) answer(payload []byte, err error) {
	if err != nil {
		k.log.Debug("answer not composed", zap.Error(err))
		return
	}
	k.send(payload)
}

// send queues a message; one that cannot be sent is lost with the connection.
func (k *link) send(payload []byte) {
	if k.e.cfg.Tap != nil && len(payload) > 4 { // before the answer can come
		k.e.tap(false, q931.MessageType(payload[4]).String(), k.conn, payload)
	}
	if err := k.conn.Send(payload); err != nil {
		k.log.Debug("message not sent", zap.Error(err))
	}
}

// tap shows a message to whoever watches.
func (e *Endpoint) tap(in bool, kind string, conn *transport.Conn, payload []byte) {
	if e.cfg.Tap != nil {
		e.cfg.Tap(Record{In: in, Type: kind, Local: conn.Local(), Remote: conn.Remote(), Payload: payload})
	}
}

// adopt enters an incoming leg under its reference; false when that is taken, or
// the connection carries too much already, or is closed.
func (k *link) adopt(l *leg, ref uint16) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || k.theirs[ref] != nil || len(k.theirs) >= k.e.limits.Load().CallsPerConnection {
		return false
	}
	k.theirs[ref] = l
	k.busy()
	return true
}

// place enters an outgoing leg under a reference that neither side uses, the wanted one
// if it is free; false when the connection is closed.
func (k *link) place(l *leg, wanted uint16) (ref uint16, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return 0, false
	}
	ref = wanted
	for range 1000 {
		if k.ours[ref] == nil && k.theirs[ref] == nil {
			k.ours[ref] = l
			k.busy()
			return ref, true
		}
		ref = newReference()
	}
	return 0, false
}

func newReference() uint16 { return uint16(rand.IntN(0x7FFF) + 1) }

// drop closes a connection that a leg has no use for, unless others have.
func (k *link) drop() {
	k.mu.Lock()
	shared := k.tunnel || k.ras != nil
	k.mu.Unlock()
	if !shared {
		k.conn.Close()
	}
}

func (k *link) busy() {
	if k.idle != nil {
		k.idle.Stop()
		k.idle = nil
	}
}

// leave takes a leg out. The connection of a last call is closed, unless it is to
// be kept for others (maintainConnection).
func (k *link) leave(l *leg, ref uint16, ours bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := k.theirs
	if ours {
		list = k.ours
	}
	if list[ref] != l {
		return
	}
	delete(list, ref)
	switch {
	case k.closed || len(k.theirs)+len(k.ours) > 0:
	case k.keep || k.tunnel:
		k.rest()
	default:
		k.conn.Close()
	}
}

// closeIdle closes a connection that has carried no call for a while.
func (k *link) closeIdle() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.theirs)+len(k.ours) == 0 {
		k.conn.Close()
	}
}

// remote is the address of the far end.
func (k *link) remote() netip.AddrPort { return k.conn.Remote() }

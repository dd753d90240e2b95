package h323

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/client"
)

// home is a gatekeeper that we are registered with: it is asked before calls, and calls
// to names without a host go where it says.
type home struct {
	e      *Endpoint
	cfg    client.Config
	at     netip.AddrPort // RAS, or call signalling with H.460.17
	cancel context.CancelFunc
	ended  chan struct{}
	first  chan error // the outcome of the first attempt

	mu     sync.Mutex
	client *client.Endpoint
	stream ras.Stream    // of H.460.17
	lost   chan struct{} // closed when that is gone
}

// rasPort is the well-known port of RAS (H.225.0 appendix IV).
const rasPort = 1719

// Membership is a place in the zone of somebody else's gatekeeper.
type Membership struct {
	// Gatekeeper is the address of its RAS, or of its call signalling where RAS goes
	// over that (H.460.17); not valid: it is searched for in the group 224.0.1.41.
	Gatekeeper netip.AddrPort
	ID         string // gatekeeperIdentifier; "" takes any
	// User and Password prove who we are; without Aliases, User is what we register as.
	User, Password string
	Aliases        []string
	Prefixes       []string // of numbers, for which we are the gateway
}

// Register registers with a gatekeeper, h323:host[:port] or a host alone, and stays
// registered until unregister or the end of Serve. The port is that of RAS, or of call
// signalling where RAS goes over that (H.460.17). It returns when the gatekeeper has
// agreed, or refused.
func (e *Endpoint) Register(ctx context.Context, registrar, user, password string) (unregister func(), err error) {
	_, host := alias.Split(strings.TrimPrefix(registrar, "h323:"))
	if host == "" {
		host = strings.TrimPrefix(registrar, "h323:")
	}
	at, err := address(ctx, host)
	if err != nil {
		return nil, err
	}
	if at.Port() == signallingPort && !strings.HasSuffix(host, ":1720") && !e.cfg.Traversal.Tunnel {
		at = netip.AddrPortFrom(at.Addr(), rasPort) // no port was given
	}
	h, err := e.join(Membership{Gatekeeper: at, User: user, Password: password})
	if err != nil {
		return nil, err
	}
	select {
	case err = <-h.first:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		h.leave()
		return nil, err
	}
	return h.leave, nil
}

// Join is Register for who wants to be a member whenever that is possible: it does not
// wait, and goes on trying until leave or the end of Serve.
func (e *Endpoint) Join(m Membership) (leave func(), err error) {
	h, err := e.join(m)
	if err != nil {
		return nil, err
	}
	return h.leave, nil
}

func (e *Endpoint) join(m Membership) (*home, error) {
	h := &home{e: e, at: m.Gatekeeper, ended: make(chan struct{}), first: make(chan error, 1)}
	h.cfg = client.Config{
		Gatekeeper: m.Gatekeeper, GatekeeperID: m.ID, Prefixes: m.Prefixes, Signalling: e.Signalling,
		User: m.User, Password: m.Password, Vendor: *e.self.Vendor, Traversal: e.cfg.Traversal.Client && !e.cfg.Traversal.Tunnel,
		OnState: h.changed, OnDisengage: h.disengaged, OnIndication: h.indicated, Log: e.log.Named("registration"),
	}
	names := m.Aliases
	if len(names) == 0 && m.User != "" {
		names = []string{m.User}
	}
	for _, name := range names {
		h.cfg.Aliases = append(h.cfg.Aliases, alias.Of(name))
	}
	serve, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	if !e.settle(h) {
		cancel()
		return nil, call.ErrEnded
	}
	go h.run(serve)
	return h, nil
}

// settle enters a home among ours; false when the endpoint is closing.
func (e *Endpoint) settle(h *home) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.homes = append(e.homes, h)
	e.wg.Add(1)
	return true
}

// home is the gatekeeper that is asked about calls; nil when there is none.
func (e *Endpoint) home() *home {
	e.mu.Lock()
	homes := e.homes
	e.mu.Unlock()
	for _, h := range homes {
		if _, id := h.now(); id != "" {
			return h
		}
	}
	return nil
}

// leave unregisters and waits; idempotent.
func (h *home) leave() {
	h.cancel()
	<-h.ended
}

// leaveHomes ends all registrations.
func (e *Endpoint) leaveHomes() {
	e.mu.Lock()
	homes := e.homes
	e.mu.Unlock()
	for _, h := range homes {
		h.leave()
	}
}

// run stays registered; a connection of H.460.17 that is lost is opened again.
func (h *home) run(ctx context.Context) {
	defer h.e.wg.Done()
	defer h.gone()
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		err := h.serve(ctx)
		if err == nil && ctx.Err() != nil {
			return
		}
		h.tell(err)
		h.e.log.Info("registration lost", zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (h *home) gone() {
	h.tell(call.ErrEnded)
	e := h.e
	e.mu.Lock()
	for i, o := range e.homes {
		if o == h {
			e.homes = append(e.homes[:i:i], e.homes[i+1:]...)
			break
		}
	}
	e.mu.Unlock()
	close(h.ended)
}

// serve registers over UDP, or over one connection until that is lost.
func (h *home) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cfg, local := h.cfg, ":0"
	if from := h.e.towards(h.at.Addr()).Local; h.at.IsValid() && from.IsValid() {
		local = netip.AddrPortFrom(from, 0).String()
	}
	h.mu.Lock()
	h.lost = make(chan struct{})
	lost := h.lost
	h.mu.Unlock()
	if h.e.cfg.Traversal.Tunnel {
		stream, err := h.e.Tunnel(ctx, h.at, h)
		if err != nil {
			return err
		}
		defer stream.(*link).conn.Close()
		cfg.Stream = stream
	}
	c, err := client.Open(cfg, local)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.client, h.stream = c, cfg.Stream
	h.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx) }()
	select {
	case err := <-done:
		return err
	case <-lost:
		cancel()
		<-done
		return errors.New("the connection to the gatekeeper is gone")
	}
}

// now is the client of the moment and our endpointIdentifier; "" while not registered.
func (h *home) now() (*client.Endpoint, string) {
	h.mu.Lock()
	c := h.client
	h.mu.Unlock()
	if c == nil {
		return nil, ""
	}
	s := c.State()
	if s.Phase != client.Registered {
		return c, ""
	}
	return c, s.ID
}

// Receive implements RAS: what comes over the connection.
func (h *home) Receive(from ras.Path, pdu []byte) {
	if c, _ := h.now(); c != nil {
		c.Receive(ras.Path{Remote: h.at, Stream: from.Stream}, pdu)
	}
}

// Disconnected implements RAS.
func (h *home) Disconnected(ras.Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.lost:
	default:
		close(h.lost)
	}
}

// changed hears how the registration stands.
func (h *home) changed(s client.State) {
	switch {
	case s.Phase == client.Registered:
		h.tell(nil)
	case s.Phase == client.Waiting && s.Err != nil:
		h.tell(s.Err)
	}
}

// tell reports the outcome of the first attempt.
func (h *home) tell(err error) {
	select {
	case h.first <- err:
	default:
	}
}

// indicated takes the data of an SCI: a call that we are to connect for.
func (h *home) indicated(data []h225.GenericData) {
	in, found, err := h460.ReadIncomingCall(data)
	if !found || err != nil {
		h.e.log.Info("service indication not understood", zap.Error(err))
		return
	}
	h.e.mu.Lock()
	closed := h.e.closed
	if !closed {
		h.e.wg.Add(1)
	}
	h.e.mu.Unlock()
	if closed {
		return
	}
	go func() {
		defer h.e.wg.Done()
		ctx, cancel := context.WithTimeout(context.Background(), h.e.cfg.Timers.Connect)
		defer cancel()
		if err := h.e.CallBack(ctx, in); err != nil {
			h.e.log.Warn("announced call not taken", zap.Error(err))
		}
	}()
}

// disengaged: the gatekeeper wants a call to end.
func (h *home) disengaged(id client.CallID) {
	h.e.mu.Lock()
	l := h.e.calls[id]
	h.e.mu.Unlock()
	if l != nil {
		_ = l.Hangup(call.Cause{Code: call.NormalClearing})
	}
}

// way leads to a name through the gatekeeper.
func (h *home) way(name string) Way {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Way{Alias: name, Stream: h.stream, home: h}
}

// admit asks for a call, and tells where its SETUP goes.
func (h *home) admit(ctx context.Context, want client.Call) (netip.AddrPort, error) {
	c, id := h.now()
	if id == "" {
		return netip.AddrPort{}, client.ErrNotRegistered
	}
	grant, err := c.Admit(ctx, want)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return grant.Signalling, nil
}

// release tells that a call is over.
func (h *home) release(id client.CallID) {
	c, registered := h.now()
	if registered == "" {
		return // the gatekeeper has ended our calls with the registration
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := c.Disengage(ctx, id); err != nil {
		h.e.log.Debug("end of a call not told", zap.Error(err))
	}
}

// refusal is the cause of a call that the gatekeeper does not admit.
func refusal(err error) call.Cause {
	cause := call.Cause{Code: call.Unavailable, Text: err.Error()}
	var refused *client.Refused
	if !errors.As(err, &refused) {
		return cause
	}
	switch refused.Reason {
	case "calledPartyNotRegistered", "incompleteAddress":
		cause.Code = call.UnknownAlias
	case "invalidPermission", "requestDenied", "callerNotRegistered", "securityDenial":
		cause.Code = call.Unauthorized
	case "resourceUnavailable":
		cause.Code = call.Congestion
	default:
		cause.Code = call.Rejected
	}
	return cause
}

// admission describes a call of ours for the gatekeeper.
func (l *leg) admission(way Way) client.Call {
	c := client.Call{ID: l.out.callID, Conference: l.out.conference, Reference: l.out.reference, Bandwidth: 2 * uint64(rate(l))}
	if way.Alias != "" {
		c.To = []h225.AliasAddress{alias.Of(way.Alias)}
	}
	return c
}

// called describes an incoming call for the gatekeeper.
func (l *leg) called() client.Call {
	c := client.Call{
		ID: l.sig.CallID, Conference: l.sig.ConferenceID, Reference: l.sig.Reference, Answer: true, Address: l.link.remote(),
		Bandwidth: 2 * uint64(max(rate(l), 64000)),
	}
	if s := l.in.setup.Body().Setup; s != nil {
		c.From = s.SourceAddress
	}
	return c
}

// signs is how messages to the gatekeeper prove that they are ours; nil without one.
func (l *leg) signs() func(*q931.Message, *h225.H323UserInformation) ([]byte, error) {
	if l.home == nil {
		return nil
	}
	c, _ := l.home.now()
	if c == nil { // its connection is lost (H.460.17)
		return nil
	}
	id := l.sig.CallID
	return func(m *q931.Message, u *h225.H323UserInformation) ([]byte, error) { return c.Sign(id, m, u) }
}

// disengage tells the gatekeeper that the call, or an attempt at it, is over.
func (l *leg) disengage() {
	h := l.home
	if h == nil {
		return
	}
	l.home = nil
	id := l.sig.CallID
	l.task(func() { h.release(id) })
}

// reach opens a signalling connection for a way, or finds the one that is there.
func (e *Endpoint) reach(ctx context.Context, way Way, want client.Call) (k *link, err error) {
	if way.home != nil {
		if way.Address, err = way.home.admit(ctx, want); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				way.home.release(want.ID)
			}
		}()
	}
	if k, ok := way.Stream.(*link); ok {
		return k, nil
	}
	if way.Reverse != nil {
		return e.reverse(ctx, way, want.ID)
	}
	return e.connect(ctx, way.Address)
}

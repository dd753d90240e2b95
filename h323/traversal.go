package h323

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/transport"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn"
)

// Traversal is how firewalls and address translators are passed (H.460.17 to .19).
type Traversal struct {
	// Client: we are the ones behind; otherwise we serve those who are. Tunnel has
	// Register send RAS over call signalling (H.460.17), in place of H.460.18.
	Client, Tunnel bool
	// Mux are the sockets for multiplexed media; nil multiplexes nothing.
	Mux *rtpconn.Mux
	// RAS takes the messages that come over signalling connections (H.460.17); nil
	// takes none.
	RAS RAS
}

// RAS is the gatekeeper's side, or a client's, as connections know it.
type RAS interface {
	Receive(from ras.Path, pdu []byte)
	// Disconnected: nothing more comes from a connection, or goes there.
	Disconnected(ras.Stream)
}

// ErrNotReached is returned when a terminal that was asked to connect did not.
var ErrNotReached = errors.New("the terminal did not connect")

// await notes a call that its terminal will connect for (H.460.18). Whoever
// waits forgets it again.
func (e *Endpoint) await(callID [16]byte) (arrived chan *link, forget func()) {
	arrived = make(chan *link, 1)
	e.mu.Lock()
	e.awaited[callID] = arrived
	e.mu.Unlock()
	return arrived, func() {
		e.mu.Lock()
		delete(e.awaited, callID)
		e.mu.Unlock()
		select {
		case k := <-arrived: // too late
			k.drop()
		default:
		}
	}
}

// greeted gives a connection to the call that it was opened for. The first FACILITY names
// it; its call reference should be 0.
func (k *link) greeted(m *callsig.Message) bool {
	if m.Type() != q931.Facility || m.UU == nil {
		return false
	}
	callID, ok := h460.ReadGreeting(m.UU)
	if !ok {
		return false
	}
	k.e.mu.Lock()
	arrived := k.e.awaited[callID]
	delete(k.e.awaited, callID)
	k.e.mu.Unlock()
	if arrived == nil {
		return false
	}
	if k.pass != nil {
		k.pass.Spoke()
	}
	arrived <- k // there is room for one, and one comes
	return true
}

// reverse has a terminal connect to us for a call.
func (e *Endpoint) reverse(ctx context.Context, way Way, callID [16]byte) (*link, error) {
	arrived, forget := e.await(callID)
	defer forget()
	if err := way.Reverse(ctx, callID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotReached, err)
	}
	select {
	case k := <-arrived:
		return k, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrNotReached, ctx.Err())
	}
}

// Behind is the way to a registered terminal behind a firewall: announce sends it the data
// of an SCI. peer is where its messages come from, which tells which of our addresses it
// can connect to.
func (e *Endpoint) Behind(name string, peer netip.AddrPort, announce func(context.Context, []h225.GenericData) error) Way {
	return Way{Address: peer, Alias: name, Reverse: func(ctx context.Context, callID [16]byte) error {
		data, err := h460.IncomingCall{Address: e.Signalling(peer.Addr()), CallID: callID}.Data()
		if err != nil {
			return err
		}
		return announce(ctx, data)
	}}
}

// tunnelIdle ends a connection that carries RAS when nothing comes any more: terminals
// refresh their registrations more often.
const tunnelIdle = 10 * time.Minute

// tunnelled takes RAS messages out of a FACILITY; false when there are none.
func (k *link) tunnelled(m *callsig.Message) bool {
	if m.UU == nil || m.Type() != q931.Facility {
		return false
	}
	list := h460.TunnelledRAS(m.UU)
	if len(list) == 0 {
		return false
	}
	to := k.ras
	if to == nil {
		to = k.e.cfg.Traversal.RAS
	}
	if to == nil {
		return true // nobody is here to answer
	}
	if k.pass != nil {
		k.pass.Spoke()
	}
	k.mu.Lock()
	k.tunnel = true
	k.rest()
	k.mu.Unlock()
	path := ras.Path{Remote: k.conn.Remote(), Local: k.conn.Local(), Stream: k}
	for _, pdu := range list {
		to.Receive(path, pdu)
	}
	return true
}

// SendRAS implements ras.Stream.
func (k *link) SendRAS(pdu []byte) error {
	message, err := h460.TunnelRAS(pdu)
	if err != nil {
		return err
	}
	if err := k.conn.Send(message); err != nil {
		return err
	}
	k.e.tap(false, q931.Facility.String(), k.conn, message)
	return nil
}

// untunnel tells whoever takes RAS that the connection is gone.
func (k *link) untunnel() {
	k.mu.Lock()
	tunnel := k.tunnel
	k.mu.Unlock()
	switch {
	case k.ras != nil:
		k.ras.Disconnected(k)
	case tunnel && k.e.cfg.Traversal.RAS != nil:
		k.e.cfg.Traversal.RAS.Disconnected(k)
	}
}

// rest starts the wait for the next call on a connection without any; it is called with
// k.mu held.
func (k *link) rest() {
	k.busy()
	if len(k.theirs)+len(k.ours) > 0 || k.closed || k.ras != nil {
		return
	}
	after := k.e.cfg.Timers.Silence
	if k.tunnel {
		after = tunnelIdle
	}
	k.idle = time.AfterFunc(after, k.closeIdle)
}

// Tunnel opens a signalling connection that carries RAS to a gatekeeper (H.460.17), for
// a terminal behind a firewall. Calls come over it too. client takes the answers.
func (e *Endpoint) Tunnel(ctx context.Context, gatekeeper netip.AddrPort, client RAS) (ras.Stream, error) {
	conn, err := e.dialTCP(ctx, gatekeeper)
	if err != nil {
		return nil, err
	}
	k := newLink(e, conn, transport.Config{}, nil)
	k.ras, k.keep = client, true
	if !e.startLink(k) {
		return nil, fmt.Errorf("tunnel to %v: the endpoint is closing", gatekeeper)
	}
	return k, nil
}

// remembered is how many announced calls are kept against announcements that repeat.
const remembered = 16

// CallBack takes the announcement of a call (H.460.18), for a terminal behind a
// firewall: it connects to the announced address, and the SETUP comes there. The same
// call announced again changes nothing: some announce it twice.
func (e *Endpoint) CallBack(ctx context.Context, in h460.IncomingCall) error {
	e.mu.Lock()
	again := slices.Contains(e.announced, in.CallID)
	if !again {
		e.announced = append(e.announced[max(0, len(e.announced)-remembered+1):], in.CallID)
	}
	e.mu.Unlock()
	if again {
		return nil
	}
	greeting, err := h460.Greeting(in.CallID)
	if err != nil {
		return err
	}
	k, err := e.connect(ctx, in.Address)
	if err != nil {
		return fmt.Errorf("call from %v: %w", in.Address, err)
	}
	k.mu.Lock()
	k.rest() // the SETUP may not come
	k.mu.Unlock()
	k.send(greeting)
	return nil
}

// features are what our messages say about media through firewalls.
func (l *leg) features() []h225.GenericData {
	if !l.offersTraversal() && !l.media.traversal.Enabled() {
		return nil
	}
	return []h225.GenericData{h460.MediaFeature{Multiplexes: true, Server: !l.e.cfg.Traversal.Client}.Data()}
}

// offersTraversal reports whether a SETUP speaks of H.460.19: where it is known that a
// firewall is in the way. Others need not stumble over it.
func (l *leg) offersTraversal() bool {
	return l.out != nil && (l.e.cfg.Traversal.Client || l.out.way.Reverse != nil || l.out.way.Stream != nil)
}

// traverse begins H.460.19 when the far side has spoken of it.
func (l *leg) traverse(m *callsig.Message) {
	if l.out != nil && !l.offersTraversal() {
		return
	}
	if far, ok := h460.ReadMedia(h460.InSet(m.Features, h460.MediaTraversal)); ok {
		l.media.traversal.Enable(far)
		l.log.Debug("media through a firewall", zap.Bool("served", l.media.traversal.Serves()),
			zap.Bool("multiplexed", l.media.traversal.Multiplexes()))
	}
}

// mux are the shared sockets, where the far side can send to them.
func (s *sessions) mux() *rtpconn.Mux {
	m := s.cfg.Traversal.Mux
	if m == nil || !s.traversal.Serves() || !s.traversal.Multiplexes() || m.Addr().Addr().Is4() != s.net.Local.Is4() {
		return nil
	}
	return m
}

// traversed tells H.460.19 where a role is received.
func (s *sessions) traversed(role media.Role) (h460.Local, error) {
	at, err := s.local(role)
	if err != nil {
		return h460.Local{}, err
	}
	l := h460.Local{RTP: at.RTP, RTCP: at.RTCP}
	if id, shared := s.Get(role).MultiplexID(); shared {
		l.MultiplexID = &id
	}
	return l, nil
}

// pass puts what H.460.19 has agreed on into the parameters of a session.
func (s *sessions) pass(role media.Role, p *rtpconn.Params) {
	if !s.traversal.Enabled() {
		return
	}
	r := s.traversal.Remote(role)
	p.Traversal = rtpconn.Traversal{Serves: s.traversal.Serves(), SendID: r.SendID}
	if r.RTP.IsValid() {
		p.Remote = r.RTP
	}
	if r.RTCP.IsValid() {
		p.RemoteRTCP = r.RTCP
	}
	if r.KeepAlive.IsValid() {
		p.Traversal.KeepAlive = rtpconn.KeepAlive{To: r.KeepAlive, PayloadType: r.PayloadType, Interval: r.Interval}
	}
}

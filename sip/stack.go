package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/sip/edge"
)

// maxDatagram lifts sipgo's limit for messages over UDP: what IP can carry is
// sent, fragmented where it must be; TCP is preferred before that, see reach.
const maxDatagram = 65507

// sipgo keeps these two for the process. What it says by its default logger is
// about reference counts; the rest comes by the loggers it is given below.
func init() {
	sipgo.UDPMTUSize = maxDatagram + 200
	sipgo.SetDefaultLogger(slog.New(slog.DiscardHandler))
}

// bind opens the listeners and builds the layers above them.
func (e *Endpoint) bind() (err error) {
	e.edge = edge.New(edge.Config{
		ServerName: e.cfg.UserAgent, Allow: e.allow, Tap: e.taps(), Closed: e.flowClosed,
		Control: e.cfg.Network.Mark, Log: e.log.Named("edge"),
	})
	defer func() {
		if err != nil {
			e.closeListeners()
		}
	}()
	for _, l := range e.cfg.Listen {
		var bound *edge.Listener
		switch l.Transport {
		case "udp":
			bound, err = e.edge.ListenUDP(l.Address)
		case "tcp":
			bound, err = e.edge.ListenTCP(l.Address)
		case "tls":
			bound, err = e.edge.ListenTLS(l.Address, e.listenTLS(l.Legacy))
		}
		if err != nil {
			return fmt.Errorf("sip %s %s: %w", l.Transport, l.Address, err)
		}
		e.listeners = append(e.listeners, bound)
		e.addresses = append(e.addresses, Address{l.Transport, bound.Addr()})
	}
	for _, t := range []edge.Transport{edge.TCP, edge.TLS} {
		out, err := e.edge.Outbound(t)
		if err != nil {
			return fmt.Errorf("sip outbound %s: %w", t, err)
		}
		e.listeners = append(e.listeners, out)
	}
	logger := edge.Logger(e.log.Named("sipgo"))
	e.transport = sipgo.NewTransportLayer(net.DefaultResolver, sipgo.NewParser(), nil,
		sipgo.WithTransportLayerLogger(logger))
	e.transport.OnMessage(e.arrive) // before the transactions: in order, on the reader
	e.transactions = sipgo.NewTransactionLayer(e.transport,
		sipgo.WithTransactionLayerLogger(logger),
		sipgo.WithTransactionLayerTerminateOnConnClose(),
		sipgo.WithTransactionLayerUnhandledResponseHandler(func(*sipgo.Response) {}))
	e.transactions.OnRequest(e.handle)
	return nil
}

func (e *Endpoint) listenTLS(legacy bool) *tls.Config {
	c := &tls.Config{GetCertificate: e.cfg.Certificate, MinVersion: tls.VersionTLS12}
	if legacy {
		c.MinVersion = tls.VersionTLS10
		for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			c.CipherSuites = append(c.CipherSuites, s.ID)
		}
	}
	return c
}

// serveListeners hands messages up until the listeners are closed.
func (e *Endpoint) serveListeners() {
	for _, l := range e.listeners {
		e.listening.Add(1)
		go func() {
			defer e.listening.Done()
			if err := l.Serve(e.transport); err != nil && !errors.Is(err, net.ErrClosed) {
				e.log.Error("listener stopped", zap.String("transport", string(l.Transport())), zap.Error(err))
			}
		}()
	}
}

// awaitServed returns when requests can be sent from every UDP socket: sipgo
// knows a socket only from when it is read.
func (e *Endpoint) awaitServed(ctx context.Context) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for _, a := range e.addresses {
		for a.Transport == "udp" {
			conn, err := e.transport.GetConnection("udp", a.AddrPort.String())
			if err == nil {
				_, _ = conn.TryClose() // gives back the reference, a listener stays
				break
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
	close(e.ready)
}

func (e *Endpoint) closeListeners() {
	for _, l := range e.listeners {
		l.Close()
	}
}

// local is how we look towards a peer, with all fields filled in.
func (e *Endpoint) local(peer netip.Addr) Network { return e.cfg.Network.Towards(peer) }

// listenerFor picks the bound address of a transport that a peer reaches us
// by: the one on that very address, one on any address, or one of the family.
func (e *Endpoint) listenerFor(transport string, local netip.Addr) (netip.AddrPort, bool) {
	best, score := netip.AddrPort{}, 0
	for _, a := range e.addresses {
		if a.Transport != transport {
			continue
		}
		s := 0
		addr := a.Addr().Unmap()
		switch {
		case addr == local:
			s = 4
		case addr.IsUnspecified() && addr.Is4() == local.Is4():
			s = 3
		case addr.IsUnspecified() && addr.Is6(): // dual stack
			s = 2
		case addr.Is4() == local.Is4():
			s = 1
		}
		if s > score {
			best, score = a.AddrPort, s
		}
	}
	return best, score > 0
}

// prepare makes a request ready for the transaction layer: its destination is
// an address, its Via ours, and the connection it needs is open. It may block
// on DNS and on connecting, within ctx.
func (e *Endpoint) prepare(ctx context.Context, req *sipgo.Request) error {
	select {
	case <-e.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	network := sipgo.NetworkToLower(req.Transport())
	host, _, _ := net.SplitHostPort(req.Destination())
	to, err := e.resolve(ctx, req.Destination(), network, req.Recipient.IsEncrypted())
	if err != nil {
		return err
	}
	req.SetDestination(to.String())
	local := e.local(to.Addr())
	via := req.Via()
	via.Host = local.Advertised.String()
	bound, ok := e.listenerFor(network, local.Local)
	if ok {
		via.Port = int(bound.Port())
	}
	switch network {
	case "udp":
		if !ok {
			return fmt.Errorf("%w: no udp listener towards %s", errUnreachable, to)
		}
		if req.Laddr.Port == 0 {
			req.Laddr = sipgo.Addr{IP: net.IP(bound.Addr().AsSlice()), Port: int(bound.Port())}
		}
		return nil
	case "tcp":
		err = e.edge.Dial(ctx, edge.TCP, to, nil)
	case "tls":
		err = e.edge.Dial(ctx, edge.TLS, to, e.dialTLS(host))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	if !ok { // no listener of this transport: name the connection's own port
		if flow, found := e.edge.Flow(edge.Transport(sipgo.NetworkToUpper(network)), to.String()); found {
			via.Port = int(flow.Local.Port())
		}
	}
	return nil
}

var errUnreachable = errors.New("peer cannot be reached")

func (e *Endpoint) dialTLS(host string) *tls.Config {
	c := e.cfg.DialTLS
	if c == nil {
		c = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c = c.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	return c
}

// resolve finds the address behind "host:port" (RFC 3263 §4.2): a literal, or
// SRV when no port was named, then AAAA and A. All records of SRV are in the
// order of priority and weight; the first that resolves is taken.
func (e *Endpoint) resolve(ctx context.Context, hostport, network string, secure bool) (netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(hostport)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("destination %q: %w", hostport, err)
	}
	port, _ := strconv.ParseUint(portText, 10, 16)
	literal, err := netip.ParseAddr(host)
	if err == nil {
		if port == 0 {
			port = uint64(sipgo.DefaultPort(network))
		}
		return netip.AddrPortFrom(literal.Unmap(), uint16(port)), nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if port == 0 {
		if to, ok := e.resolveService(ctx, host, network, secure); ok {
			return to, nil
		}
		port = uint64(sipgo.DefaultPort(network))
	}
	addr, err := lookup(ctx, host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}

func (e *Endpoint) resolveService(ctx context.Context, host, network string, secure bool) (netip.AddrPort, bool) {
	service, proto := "sip", network
	if network == "tls" || secure {
		service, proto = "sips", "tcp"
	}
	_, records, err := net.DefaultResolver.LookupSRV(ctx, service, proto, host)
	if err != nil {
		return netip.AddrPort{}, false
	}
	for _, r := range records {
		if addr, err := lookup(ctx, r.Target); err == nil {
			return netip.AddrPortFrom(addr, r.Port), true
		}
	}
	return netip.AddrPort{}, false
}

// lookup prefers IPv4, which room systems reach more often.
func lookup(ctx context.Context, host string) (netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if a.Unmap().Is4() {
			return a.Unmap(), nil
		}
	}
	if len(addrs) == 0 {
		return netip.Addr{}, fmt.Errorf("no address for %s", host)
	}
	return addrs[0], nil
}

// contact is our Contact towards a peer.
func (e *Endpoint) contact(user, network string, peer netip.Addr) sipgo.ContactHeader {
	local := e.local(peer)
	uri := sipgo.Uri{Scheme: "sip", User: user, Host: hostOf(local.Advertised)}
	if bound, ok := e.listenerFor(network, local.Local); ok {
		uri.Port = int(bound.Port())
	}
	if network != "udp" {
		uri.UriParams = sipgo.HeaderParams{{K: "transport", V: network}}
	}
	return sipgo.ContactHeader{Address: uri}
}

func hostOf(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		return "[" + a.WithZone("").String() + "]"
	}
	return a.Unmap().String()
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/call/local"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory/cluster"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/ras/gatekeeper"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/rtpconn"
	"github.com/roomgate/roomgate/media/udp"
	"github.com/roomgate/roomgate/trace"
)

// h323Stack is the H.323 endpoint with the gatekeeper beside it. A nil stack is one
// that is not served.
type h323Stack struct {
	*h323.Endpoint
	zone    *gatekeeper.Server // nil: nobody registers
	tunnels bool               // registrations over signalling connections are taken
	model   gatekeeper.Model
	around  surroundings
	mux     *rtpconn.Mux // nil: nothing is multiplexed
}

// openMux binds the ports of multiplexed media; nil when there are none.
func openMux(c *config.Config, readers *udp.Readers, log *zap.Logger) (*rtpconn.Mux, error) {
	if c.H323.MediaPort == 0 {
		return nil, nil
	}
	pool, err := portpool.New(portpool.Config{Low: uint16(c.H323.MediaPort), High: uint16(c.H323.MediaPort + 1), Readers: readers})
	if err != nil {
		return nil, err
	}
	at := c.Listen.Address
	if !at.IsValid() {
		at = netip.IPv4Unspecified()
	}
	const burst = 4 << 20 // octets: pictures of many calls come at once
	pair, err := pool.Pair(at, portpool.Options{ReadBuffer: burst})
	if err != nil {
		return nil, err
	}
	const sessionsOfCall = 3
	return rtpconn.NewMux(pair, sessionsOfCall*max(sipLimits(c.Limits).Calls, 1), log.Named("multiplexed"))
}

// Serve implements call.Endpoint.
func (s *h323Stack) Serve(ctx context.Context, incoming func(call.Leg)) error {
	err := s.Endpoint.Serve(ctx, incoming)
	return errors.Join(err, s.closeMux())
}

func (s *h323Stack) closeMux() error {
	if s.mux == nil {
		return nil
	}
	return s.mux.Close()
}

// surroundings are what the H.323 stack tells the rest of the node, and asks it.
type surroundings struct {
	changed func(gatekeeper.Event) // a registration
	// leads reports whether a call to an alias that no H.323 terminal has would lead
	// anywhere.
	leads func(alias string) bool
	// whole reports whether a number needs no more digits.
	whole func(number string) bool
	count func(sent bool, kind string) // a message
	// accounts puts the directory behind the accounts of the configuration.
	accounts func(*gatekeeper.List) gatekeeper.Accounts
	// store keeps registrations, nodes are where those of others are called.
	store zoneStore
	nodes *cluster.Cluster
	trace *trace.Recorder
}

// listenH323 binds the H.323 stack.
func listenH323(c *config.Config, ports *portpool.Pool, log *zap.Logger, around surroundings) (*h323Stack, error) {
	s := &h323Stack{tunnels: c.H323.Gatekeeper.Traversal, around: around}
	s.model = s.zoneSettings(c).Model
	settings := h323Config(c, ports, log)
	settings.Trace = around.trace
	settings.Directory = zoneDirectory{s}
	settings.Traversal.RAS = zoneDirectory{s}
	settings.Complete = around.whole
	var err error
	if s.mux, err = openMux(c, ports.Readers(), log); err != nil {
		return nil, fmt.Errorf("h323.media_port: %w", err)
	}
	settings.Traversal.Mux = s.mux
	settings.Tap = func(r h323.Record) { around.count(!r.In, signallingKind(r.Type)) }
	endpoint, err := h323.New(settings)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("h323: %w", err), s.closeMux())
	}
	s.Endpoint = endpoint
	if len(c.H323.RAS) == 0 || c.H323.Gatekeeper.Mode == "off" {
		return s, nil
	}
	s.zone, err = gatekeeper.Listen(zoneConfig(c, s, log, around), c.H323.RAS, c.H323.Gatekeeper.Discovery)
	if err != nil {
		endpoint.Close()
		return nil, errors.Join(fmt.Errorf("h323.ras: %w", err), s.closeMux())
	}
	return s, nil
}

// zoneConfig is the gatekeeper's part of the configuration.
func zoneConfig(c *config.Config, s *h323Stack, log *zap.Logger, around surroundings) gatekeeper.Config {
	nets := newNetworks(c.Networks)
	towards := local.Networks(nets.towards)
	return gatekeeper.Config{
		ID:         c.H323.Gatekeeper.ID,
		Signalling: s.Signalling,
		RAS: func(peer netip.Addr) netip.AddrPort {
			return netip.AddrPortFrom(towards.Towards(peer).Advertised, portOf(c.H323.RAS))
		},
		Serves: around.leads,
		IsLocal: func(host string) bool {
			a, err := netip.ParseAddr(host)
			return err == nil && (isLocal(a) || nets.shows(a)) || c.SIP.Domain != "" && strings.EqualFold(host, c.SIP.Domain)
		},
		Traversal: c.H323.Gatekeeper.Traversal,
		Lockout:   limit.NewLockout(limit.LockoutConfig{}),
		OnEvent:   around.changed,
		OnMessage: around.count,
		OnCall:    h323.TraceRAS(around.trace),
		Store:     around.store,
		Log:       log.Named("gatekeeper"),
		Settings:  s.zoneSettings(c),
	}
}

// signallingKind keeps the numbers of message types that do not exist out of metrics.
func signallingKind(name string) string {
	if strings.HasPrefix(name, "message type") {
		return "other"
	}
	return name
}

func portOf(list config.Addresses) uint16 {
	for _, a := range list {
		if at, err := netip.ParseAddrPort(strings.Replace(a, "[::]", "[::1]", 1)); err == nil {
			return at.Port()
		}
	}
	return 1719
}

// h323Config is the H.323 stack's part of the configuration.
func h323Config(c *config.Config, ports *portpool.Pool, log *zap.Logger) h323.Config {
	out := h323.Config{
		Listen:       c.H323.Signalling,
		Aliases:      []string{"roomgate"},
		Direct:       c.H323.AllowDirect,
		Tunnelling:   h323.TunnelPrefer,
		FastStart:    h323.FastStart(c.H323.FastStart),
		EarlyH245:    c.H323.EarlyH245,
		Network:      newNetworks(c.Networks).towards,
		Ports:        ports,
		Latching:     h323.Latching(c.RTP.Latching),
		Encryption:   h323.Encryption(c.RTP.Encryption),
		MediaTimeout: c.RTP.Timeout,
		Limits:       h323Limits(c.Limits),
		Product:      "roomgate", Version: version, Camera: &cameras,
		Log: log.Named("h323"),
	}
	if !c.H323.Tunnelling {
		out.Tunnelling = h323.TunnelOff
	}
	return out
}

// h323Limits leaves the count of calls to the gateway, as sipLimits does.
func h323Limits(c config.Limits) h323.Limits {
	calls := sipLimits(c).Calls
	return h323.Limits{Calls: calls, PerSource: c.PerSource, Connections: 2*calls + 200}
}

// zoneSettings is what the gatekeeper may be told while it runs.
func (s *h323Stack) zoneSettings(c *config.Config) gatekeeper.Settings {
	accounts := make([]gatekeeper.Account, 0, len(c.Accounts))
	for _, a := range c.Accounts {
		accounts = append(accounts, gatekeeper.Account{Username: a.Username, Password: a.Password, Aliases: a.Aliases})
	}
	g := c.H323.Gatekeeper
	out := gatekeeper.Settings{
		Mode:             registrationModes[g.Registration],
		Allow:            g.Allow,
		Accounts:         s.around.accounts(gatekeeper.NewList(accounts)),
		TimeToLive:       g.TimeToLive,
		MaxRegistrations: c.Limits.Registrations,
		PerSource:        c.Limits.PerSource,
		CallBandwidth:    kilobits(g.CallBandwidth),
		TotalBandwidth:   kilobits(g.TotalBandwidth),
	}
	if g.Mode == "direct" {
		out.Model = gatekeeper.Direct
	}
	for _, n := range g.Neighbours {
		out.Neighbours = append(out.Neighbours, gatekeeper.Neighbour{Name: n.Name, Address: n.Address, Prefixes: n.Prefixes, Strip: n.Strip})
	}
	for _, a := range g.Alternates {
		out.Alternates = append(out.Alternates, gatekeeper.Alternate{ID: a.ID, Address: a.Address, Priority: uint8(a.Priority), Register: a.Register})
	}
	return out
}

// registrationModes are the words of h323.gatekeeper.registration.
var registrationModes = map[string]gatekeeper.Mode{
	"open": gatekeeper.Open, "accounts": gatekeeper.OnlyAccounts, "closed": gatekeeper.Closed,
}

func kilobits(n int) uint64 { return uint64(n) * 1000 }

// apply takes what of a new configuration can be taken while calls run.
func (s *h323Stack) apply(c *config.Config) {
	if s == nil {
		return
	}
	s.Reload(h323Limits(c.Limits))
	if s.zone != nil {
		settings := s.zoneSettings(c)
		settings.Model = s.model // takes a restart
		s.zone.Apply(settings)
	}
}

func (s *h323Stack) drain() {
	if s != nil {
		s.Drain()
	}
}

// serveZone runs the gatekeeper until ctx ends.
func (s *h323Stack) serveZone(ctx context.Context) error {
	if s == nil || s.zone == nil {
		return nil
	}
	return s.zone.Serve(ctx)
}

// join registers with somebody else's gatekeeper, if there is one, until ctx ends.
func (s *h323Stack) join(ctx context.Context, c config.Membership) error {
	if s == nil || !c.Gatekeeper.IsValid() {
		return nil
	}
	if len(c.Aliases) == 0 && c.Username == "" {
		c.Aliases = []string{"roomgate"}
	}
	leave, err := s.Join(h323.Membership{
		Gatekeeper: c.Gatekeeper, ID: c.ID, User: c.Username, Password: c.Password, Aliases: c.Aliases, Prefixes: c.Prefixes,
	})
	if err != nil {
		return fmt.Errorf("h323.register: %w", err)
	}
	<-ctx.Done()
	leave()
	return nil
}

// elsewhere finds the terminal that has a name at another node, and where its calls go.
func (s *h323Stack) elsewhere(name string) (netip.AddrPort, bool) {
	if s == nil || s.zone == nil {
		return netip.AddrPort{}, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.around.store.elsewhere(ctx, s.around.nodes, name, time.Now())
}

// known reports whether a terminal of the zone has an alias, registered or not.
func (s *h323Stack) known(name string) bool {
	return s != nil && s.zone != nil && s.zone.Known(name)
}

// registrations shows the zone in the gateway's words, one line for each alias.
func (s *h323Stack) registrations() (out []gateway.Registration) {
	if s == nil || s.zone == nil {
		return nil
	}
	for _, r := range s.zone.Registrations() {
		out = append(out, registrationsOf(r)...)
	}
	return out
}

func registrationsOf(r gatekeeper.Registration) (out []gateway.Registration) {
	names := alias.Texts(r.Aliases)
	for _, prefix := range r.Prefixes {
		names = append(names, prefix+"*")
	}
	for _, name := range names {
		out = append(out, gateway.Registration{
			Protocol: call.H323, Alias: name, Contact: contact(r), Address: r.Path.Remote.String(), Transport: r.Path.Transport(),
			UserAgent: cmp.Or(r.Product, r.Vendor), Product: r.Product, Since: r.Since, Expires: r.Expires,
		})
	}
	return out
}

func contact(r gatekeeper.Registration) string {
	if len(r.Signalling) == 0 {
		return ""
	}
	return "h323:" + r.Signalling[0].String()
}

// h323RegistrationChanged tells the event stream.
func (n *node) h323RegistrationChanged(e gatekeeper.Event) {
	kind := gateway.EventUnregistered
	switch e.Kind {
	case gatekeeper.Registered:
		kind = gateway.EventRegistered
	case gatekeeper.Changed:
		return
	}
	for _, r := range registrationsOf(e.Registration) {
		n.gateway.Publish(gateway.Event{Kind: kind, Registration: &r})
	}
}

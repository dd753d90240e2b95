package client

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/socket"
)

// begin searches for the gatekeeper, or registers where there is nothing to search.
func (t *turn) begin() {
	g := t.gatekeeper()
	t.state = State{Gatekeeper: g.path.Remote, GatekeeperID: g.id}
	t.method, t.signs = t.c.Method, false
	if g.path.Stream != nil {
		t.register(false)
		return
	}
	t.state.Phase = Searching
	to := g.path
	if !to.Remote.IsValid() {
		to = ras.Path{Remote: socket.Group, Multicast: true}
	}
	q := &h225.GatekeeperRequest{
		ProtocolIdentifier: h225.ProtocolIdentifier, RASAddress: t.rasAddress(to), EndpointType: t.endpointType(),
		EndpointAlias: t.c.Aliases, SupportsAltGK: true, FeatureSet: t.features(),
	}
	if g.id != "" {
		q.GatekeeperIdentifier = &g.id
	}
	if t.c.Password != "" {
		methods := auth.Methods()
		if t.c.Method != 0 {
			methods = []auth.Method{t.c.Method}
		}
		q.AuthenticationCapability, q.AlgorithmOIDS = auth.AdvertiseAll(methods)
	}
	t.ask(to, &h225.RASMessage{GatekeeperRequest: q}, func(t *turn, answer *h225.RASMessage, err error) { t.found(answer, err) })
}

// found takes the outcome of the search. A gatekeeper at a known address that does not
// answer may still register: some do not know GRQ from terminals of other subnets.
func (t *turn) found(answer *h225.RASMessage, err error) {
	var refused *Refused
	switch {
	case t.state.Phase != Searching:
		return
	case errors.As(err, &refused):
		if info := answer.GatekeeperReject; info != nil && info.AltGKInfo != nil {
			t.alternates(info.AltGKInfo.AlternateGatekeeper)
		}
		t.fail(err)
		return
	case err != nil && !t.gatekeeper().path.Remote.IsValid():
		t.fail(err)
		return
	case err != nil:
		t.register(false)
		return
	}
	c := answer.GatekeeperConfirm
	if c == nil {
		t.fail(ErrNotRegistered)
		return
	}
	if at, ok := alias.AddrPort(&c.RASAddress); ok && at.Port() != 0 && !at.Addr().IsUnspecified() {
		t.state.Gatekeeper = at
	}
	if c.GatekeeperIdentifier != nil {
		t.state.GatekeeperID = *c.GatekeeperIdentifier
	}
	if m, ok := auth.Chosen(c.AuthenticationMode, c.AlgorithmOID); ok && t.c.Method == 0 {
		t.method = m
	}
	t.alternates(c.AlternateGatekeeper)
	t.register(true)
}

// path is the way to the gatekeeper that confirmed.
func (t *turn) path() ras.Path {
	if s := t.gatekeeper().path.Stream; s != nil {
		return ras.Path{Stream: s}
	}
	return ras.Path{Remote: t.state.Gatekeeper}
}

// register sends a full RRQ (H.225.0 clause 7.9.1).
func (t *turn) register(discovered bool) {
	t.state.Phase = Registering
	if t.method == 0 && t.c.Password != "" {
		t.method = auth.Password // the gatekeeper did not say; everybody knows this one
	}
	q := t.registration(discovered)
	q.TerminalAlias = t.c.Aliases
	q.SupportsAltGK = true
	t.ask(t.path(), &h225.RASMessage{RegistrationRequest: q}, func(t *turn, answer *h225.RASMessage, err error) {
		if t.state.Phase == Registering {
			t.registered(answer, err)
		}
	})
}

// registration is what a full RRQ and a keep-alive have in common.
func (t *turn) registration(discovered bool) *h225.RegistrationRequest {
	to := t.path()
	q := &h225.RegistrationRequest{
		ProtocolIdentifier: h225.ProtocolIdentifier, DiscoveryComplete: discovered,
		CallSignalAddress: []h225.TransportAddress{}, RASAddress: []h225.TransportAddress{t.rasAddress(to)},
		TerminalType: t.endpointType(), EndpointVendor: t.c.Vendor, TimeToLive: seconds(t.c.TimeToLive),
		KeepAlive: new(bool), WillSupplyUUIES: new(bool), MaintainConnection: new(bool), FeatureSet: t.features(),
	}
	if at := alias.Transport(t.c.Signalling(to.Remote.Addr())); at != nil {
		q.CallSignalAddress = append(q.CallSignalAddress, *at)
	}
	if id := t.state.GatekeeperID; id != "" {
		q.GatekeeperIdentifier = &id
	}
	return q
}

// registered takes the answer to RRQ.
func (t *turn) registered(answer *h225.RASMessage, err error) {
	if err == nil && answer.RegistrationConfirm == nil {
		err = ErrNotRegistered
	}
	if err != nil {
		if r := answer; r != nil && r.RegistrationReject != nil {
			if r.RegistrationReject.AltGKInfo != nil {
				t.alternates(r.RegistrationReject.AltGKInfo.AlternateGatekeeper)
			}
		}
		t.fail(err)
		return
	}
	c := answer.RegistrationConfirm
	t.failures = 0
	t.state.Phase, t.state.ID, t.state.Aliases, t.state.Err = Registered, c.EndpointIdentifier, c.TerminalAlias, nil
	if c.GatekeeperIdentifier != nil {
		t.state.GatekeeperID = *c.GatekeeperIdentifier
	}
	t.granted = c.PreGrantedARQ
	if len(c.CallSignalAddress) > 0 {
		t.gkSignal = c.CallSignalAddress[0]
	}
	t.alternates(c.AlternateGatekeeper)
	t.live(c.TimeToLive)
	t.log.Info("registered with a gatekeeper", zap.Stringer("gatekeeper", t.state.Gatekeeper), zap.String("id", t.state.GatekeeperID))
}

// live plans the next keep-alive: early enough for all its repetitions.
func (t *turn) live(ttl *uint32) {
	t.state.TimeToLive = 0
	if ttl != nil {
		t.state.TimeToLive = time.Duration(*ttl) * time.Second
	}
	t.next = t.now.Add(max(t.state.TimeToLive/2, time.Second))
}

// keepAlive refreshes the registration (H.225.0 clause 7.9.1).
func (t *turn) keepAlive() {
	t.next = t.now.Add(t.state.TimeToLive)
	q := t.registration(true)
	q.KeepAlive, q.EndpointIdentifier = ptr(true), ptr(t.state.ID)
	asked := t.state.ID
	t.ask(t.path(), &h225.RASMessage{RegistrationRequest: q}, func(t *turn, answer *h225.RASMessage, err error) {
		var refused *Refused
		switch {
		case t.state.Phase != Registered || t.state.ID != asked:
		case err == nil && answer.RegistrationConfirm != nil:
			t.live(answer.RegistrationConfirm.TimeToLive)
		case errors.As(err, &refused) && refused.Reason == "fullRegistrationRequired":
			t.state.ID = ""
			t.register(true)
		default:
			t.fail(err)
		}
	})
}

const (
	shortestWait = 2 * time.Second
	longestWait  = 2 * time.Minute
)

// fail goes to the next gatekeeper of the list at once, and waits when all have failed;
// the longer the more often.
func (t *turn) fail(err error) {
	t.log.Info("not registered with the gatekeeper", zap.Stringer("gatekeeper", t.state.Gatekeeper), zap.Error(err))
	t.failures++
	t.current = (t.current + 1) % len(t.hosts)
	t.state = State{Phase: Waiting, Gatekeeper: t.gatekeeper().path.Remote, Err: err}
	wait := time.Duration(0)
	if rounds := t.failures / len(t.hosts); t.failures%len(t.hosts) == 0 {
		wait = min(shortestWait<<min(rounds-1, 8), longestWait)
	}
	t.next = t.now.Add(wait)
}

// endpointType says what we are: a gateway when we have prefixes, a terminal otherwise.
func (t *turn) endpointType() h225.EndpointType {
	e := h225.EndpointType{Vendor: &t.c.Vendor}
	if len(t.c.Prefixes) == 0 {
		e.Terminal = &h225.TerminalInfo{}
		return e
	}
	caps := &h225.H323Caps{SupportedPrefixes: []h225.SupportedPrefix{}}
	for _, p := range t.c.Prefixes {
		caps.SupportedPrefixes = append(caps.SupportedPrefixes, h225.SupportedPrefix{Prefix: alias.Of(p)})
	}
	e.Gateway = &h225.GatewayInfo{Protocol: []h225.SupportedProtocols{{H323: caps}}}
	return e
}

func (t *turn) rasAddress(to ras.Path) h225.TransportAddress {
	if at := alias.Transport(t.c.RAS(to.Remote.Addr())); at != nil {
		return *at
	}
	return h225.TransportAddress{IPAddress: &h225.IPAddress{}}
}

func (t *turn) features() *h225.FeatureSet {
	var list []h225.GenericData
	if t.c.Traversal {
		list = append(list, h225.GenericData{ID: h225.GenericIdentifier{Standard: ptr[int64](18)}})
	}
	if t.gatekeeper().path.Stream != nil {
		list = append(list, h225.GenericData{ID: h225.GenericIdentifier{Standard: ptr[int64](17)}})
	}
	if list == nil {
		return nil
	}
	return &h225.FeatureSet{SupportedFeatures: list}
}

func seconds(d time.Duration) *uint32 { return ptr(uint32(max(d/time.Second, 1))) }

func ptr[T any](v T) *T { return &v }

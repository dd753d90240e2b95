package h323

import (
	"context"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
)

// setup takes a SETUP that begins a call.
func (k *link) setup(m *callsig.Message) {
	e := k.e
	if k.pass != nil {
		k.pass.Spoke()
	}
	if !e.rate.Load().Allow(k.remote().Addr()) {
		e.counters.limited.Add(1)
		k.refuse(m, call.Cause{Code: call.Congestion})
		return
	}
	if cause := e.screen(m); cause != nil {
		k.refuse(m, *cause)
		return
	}
	if cause := e.admit(true); cause != nil {
		k.refuse(m, *cause)
		return
	}
	l, cause := e.newIncoming(k, m)
	if cause != nil {
		k.refuse(m, *cause)
		return
	}
	if !l.start() {
		k.leave(l, m.Reference().Value, false)
		l.leavePending()
		k.refuse(m, call.Cause{Code: call.Draining})
	}
}

// screen refuses what is no call to somebody.
func (e *Endpoint) screen(m *callsig.Message) *call.Cause {
	s := m.Body().Setup
	switch {
	case s == nil:
		text := "no H.225.0 SETUP in it"
		if m.Err != nil {
			text = m.Err.Error()
		}
		return &call.Cause{Code: call.BadRequest, Text: text}
	case s.ConferenceGoal.CapabilityNegotiation, s.ConferenceGoal.CallIndependentSupplementaryService:
		return &call.Cause{Code: call.NotSupported, Text: "no call is asked for"}
	}
	if m.CallID != nil {
		e.mu.Lock()
		known := e.calls[*m.CallID]
		e.mu.Unlock()
		if known != nil && known.Info().Direction == call.In {
			// The same call over another way, as forking gatekeepers do.
			return &call.Cause{Code: call.UserBusy, Text: "this call is here already"}
		}
	}
	return nil
}

// refuse answers a SETUP without a leg.
func (k *link) refuse(m *callsig.Message, cause call.Cause) {
	k.answer(callsig.Refusal(m, uint8(cause.Code.Q850()), callsig.Reason(cause.Code), ""))
	k.log.Info("call refused", zap.Stringer("cause", cause))
}

// newIncoming makes the leg of a SETUP.
func (e *Endpoint) newIncoming(k *link, m *callsig.Message) (*leg, *call.Cause) {
	dialled, source := m.Dialled(), m.Source()
	info := call.Info{
		Direction: call.In, Called: dialled.Alias, CalledURI: dialled.URI,
		Remote: call.Remote{
			Alias: source.Alias, Name: source.Name, URI: "h323:" + source.Alias, Address: k.remote(),
			UserAgent: userAgent(m.Endpoint), Product: product(m.Endpoint), Focus: focus(m.Endpoint),
		},
	}
	e.recognise(&info.Remote, m, k)
	if !e.cfg.Direct && !info.Remote.Registered && e.home() == nil { // a gatekeeper will be asked
		return nil, &call.Cause{Code: call.Unauthorized, Text: "not registered"}
	}
	l := e.newLeg(info, k.remote().Addr())
	l.link, l.sig = k, callsig.Incoming(m, selfAs(&e.cfg, l.terminalType()))
	l.in = &answering{setup: m, pending: true, digits: dialled.Alias}
	l.enter(l.ringing)
	if !k.adopt(l, m.Reference().Value) {
		l.kill()
		return nil, &call.Cause{Code: call.Congestion, Text: "no room on this connection"}
	}
	if m.MaintainConnection || m.MultipleCalls {
		k.mu.Lock()
		k.keep = true
		k.mu.Unlock()
	}
	e.mu.Lock()
	e.pending++
	e.mu.Unlock()
	e.remember(l.sig.CallID, l)
	e.cfg.Trace.Bind(traceKey(l.sig.CallID), l.Info().ID)
	l.log.Info("leg created", zap.String("direction", "in"), zap.String("product", info.Remote.Product))
	l.mail <- gotMessage{k, m} // the queue is empty
	return l, nil
}

// recognise says what our directory knows of the caller.
func (e *Endpoint) recognise(r *call.Remote, m *callsig.Message, k *link) {
	if e.cfg.Directory == nil {
		return
	}
	id := ""
	if s := m.Body().Setup; s != nil && s.EndpointIdentifier != nil {
		id = *s.EndpointIdentifier
	}
	var callID [16]byte
	if m.CallID != nil {
		callID = *m.CallID
	}
	if alias, ok := e.cfg.Directory.Caller(k.remote(), id, callID); ok {
		r.Registered = true
		if r.Alias == "" {
			r.Alias, r.URI = alias, "h323:"+alias
		}
	}
}

// remember lets messages that name a call by its identifier find it.
func (e *Endpoint) remember(id [16]byte, l *leg) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.calls[id] == nil && id != ([16]byte{}) {
		e.calls[id] = l
	}
}

// forget takes a call identifier out of those that are known.
func (e *Endpoint) forget(id [16]byte, l *leg) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.calls[id] == l {
		delete(e.calls, id)
	}
}

// hand gives an incoming leg to the gateway, on a goroutine of its own.
func (l *leg) hand() {
	take := l.e.incoming.Load()
	if take == nil {
		return
	}
	h := l.e.home()
	if h == nil || l.Info().Remote.Registered { // of our own zone
		l.task(func() { (*take)(l) })
		return
	}
	l.home = h
	want := l.called()
	l.task(func() {
		ctx, cancel := context.WithTimeout(l.life, l.e.cfg.Timers.Setup)
		defer cancel()
		if _, err := h.admit(ctx, want); err != nil {
			_ = l.Hangup(refusal(err))
			return
		}
		(*take)(l)
	})
}

// global takes a message with call reference 0: it is about the connection as a
// whole, or about a call that its identifier names.
func (k *link) global(m *callsig.Message) {
	if m.CallID != nil {
		k.e.mu.Lock()
		l := k.e.calls[*m.CallID]
		k.e.mu.Unlock()
		if l != nil && m.Body().Facility != nil {
			l.post(gotMessage{k, m}) // startH245 of Huawei, among others
			return
		}
	}
	k.strayed(m)
}

// reasonOf names the reason of a FACILITY for logs.
func reasonOf(r h225.FacilityReason) string {
	for _, n := range []struct {
		is   bool
		name string
	}{
		{r.RouteCallToGatekeeper, "routeCallToGatekeeper"}, {r.CallForwarded, "callForwarded"}, {r.RouteCallToMC, "routeCallToMC"},
		{r.UndefinedReason, "undefinedReason"}, {r.ConferenceListChoice, "conferenceListChoice"}, {r.StartH245, "startH245"},
		{r.NoH245, "noH245"}, {r.NewTokens, "newTokens"}, {r.FeatureSetUpdate, "featureSetUpdate"},
		{r.ForwardedElements, "forwardedElements"}, {r.TransportedInformation, "transportedInformation"},
	} {
		if n.is {
			return n.name
		}
	}
	return "unknown"
}

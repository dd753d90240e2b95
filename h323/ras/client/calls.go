package client

import (
	"context"
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
)

// unit of bandwidth in messages: 100 bit/s of both directions together.
const unit = 100

// Call is what is told of a call to be admitted.
type Call struct {
	ID         CallID
	Conference [16]byte
	Reference  uint16 // the call reference value of its SETUP
	Answer     bool   // we are called
	// To is who is called, or nothing when Address says it. From is who calls; nil:
	// our aliases.
	To, From  []h225.AliasAddress
	Address   netip.AddrPort // dialled, or of the caller's SETUP when we are called
	Bandwidth uint64         // bit/s of both directions together
}

// Grant is the gatekeeper's answer.
type Grant struct {
	Signalling netip.AddrPort         // where the SETUP goes
	Aliases    []h225.AliasAddress    // to call there; nil: as dialled
	Bandwidth  uint64                 // bit/s
	Routed     bool                   // Signalling is the gatekeeper
	Type       *h225.EndpointType     // of who is called, nil when not told
	Answer     *h225.AdmissionConfirm // the whole answer, for tokens and features; nil when it was granted in advance
}

// call is one that was admitted.
type call struct {
	Call
	routed bool
	every  time.Duration // reports, 0: none
	next   time.Time
}

// Admit asks for a call (ARQ, H.225.0 clause 7.11.1).
func (c *Client) Admit(ctx context.Context, want Call) (Grant, error) {
	g, err := wait(ctx, c, func(t *turn, done func(Grant, error)) {
		if t.state.Phase != Registered {
			done(Grant{}, ErrNotRegistered)
			return
		}
		if g, ok := t.inAdvance(want); ok {
			t.calls[want.ID] = &call{Call: want, routed: g.Routed}
			done(g, nil)
			return
		}
		t.ask(t.path(), &h225.RASMessage{AdmissionRequest: t.admission(want)}, func(t *turn, answer *h225.RASMessage, err error) {
			switch {
			case err != nil:
				done(Grant{}, err)
			case ctx.Err() != nil: // nobody waits any more
				if _, err := t.admitted(want, answer); err == nil {
					t.disengage(t.calls[want.ID], h225.DisengageReason{UndefinedReason: true}, func(struct{}, error) {})
				}
			default:
				done(t.admitted(want, answer))
			}
		})
	})
	if err != nil && ctx.Err() != nil {
		c.turn(func(t *turn) { // the answer may have come in that moment
			if a := t.calls[want.ID]; a != nil {
				t.disengage(a, h225.DisengageReason{UndefinedReason: true}, func(struct{}, error) {})
			}
		})
	}
	return g, err
}

// inAdvance reports whether the gatekeeper granted such calls when it registered us
// (preGrantedARQ, clause 7.9.2), to be sent to itself.
func (t *turn) inAdvance(want Call) (Grant, bool) {
	p := t.granted
	at, ok := alias.AddrPort(&t.gkSignal)
	if p == nil || !ok {
		return Grant{}, false
	}
	if want.Answer && p.AnswerCall || !want.Answer && p.MakeCall && p.UseGKCallSignalAddressToMakeCall {
		return Grant{Signalling: at, Bandwidth: want.Bandwidth, Routed: true}, true
	}
	return Grant{}, false
}

func (t *turn) admission(want Call) *h225.AdmissionRequest {
	q := &h225.AdmissionRequest{
		CallType: h225.CallType{PointToPoint: true}, EndpointIdentifier: t.state.ID,
		DestinationInfo: want.To, SrcInfo: want.From, BandWidth: uint32(min(want.Bandwidth/unit, 1<<32-1)),
		CallReferenceValue: want.Reference, ConferenceID: want.Conference, AnswerCall: want.Answer,
		CanMapAlias: ptr(true), CallIdentifier: &h225.CallIdentifier{GUID: want.ID}, WillSupplyUUIES: ptr(false),
	}
	if q.SrcInfo == nil {
		q.SrcInfo = append([]h225.AliasAddress{}, t.c.Aliases...)
	}
	if id := t.state.GatekeeperID; id != "" {
		q.GatekeeperIdentifier = &id
	}
	if want.Answer {
		q.SrcCallSignalAddress = alias.Transport(want.Address)
	} else {
		q.DestCallSignalAddress = alias.Transport(want.Address)
	}
	return q
}

func (t *turn) admitted(want Call, answer *h225.RASMessage) (Grant, error) {
	c := answer.AdmissionConfirm
	if c == nil && len(answer.AdmissionConfirmSequence) > 0 {
		c = &answer.AdmissionConfirmSequence[0]
	}
	if c == nil {
		return Grant{}, ErrNotRegistered
	}
	admitted := &call{Call: want, routed: c.CallModel.GatekeeperRouted}
	admitted.Bandwidth = uint64(c.BandWidth) * unit
	if c.IrrFrequency != nil {
		admitted.every = time.Duration(*c.IrrFrequency) * time.Second
		admitted.next = t.now.Add(admitted.every)
	}
	t.calls[want.ID] = admitted
	g := Grant{Aliases: c.DestinationInfo, Bandwidth: admitted.Bandwidth, Routed: admitted.routed, Type: c.DestinationType, Answer: c}
	g.Signalling, _ = alias.AddrPort(&c.DestCallSignalAddress)
	return g, nil
}

// Bandwidth asks for another bandwidth of a call, bit/s of both directions together
// (BRQ, clause 7.12.1). With an error the call keeps what it had.
func (c *Client) Bandwidth(ctx context.Context, id CallID, want uint64) (uint64, error) {
	return wait(ctx, c, func(t *turn, done func(uint64, error)) {
		a := t.calls[id]
		if a == nil || t.state.Phase != Registered {
			done(0, ErrNotRegistered)
			return
		}
		q := &h225.BandwidthRequest{
			EndpointIdentifier: t.state.ID, ConferenceID: a.Conference, CallReferenceValue: a.Reference,
			BandWidth: uint32(min(want/unit, 1<<32-1)), CallIdentifier: &h225.CallIdentifier{GUID: id}, AnsweredCall: &a.Answer,
		}
		t.ask(t.path(), &h225.RASMessage{BandwidthRequest: q}, func(_ *turn, answer *h225.RASMessage, err error) {
			if err == nil && answer.BandwidthConfirm != nil {
				a.Bandwidth = uint64(answer.BandwidthConfirm.BandWidth) * unit
			}
			done(a.Bandwidth, err)
		})
	})
}

// Disengage tells that a call has ended (DRQ, clause 7.14.1).
func (c *Client) Disengage(ctx context.Context, id CallID) error {
	_, err := wait(ctx, c, func(t *turn, done func(struct{}, error)) {
		a := t.calls[id]
		if a == nil {
			done(struct{}{}, nil)
			return
		}
		t.disengage(a, h225.DisengageReason{NormalDrop: true}, done)
	})
	return err
}

func (t *turn) disengage(a *call, reason h225.DisengageReason, done func(struct{}, error)) {
	delete(t.calls, a.ID)
	if t.state.Phase != Registered {
		done(struct{}{}, nil)
		return
	}
	q := &h225.DisengageRequest{
		EndpointIdentifier: t.state.ID, ConferenceID: a.Conference, CallReferenceValue: a.Reference, DisengageReason: reason,
		CallIdentifier: &h225.CallIdentifier{GUID: a.ID}, AnsweredCall: &a.Answer,
	}
	if id := t.state.GatekeeperID; id != "" {
		q.GatekeeperIdentifier = &id
	}
	t.ask(t.path(), &h225.RASMessage{DisengageRequest: q}, func(_ *turn, _ *h225.RASMessage, err error) { done(struct{}{}, err) })
}

// wait runs a step that calls done once, and waits for that.
func wait[T any](ctx context.Context, c *Client, step func(t *turn, done func(T, error))) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	result := make(chan outcome, 1)
	c.turn(func(t *turn) { step(t, func(v T, err error) { result <- outcome{v, err} }) })
	select {
	case <-ctx.Done():
		return *new(T), ctx.Err()
	case o := <-result:
		return o.value, o.err
	}
}

// Locate asks where somebody can be called without asking for the call (LRQ, clause
// 7.13.1).
func (c *Client) Locate(ctx context.Context, who []h225.AliasAddress) (netip.AddrPort, error) {
	return wait(ctx, c, func(t *turn, done func(netip.AddrPort, error)) {
		if t.state.Phase != Registered {
			done(netip.AddrPort{}, ErrNotRegistered)
			return
		}
		q := &h225.LocationRequest{
			EndpointIdentifier: ptr(t.state.ID), DestinationInfo: who, ReplyAddress: t.rasAddress(t.path()), SourceInfo: t.c.Aliases,
		}
		t.ask(t.path(), &h225.RASMessage{LocationRequest: q}, func(_ *turn, answer *h225.RASMessage, err error) {
			if err != nil || answer.LocationConfirm == nil {
				done(netip.AddrPort{}, err)
				return
			}
			at, _ := alias.AddrPort(&answer.LocationConfirm.CallSignalAddress)
			done(at, nil)
		})
	})
}

// disengaged: the gatekeeper wants a call to end.
func (t *turn) disengaged(q *h225.DisengageRequest, reply func(*h225.RASMessage)) {
	a := t.find(q.CallIdentifier, q.ConferenceID, q.CallReferenceValue)
	if a == nil {
		reply(&h225.RASMessage{DisengageReject: &h225.DisengageReject{
			RejectReason: h225.DisengageRejectReason{RequestToDropOther: true},
		}})
		return
	}
	delete(t.calls, a.ID)
	t.after = append(t.after, func() { t.c.OnDisengage(a.ID) })
	reply(&h225.RASMessage{DisengageConfirm: &h225.DisengageConfirm{}})
}

// limited: the gatekeeper changes the bandwidth of a call. That is confirmed; the
// endpoint asks before it uses more again.
func (t *turn) limited(q *h225.BandwidthRequest, reply func(*h225.RASMessage)) {
	a := t.find(q.CallIdentifier, q.ConferenceID, q.CallReferenceValue)
	if a == nil {
		reply(&h225.RASMessage{BandwidthReject: &h225.BandwidthReject{RejectReason: h225.BandRejectReason{InvalidConferenceID: true}}})
		return
	}
	a.Bandwidth = uint64(q.BandWidth) * unit
	reply(&h225.RASMessage{BandwidthConfirm: &h225.BandwidthConfirm{BandWidth: q.BandWidth}})
}

func (t *turn) find(id *h225.CallIdentifier, conference [16]byte, reference uint16) *call {
	if id != nil && t.calls[id.GUID] != nil {
		return t.calls[id.GUID]
	}
	for _, a := range t.calls {
		if a.Conference == conference && a.Reference == reference {
			return a
		}
	}
	return nil
}

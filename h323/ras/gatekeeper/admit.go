package gatekeeper

import (
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// reportEvery is how often endpoints tell of their calls (irrFrequency): admissions of
// endpoints that vanished are found by the reports that do not come.
const reportEvery = 60 * time.Second

// mostCalls of one endpoint at once.
const mostCalls = 500

// admit works on ARQ (H.225.0 clause 7.11.1).
func (t *turn) admit(in *incoming, q *h225.AdmissionRequest) {
	e := t.table.byID[q.EndpointIdentifier]
	id := callIDOf(q.CallIdentifier, q.ConferenceID)
	var reason h225.AdmissionRejectReason
	switch {
	case e == nil:
		reason.CallerNotRegistered = true
	case !t.isUs(q.GatekeeperIdentifier):
		reason.RequestDenied = true
	case !t.proved(in, e):
		reason.SecurityDenial = true
	case t.calls.find(id, e.ID) == nil && t.calls.of(e.ID) >= mostCalls:
		reason.ExceedsCallCapacity = true
	case q.AnswerCall:
		t.confirmAdmission(in, q, e, t.ownAddress(e), nil)
		return
	case len(q.DestinationInfo) == 0 && q.DestCallSignalAddress == nil:
		reason.IncompleteAddress = true
	default:
		t.admitCaller(in, q, e)
		return
	}
	t.refuseAdmission(in, reason)
}

func (t *turn) refuseAdmission(in *incoming, reason h225.AdmissionRejectReason) {
	t.refused("call refused", in, ras.Alternative(reason), alias.Texts(in.message.AdmissionRequest.DestinationInfo))
	t.reply(in, &h225.RASMessage{AdmissionReject: &h225.AdmissionReject{RejectReason: reason, AltGKInfo: t.alternatesInstead()}})
}

// ownAddress goes into the confirmation for who is called: in the routed model the
// gatekeeper's, in the direct one its own.
func (t *turn) ownAddress(e *entry) netip.AddrPort {
	if t.settings.Model == Direct && len(e.Signalling) > 0 {
		return e.Signalling[0]
	}
	return t.us(e.Path.Remote.Addr())
}

// admitCaller finds where the call goes; neighbours may have to be asked.
func (t *turn) admitCaller(in *incoming, q *h225.AdmissionRequest, e *entry) {
	us := t.us(e.Path.Remote.Addr())
	found, isOurs := t.find(q.DestinationInfo)
	named := t.named(q.DestCallSignalAddress, e)
	switch {
	case found != nil && found.NearlyFull && found.Type == Gateway:
		t.refuseAdmission(in, h225.AdmissionRejectReason{ResourceUnavailable: true})
	case found != nil:
		t.confirmAdmission(in, q, e, t.towards(found, us), found)
	case t.namesNeighbour(q.DestinationInfo):
		t.admitBeyond(in, q, e, us)
	case isOurs, len(q.DestinationInfo) == 0 && named == us:
		t.confirmAdmission(in, q, e, us, nil)
	case len(q.DestinationInfo) == 0 && t.settings.Model == Direct:
		t.confirmAdmission(in, q, e, named, nil)
	case len(q.DestinationInfo) == 0 && t.c.Serves(named.Addr().String()):
		t.confirmAdmission(in, q, e, us, nil)
	default:
		t.admitBeyond(in, q, e, us)
	}
}

// named is the address of destCallSignalAddress: us, when it is one of ours, or none.
func (t *turn) named(a *h225.TransportAddress, caller *entry) netip.AddrPort {
	us := t.us(caller.Path.Remote.Addr())
	at, ok := alias.AddrPort(a)
	if !ok || at.Addr() == us.Addr() && (at.Port() == us.Port() || at.Port() == 0) {
		return us
	}
	return at
}

// towards is where the SETUP for a terminal of the zone goes: straight there in the
// direct model, unless only we can reach it.
func (t *turn) towards(e *entry, us netip.AddrPort) netip.AddrPort {
	if at := e.Reach(); t.settings.Model == Direct && !e.Translated && at.IsValid() {
		return at
	}
	return us
}

// admitBeyond asks the neighbours for a called party that we do not know.
func (t *turn) admitBeyond(in *incoming, q *h225.AdmissionRequest, e *entry, us netip.AddrPort) {
	asked := t.askNeighbours(q.DestinationInfo, q.SrcInfo, neighbourHops, netip.Addr{}, func(t *turn, found *h225.LocationConfirm) {
		e := t.table.byID[q.EndpointIdentifier]
		if found != nil {
			t.note(q.DestinationInfo, found)
		}
		switch {
		case e == nil:
			t.refuseAdmission(in, h225.AdmissionRejectReason{CallerNotRegistered: true})
		case found == nil:
			t.refuseAdmission(in, h225.AdmissionRejectReason{CalledPartyNotRegistered: true})
		case t.settings.Model == Direct:
			at, _ := alias.AddrPort(&found.CallSignalAddress)
			t.confirmAdmission(in, q, e, at, nil)
		default:
			t.confirmAdmission(in, q, e, us, nil)
		}
	})
	if !asked {
		t.refuseAdmission(in, h225.AdmissionRejectReason{CalledPartyNotRegistered: true})
		return
	}
	t.patience(in)
}

// confirmAdmission admits a call, with as much bandwidth as there is.
func (t *turn) confirmAdmission(in *incoming, q *h225.AdmissionRequest, e *entry, to netip.AddrPort, called *entry) {
	id := callIDOf(q.CallIdentifier, q.ConferenceID)
	asked := uint64(q.BandWidth) * unit
	granted := t.room(id, asked)
	if granted < asked && granted < leastBandwidth {
		t.refuseAdmission(in, h225.AdmissionRejectReason{RequestDenied: true}) // "no bandwidth available"
		return
	}
	t.calls.enter(id, &admission{
		endpoint: e.ID, conference: q.ConferenceID, reference: q.CallReferenceValue, answered: q.AnswerCall,
		bandwidth: granted, seen: t.now,
	})
	routed := to == t.us(e.Path.Remote.Addr())
	c := &h225.AdmissionConfirm{
		BandWidth:             uint32(granted / unit),
		CallModel:             h225.CallModel{GatekeeperRouted: routed, Direct: !routed},
		DestCallSignalAddress: transport(to),
		IrrFrequency:          ptr(uint16(reportEvery / time.Second)),
		WillRespondToIRR:      ptr(true),
		UUIEsRequested:        &h225.UUIESRequested{},
	}
	if called != nil && !q.AnswerCall && c.CallModel.Direct && q.CanMapAlias != nil && *q.CanMapAlias {
		c.DestinationInfo = q.DestinationInfo
		c.DestinationType = destinationType(called.Type)
	}
	t.reply(in, &h225.RASMessage{AdmissionConfirm: c})
}

func destinationType(kind Type) *h225.EndpointType {
	t := &h225.EndpointType{}
	switch kind {
	case Gateway:
		t.Gateway = &h225.GatewayInfo{}
	case MCU:
		t.MCU = &h225.MCUInfo{}
	default:
		t.Terminal = &h225.TerminalInfo{}
	}
	return t
}

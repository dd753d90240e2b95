package client

import (
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
)

// report tells the gatekeeper of calls, as often as it wants (irrFrequency).
func (t *turn) report() {
	if t.state.Phase != Registered {
		return
	}
	for _, a := range t.calls {
		if a.every == 0 || t.now.Before(a.next) {
			continue
		}
		a.next = t.now.Add(a.every)
		r := t.response([]*call{a})
		r.Unsolicited = ptr(true)
		number, err := t.requests.Number()
		if err != nil {
			return
		}
		r.RequestSeqNum = number
		t.out = append(t.out, outgoing{to: t.path(), pdu: t.encode(&h225.RASMessage{InfoRequestResponse: r})})
	}
}

// information answers IRQ (H.225.0 clause 7.15.1): about one call, or all.
func (t *turn) information(q *h225.InfoRequest) *h225.InfoRequestResponse {
	if q.CallReferenceValue != 0 || q.CallIdentifier != nil && q.CallIdentifier.GUID != ([16]byte{}) {
		a := t.find(q.CallIdentifier, [16]byte{}, q.CallReferenceValue)
		if a == nil {
			r := t.response(nil)
			r.IrrStatus = &h225.InfoRequestResponseStatus{InvalidCall: true}
			return r
		}
		return t.response([]*call{a})
	}
	const most = 50 // that a datagram holds
	var list []*call
	for _, a := range t.calls {
		if len(list) < most {
			list = append(list, a)
		}
	}
	r := t.response(list)
	r.IrrStatus = &h225.InfoRequestResponseStatus{Complete: len(list) == len(t.calls), Incomplete: len(list) < len(t.calls)}
	return r
}

func (t *turn) response(list []*call) *h225.InfoRequestResponse {
	to := t.path()
	r := &h225.InfoRequestResponse{
		EndpointType: t.endpointType(), EndpointIdentifier: t.state.ID, RASAddress: t.rasAddress(to),
		CallSignalAddress: []h225.TransportAddress{}, EndpointAlias: t.c.Aliases, NeedResponse: ptr(false),
	}
	if r.EndpointIdentifier == "" {
		r.EndpointIdentifier = "-" // cannot be empty
	}
	if at := alias.Transport(t.c.Signalling(to.Remote.Addr())); at != nil {
		r.CallSignalAddress = append(r.CallSignalAddress, *at)
	}
	for _, a := range list {
		r.PerCallInfo = append(r.PerCallInfo, h225.InfoRequestResponsePerCallInfo{
			CallReferenceValue: a.Reference, ConferenceID: a.Conference, Originator: ptr(!a.Answer),
			CallType: h225.CallType{PointToPoint: true}, BandWidth: uint32(a.Bandwidth / unit),
			CallModel: h225.CallModel{Direct: !a.routed, GatekeeperRouted: a.routed}, CallIdentifier: &h225.CallIdentifier{GUID: a.ID},
			SubstituteConfIDs: [][16]byte{},
		})
	}
	return r
}

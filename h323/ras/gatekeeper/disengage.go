package gatekeeper

import "github.com/roomgate/roomgate/h323/h225"

// disengage works on DRQ of an endpoint (H.225.0 clause 7.14.1). A call that we do not
// know of is over all the same.
func (t *turn) disengage(in *incoming, q *h225.DisengageRequest) {
	refuse := func(reason h225.DisengageRejectReason) {
		t.reply(in, &h225.RASMessage{DisengageReject: &h225.DisengageReject{RejectReason: reason}})
	}
	e := t.table.byID[q.EndpointIdentifier]
	switch {
	case e == nil:
		refuse(h225.DisengageRejectReason{NotRegistered: true})
		return
	case !t.proved(in, e):
		refuse(h225.DisengageRejectReason{SecurityDenial: true})
		return
	}
	id := callIDOf(q.CallIdentifier, q.ConferenceID)
	if t.calls.find(id, e.ID) == nil {
		if other, a := t.calls.byReference(e.ID, q.ConferenceID, q.CallReferenceValue); a != nil {
			id = other
		}
	}
	switch {
	case t.calls.end(id, e.ID):
		owner := e.ID
		t.after = append(t.after, func() { t.c.OnDisengage(owner, id) })
	case t.calls.byID[id] != nil: // a call of others
		refuse(h225.DisengageRejectReason{RequestToDropOther: true})
		return
	}
	t.reply(in, &h225.RASMessage{DisengageConfirm: &h225.DisengageConfirm{}})
}

package gatekeeper

import "github.com/roomgate/roomgate/h323/h225"

// resources works on RAI (H.225.0 clause 7.18.1): a gateway tells whether it can take
// more calls. There is no way to refuse it.
func (t *turn) resources(in *incoming, q *h225.ResourcesAvailableIndicate) {
	e := t.table.byID[q.EndpointIdentifier]
	if e == nil || !t.proved(in, e) {
		return
	}
	e.NearlyFull = q.AlmostOutOfResources
	t.table.touch(e)
	t.reply(in, &h225.RASMessage{ResourcesAvailableConfirm: &h225.ResourcesAvailableConfirm{ProtocolIdentifier: h225.ProtocolIdentifier}})
}

// service works on SCI of an endpoint (clause 7.19.1), which wants a service that we
// do not have.
func (t *turn) service(in *incoming, _ *h225.ServiceControlIndication) {
	t.reply(in, &h225.RASMessage{ServiceControlResponse: &h225.ServiceControlResponse{
		Result: &h225.ServiceControlResponseResult{NotAvailable: true},
	}})
}

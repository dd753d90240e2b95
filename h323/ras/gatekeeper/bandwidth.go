package gatekeeper

import "github.com/roomgate/roomgate/h323/h225"

// unit of bandwidth in messages: 100 bit/s, of both directions together (H.225.0
// clause 7.11.1).
const unit = 100

// leastBandwidth is what a call needs to be worth admitting: G.711 of 48 kbit/s and
// less in one direction each.
const leastBandwidth = 64_000

// room is what a call may use, bit/s, beside the others; at most what it asks for.
func (t *turn) room(id CallID, asked uint64) uint64 {
	granted := asked
	if most := t.settings.CallBandwidth; most > 0 {
		granted = min(granted, most)
	}
	if all := t.settings.TotalBandwidth; all > 0 {
		used := t.calls.usedBeside(id)
		granted = min(granted, all-min(used, all))
	}
	return granted
}

// bandwidth works on BRQ (H.225.0 clause 7.12.1).
func (t *turn) bandwidth(in *incoming, q *h225.BandwidthRequest) {
	refuse := func(reason h225.BandRejectReason, allowed uint64) {
		t.reply(in, &h225.RASMessage{BandwidthReject: &h225.BandwidthReject{RejectReason: reason, AllowedBandWidth: uint32(allowed / unit)}})
	}
	e := t.table.byID[q.EndpointIdentifier]
	switch {
	case e == nil:
		refuse(h225.BandRejectReason{NotBound: true}, 0)
		return
	case !t.proved(in, e):
		refuse(h225.BandRejectReason{SecurityDenial: true}, 0)
		return
	}
	id := callIDOf(q.CallIdentifier, q.ConferenceID)
	a := t.calls.find(id, e.ID)
	if a == nil {
		id, a = t.calls.byReference(e.ID, q.ConferenceID, q.CallReferenceValue)
	}
	if a == nil {
		refuse(h225.BandRejectReason{InvalidConferenceID: true}, 0)
		return
	}
	asked := uint64(q.BandWidth) * unit
	granted := t.room(id, asked)
	if granted < asked && granted < leastBandwidth {
		refuse(h225.BandRejectReason{InsufficientResources: true}, max(granted, a.bandwidth))
		return
	}
	a.bandwidth, a.seen = granted, t.now
	t.calls.count(t.calls.byID[id])
	t.reply(in, &h225.RASMessage{BandwidthConfirm: &h225.BandwidthConfirm{BandWidth: uint32(granted / unit)}})
}

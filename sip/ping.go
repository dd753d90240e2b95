package sip

import (
	"context"
	"fmt"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/registrar"
)

// ping asks a registered terminal whether it is there: OPTIONS over its flow.
// Any answer will do, also that it knows no OPTIONS.
func (e *Endpoint) ping(ctx context.Context, to registrar.Binding) error {
	p, ok := pathToBinding(to)
	if !ok {
		return fmt.Errorf("%w: contact of %s", errUnreachable, to.Account)
	}
	req := sipgo.NewRequest(sipgo.OPTIONS, p.uri)
	req.AppendHeader(dialog.Via(p.network))
	for _, r := range p.routes {
		req.AppendHeader(&sipgo.RouteHeader{Address: *r.Clone()})
	}
	maxForwards := sipgo.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	from := e.identity("", e.local(to.Flow.Remote.Addr()))
	req.AppendHeader(&sipgo.FromHeader{Address: from, Params: sipgo.HeaderParams{{K: "tag", V: sipgo.GenerateTagN(16)}}})
	req.AppendHeader(&sipgo.ToHeader{Address: *p.uri.Clone()})
	callID := sipgo.CallIDHeader(newCallID())
	req.AppendHeader(&callID)
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: 1, MethodName: sipgo.OPTIONS})
	add(req, "User-Agent", e.cfg.UserAgent)
	req.SetBody(nil)
	req.SetTransport(sipgo.NetworkToUpper(p.network))
	req.SetDestination(p.address)
	if p.network == "udp" && p.local.IsValid() {
		req.Laddr = sipgo.Addr{IP: p.local.Addr().AsSlice(), Port: int(p.local.Port())}
	}
	_, err := e.roundTrip(ctx, req, func() {})
	return err
}

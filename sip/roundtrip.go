package sip

import (
	"context"
	"fmt"
	"net/netip"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/sip/edge"
)

// roundTrip sends a request and waits for its final response, or the end of
// ctx. again is called for each repetition of a 2xx to an INVITE.
func (e *Endpoint) roundTrip(ctx context.Context, req *sipgo.Request, again func()) (*sipgo.Response, error) {
	if err := e.prepare(ctx, req); err != nil {
		return nil, err
	}
	tx, err := e.transactions.Request(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	if req.IsInvite() {
		tx.OnRetransmission(func(res *sipgo.Response) {
			if res.IsSuccess() {
				again()
			}
		})
	}
	for {
		select {
		case res := <-tx.Responses():
			if res.IsProvisional() {
				continue
			}
			if !req.IsInvite() {
				tx.Terminate() // nothing of it is wanted any more
			}
			return res, nil
		case <-tx.Done():
			return nil, tx.Err()
		case <-ctx.Done():
			tx.Terminate()
			return nil, ctx.Err()
		}
	}
}

// send sends a request that starts no transaction: the ACK to a 2xx.
func (e *Endpoint) send(ctx context.Context, req *sipgo.Request) error {
	if err := e.prepare(ctx, req); err != nil {
		return err
	}
	return e.transport.WriteMsg(req)
}

// flowTo finds the open connection with an address.
func (e *Endpoint) flowTo(network, remote string) (edge.Flow, bool) {
	return e.edge.Flow(edge.Transport(sipgo.NetworkToUpper(network)), remote)
}

func sourceOf(m sipgo.Message) netip.Addr {
	a, err := netip.ParseAddrPort(m.Source())
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

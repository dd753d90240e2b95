// Package dialog holds the state of SIP dialogs without any input or output:
// identity, sequence numbers, route sets and targets (RFC 3261 §12), the
// offer/answer state (RFC 3264, RFC 3311, RFC 6337), reliable provisional
// responses (RFC 3262) and session timers (RFC 4028). Whoever owns a value of
// these types serialises the access to it.
package dialog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ErrIncomplete is returned for a message that lacks what a dialog needs.
var ErrIncomplete = errors.New("message lacks a header that dialogs need")

// ErrStale is returned for a request whose CSeq is lower than the last one
// (RFC 3261 §12.2.2): it is answered with 500.
var ErrStale = errors.New("CSeq is lower than that of an earlier request")

// ID identifies a dialog from our side (RFC 3261 §12).
type ID struct {
	CallID, Local, Remote string // Call-ID, our tag, their tag
}

// IDOf reads the dialog a request received in it belongs to.
func IDOf(req *sip.Request) (ID, bool) {
	callID, from, to := req.CallID(), req.From(), req.To()
	if callID == nil || from == nil || to == nil {
		return ID{}, false
	}
	local, ok := to.Params.Get("tag")
	if !ok || local == "" {
		return ID{}, false
	}
	remote, _ := from.Params.Get("tag") // RFC 2543 peers may have none
	return ID{string(*callID), local, remote}, true
}

// Dialog is what RFC 3261 §12.1 calls the dialog state.
type Dialog struct {
	ID
	// Local and Remote are the From and To of our requests, without tags.
	Local, Remote sip.FromHeader
	// Contact is ours, for messages of this dialog.
	Contact sip.ContactHeader
	// Target is the remote target: where our requests go.
	Target sip.Uri
	// Routes is the route set, next hop first.
	Routes []sip.Uri
	// Caller reports that we created the Call-ID (RFC 3261 §14.1 gives us the
	// longer wait after 491).
	Caller bool
	// Flow is the address requests go to in place of what the target says, for
	// peers behind a NAT; empty to follow the target (RFC 3261 §12.2.1.1).
	Flow string
	// Transport is udp, tcp or tls: what the dialog was set up over.
	Transport string
	// Bind is the local socket address requests leave from; UDP only.
	Bind sip.Addr

	localSeq uint32
}

// FromInvite is the dialog a UAS creates (RFC 3261 §12.1.1).
func FromInvite(invite *sip.Request, tag string, contact sip.ContactHeader) (*Dialog, error) {
	callID, from, to, cseq := invite.CallID(), invite.From(), invite.To(), invite.CSeq()
	if callID == nil || from == nil || to == nil || cseq == nil || invite.Contact() == nil {
		return nil, fmt.Errorf("dialog from INVITE: %w", ErrIncomplete)
	}
	remote, _ := from.Params.Get("tag")
	d := &Dialog{
		ID:        ID{string(*callID), tag, remote},
		Local:     sip.FromHeader{DisplayName: to.DisplayName, Address: *to.Address.Clone()},
		Remote:    sip.FromHeader{DisplayName: from.DisplayName, Address: *from.Address.Clone()},
		Contact:   contact,
		Target:    *invite.Contact().Address.Clone(),
		Transport: sip.NetworkToLower(invite.Transport()),
		localSeq:  firstSeq(),
	}
	for _, h := range invite.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			d.Routes = append(d.Routes, *rr.Address.Clone())
		}
	}
	return d, nil
}

// FromResponse is the dialog a UAC creates (RFC 3261 §12.1.2), early or
// confirmed. A provisional response without a To tag creates none.
func FromResponse(invite *sip.Request, res *sip.Response) (*Dialog, error) {
	callID, from, to, cseq := invite.CallID(), invite.From(), res.To(), invite.CSeq()
	if callID == nil || from == nil || to == nil || cseq == nil {
		return nil, fmt.Errorf("dialog from response: %w", ErrIncomplete)
	}
	remote, ok := to.Params.Get("tag")
	if !ok && res.StatusCode < 200 {
		return nil, fmt.Errorf("dialog from response without a tag: %w", ErrIncomplete)
	}
	local, _ := from.Params.Get("tag")
	d := &Dialog{
		ID:        ID{string(*callID), local, remote},
		Local:     sip.FromHeader{DisplayName: from.DisplayName, Address: *from.Address.Clone()},
		Remote:    sip.FromHeader{DisplayName: to.DisplayName, Address: *to.Address.Clone()},
		Target:    *invite.Recipient.Clone(),
		Transport: sip.NetworkToLower(invite.Transport()),
		Bind:      invite.Laddr,
		Caller:    true,
		localSeq:  cseq.SeqNo,
	}
	if c := invite.Contact(); c != nil {
		d.Contact = *c.Clone()
	}
	if c := res.Contact(); c != nil {
		d.Target = *c.Address.Clone()
	}
	d.SetRoutes(res)
	return d, nil
}

// SetRoutes computes the route set of a UAC anew: a 2xx may carry another
// Record-Route than the provisional response did (RFC 3261 §13.2.2.4).
func (d *Dialog) SetRoutes(res *sip.Response) {
	d.Routes = d.Routes[:0]
	rr := res.GetHeaders("Record-Route")
	for i := len(rr) - 1; i >= 0; i-- {
		if h, ok := rr[i].(*sip.RecordRouteHeader); ok {
			d.Routes = append(d.Routes, *h.Address.Clone())
		}
	}
}

// Refresh takes the remote target from a target refresh request or from the
// 2xx to one (RFC 3261 §12.2.1.2 and §12.2.2).
func (d *Dialog) Refresh(contact *sip.ContactHeader) {
	if contact == nil || contact.Address.Host == "" {
		return
	}
	if contact.Address.Host != d.Target.Host || contact.Address.Port != d.Target.Port {
		d.Flow = "" // it moved: what was known about its NAT is void
	}
	d.Target = *contact.Address.Clone()
}

// Arrivals holds the requests of the far side to their order (RFC 3261
// §12.2.2). It is apart from Dialog because it belongs to whoever reads the
// socket: later goroutines may overtake each other.
type Arrivals struct {
	last uint32
	seen bool
}

// Receive takes the CSeq of a request, other than ACK and CANCEL. The first
// one may be any: gaps are no error.
func (a *Arrivals) Receive(cseq uint32) error {
	if a.seen && cseq < a.last {
		return ErrStale
	}
	a.last, a.seen = cseq, true
	return nil
}

// Request builds the next request of the dialog (RFC 3261 §12.2.1.1). The top
// Via stands, with its address left to the transport.
func (d *Dialog) Request(method sip.RequestMethod) *sip.Request {
	d.localSeq++
	return d.build(method, d.localSeq)
}

// Ack builds the ACK to a 2xx (RFC 3261 §13.2.2.4); cseq is that of the INVITE.
func (d *Dialog) Ack(cseq uint32) *sip.Request { return d.build(sip.ACK, cseq) }

// LocalSeq is the CSeq of the last request built.
func (d *Dialog) LocalSeq() uint32 { return d.localSeq }

// Follow sets the sequence number after requests that were sent outside of
// this value (the INVITE may have been repeated with credentials).
func (d *Dialog) Follow(cseq uint32) { d.localSeq = max(d.localSeq, cseq) }

func (d *Dialog) build(method sip.RequestMethod, cseq uint32) *sip.Request {
	recipient, routes, next := d.route()
	req := sip.NewRequest(method, recipient)
	network := d.Transport
	if d.Flow == "" {
		network = TransportOf(next, d.Transport)
	}
	req.AppendHeader(Via(network))
	for _, r := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: *r.Clone()})
	}
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	from := sip.FromHeader{DisplayName: d.Local.DisplayName, Address: *d.Local.Address.Clone(), Params: tagged(d.ID.Local)}
	req.AppendHeader(&from)
	req.AppendHeader(&sip.ToHeader{DisplayName: d.Remote.DisplayName, Address: *d.Remote.Address.Clone(), Params: tagged(d.ID.Remote)})
	callID := sip.CallIDHeader(d.CallID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: method})
	if targetRefresh(method) {
		req.AppendHeader(d.Contact.Clone())
	}
	req.SetBody(nil)
	req.SetTransport(sip.NetworkToUpper(network))
	req.SetDestination(d.Flow)
	if d.Flow == "" {
		req.SetDestination(HostPort(next))
	}
	if network == "udp" {
		req.Laddr = d.Bind
	}
	return req
}

// route splits the route set into Request-URI and Route, and says which of them
// is the next hop (RFC 3261 §12.2.1.1): a first hop without ;lr is a strict
// router and takes the Request-URI.
func (d *Dialog) route() (recipient sip.Uri, routes []sip.Uri, next sip.Uri) {
	if len(d.Routes) == 0 {
		return d.Target, nil, d.Target
	}
	if d.Routes[0].UriParams.Has("lr") {
		return d.Target, d.Routes, d.Routes[0]
	}
	strict := *d.Routes[0].Clone()
	strict.Headers = nil
	strict.UriParams.Remove("method") // §19.1.1: not allowed in a Request-URI
	routes = append([]sip.Uri(nil), d.Routes[1:]...)
	return strict, append(routes, d.Target), strict
}

// targetRefresh tells the methods that carry a Contact (RFC 3261 §12.1,
// RFC 3311 §5.1, RFC 3515 §2.2).
func targetRefresh(m sip.RequestMethod) bool {
	switch m {
	case sip.INVITE, sip.UPDATE, sip.SUBSCRIBE, sip.NOTIFY, sip.REFER:
		return true
	}
	return false
}

// Via is the header a new request starts with; the transport fills in the
// address (RFC 3261 §8.1.1.7, RFC 3581).
func Via(network string) *sip.ViaHeader {
	v := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: sip.NetworkToUpper(network)}
	v.Params = sip.HeaderParams{{K: "branch", V: sip.GenerateBranchN(24)}, {K: "rport"}}
	return v
}

// TransportOf chooses the transport towards a URI (RFC 3263 §4.1): its
// parameter, TLS for sips, otherwise what the dialog uses when that is UDP or
// the address is the same peer.
func TransportOf(uri sip.Uri, current string) string {
	t, ok := uri.UriParams.Get("transport")
	t = strings.ToLower(t)
	switch {
	case uri.IsEncrypted() || t == "tls":
		return "tls"
	case ok && (t == "udp" || t == "tcp"):
		return t
	case current == "tls" && uri.Port == sip.DefaultTlsPort:
		return "tls"
	case current == "tls" || current == "tcp":
		return current
	}
	return "udp"
}

// HostPort is the address a URI leads to; port 0 where it names none, which
// is the default port of the transport or what DNS says (RFC 3263 §4.2).
func HostPort(uri sip.Uri) string {
	host := uri.Host
	if maddr, ok := uri.UriParams.Get("maddr"); ok && maddr != "" {
		host = maddr
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(uri.Port))
}

// BehindNAT reports whether requests to a contact would not arrive, so that
// the flow its request came over has to be used: the topmost Via disagrees
// with the source address, or the contact is private and the source is not.
func BehindNAT(contact sip.Uri, via *sip.ViaHeader, source netip.Addr) bool {
	source = source.Unmap()
	addr, err := netip.ParseAddr(strings.Trim(contact.Host, "[]"))
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	if addr == source {
		return false
	}
	if addr.IsUnspecified() || addr.IsPrivate() && !source.IsPrivate() && !source.IsLoopback() {
		return true
	}
	if via == nil {
		return false
	}
	sentBy, err := netip.ParseAddr(strings.Trim(via.Host, "[]"))
	return err == nil && sentBy.Unmap() != source && sentBy.Unmap() == addr
}

func tagged(tag string) sip.HeaderParams {
	if tag == "" {
		return nil
	}
	return sip.HeaderParams{{K: "tag", V: tag}}
}

// firstSeq is small and random (RFC 3261 §8.1.1.5 asks for less than 2^31).
func firstSeq() uint32 { return rand.Uint32N(1<<16) + 1 }

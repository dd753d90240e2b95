package registrar

import (
	"errors"
	"math"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roomgate/roomgate/sip/digest"
	"go.uber.org/zap"
)

// refusal is a response that is not 200.
type refusal struct {
	status  int
	reason  string
	headers []sip.Header
}

func (r *refusal) Error() string { return r.reason }

func refuse(status int, reason string, headers ...sip.Header) *refusal {
	return &refusal{status, reason, headers}
}

// errFull: MaxTotal is reached.
var errFull = errors.New("too many bindings")

// Handle answers a REGISTER that came over the flow (RFC 3261 §10.3).
func (r *Registrar) Handle(req *sip.Request, from Flow) *sip.Response {
	answer, err := r.register(req, from)
	var no *refusal
	switch {
	case err == nil:
		return answer
	case errors.As(err, &no):
	case errors.Is(err, errFull):
		no = refuse(503, "Too Many Registrations", seconds("Retry-After", 60))
	default:
		r.log.Error("bindings cannot be stored", zap.Error(err))
		no = refuse(500, "Server Internal Error", seconds("Retry-After", 10))
	}
	res := sip.NewResponseFromRequest(req, no.status, no.reason, nil)
	for _, h := range no.headers {
		res.AppendHeader(h)
	}
	return res
}

func seconds(name string, n int64) sip.Header { return sip.NewHeader(name, strconv.FormatInt(n, 10)) }

// register follows the steps of RFC 3261 §10.3.
func (r *Registrar) register(req *sip.Request, from Flow) (*sip.Response, error) {
	to := req.To()
	if to == nil || req.CallID() == nil || req.CSeq() == nil {
		return nil, refuse(400, "Missing Header")
	}
	if s := to.Address.Scheme; s != "sip" && s != "sips" {
		return nil, refuse(400, "To Is No SIP URI")
	}
	if !r.ours(req.Recipient.Host, from) || !r.ours(to.Address.Host, from) {
		return nil, refuse(404, "Unknown Domain")
	}
	if unknown := unsupported(req); unknown != "" {
		return nil, refuse(420, "Bad Extension", sip.NewHeader("Unsupported", unknown))
	}
	user, err := r.authenticate(req, from)
	if err != nil {
		return nil, err
	}
	alias := unescape(to.Address.User)
	owner, ok := r.c.Accounts.ByAlias(alias)
	if !ok || owner.Username != user {
		return nil, refuse(403, "Not Your Address")
	}
	w, err := r.wishes(req, from)
	if err != nil {
		return nil, err
	}
	w.account, w.alias, w.domain = owner.Username, strings.Clone(alias), strings.Clone(to.Address.Host)
	bindings, err := r.apply(w)
	if err != nil {
		return nil, err
	}
	return r.accept(req, w, bindings), nil
}

// ours reports whether we are the registrar of a domain: a configured one, or
// the address that the terminal reached us at.
func (r *Registrar) ours(host string, from Flow) bool {
	if len(r.c.Domains) == 0 {
		return true
	}
	for _, d := range r.c.Domains {
		if strings.EqualFold(d, host) {
			return true
		}
	}
	// Who dials an address means us; a socket for all of ours cannot tell which.
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	local := from.Local.Addr().Unmap()
	return err == nil && local.IsValid() && (local.IsUnspecified() || local == addr.Unmap())
}

// unsupported lists the required extensions that a registrar of ours does not
// have (RFC 3261 §8.2.2.3).
func unsupported(req *sip.Request) string {
	var unknown []string
	for _, h := range req.GetHeaders("Require") {
		for _, tag := range strings.Split(h.Value(), ",") {
			switch tag = strings.TrimSpace(tag); strings.ToLower(tag) {
			case "", "path", "outbound":
			default:
				unknown = append(unknown, tag)
			}
		}
	}
	return strings.Join(unknown, ", ")
}

// authenticate returns the user that the request proves (RFC 3261 §22).
func (r *Registrar) authenticate(req *sip.Request, from Flow) (string, error) {
	addr := from.Remote.Addr()
	user, err := r.c.Auth.Verify(req, false)
	switch {
	case errors.Is(err, digest.ErrMalformed), errors.Is(err, digest.ErrMismatch):
		return "", refuse(400, "Malformed Credentials")
	case errors.Is(err, digest.ErrMissing):
		return "", refuse(401, "Unauthorized", r.c.Auth.ChallengeFor(req, false, false)...)
	}
	if r.c.Lockout != nil {
		// Locked out, even the right password is not told from a wrong one.
		wait := r.c.Lockout.Locked(addr, user)
		if wait == 0 && errors.Is(err, digest.ErrRefused) {
			if wait = r.c.Lockout.Failed(addr, user); wait > 0 {
				r.log.Warn("source locked out", zap.Stringer("source", addr), zap.Duration("for", wait))
			}
		}
		if wait > 0 {
			return "", refuse(503, "Too Many Failures", seconds("Retry-After", int64(math.Ceil(wait.Seconds()))))
		}
	}
	if err != nil {
		return "", refuse(401, "Unauthorized", r.c.Auth.ChallengeFor(req, false, errors.Is(err, digest.ErrStale))...)
	}
	if r.c.Lockout != nil {
		r.c.Lockout.Succeeded(addr, user)
	}
	return user, nil
}

// unescape undoes %HH in a user part.
func unescape(user string) string {
	if plain, err := url.PathUnescape(user); err == nil {
		return plain
	}
	return user
}

// accept builds the 200: every binding, and what the terminal has to know of
// its flow.
func (r *Registrar) accept(req *sip.Request, w wishes, bindings []Binding) *sip.Response {
	now := r.c.Now()
	res := sip.NewResponseFromRequest(req, 200, "OK", nil)
	for _, b := range bindings {
		res.AppendHeader(sip.NewHeader("Contact", b.value(now)))
	}
	res.AppendHeader(sip.NewHeader("Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05")+" GMT"))
	for _, p := range w.path {
		res.AppendHeader(sip.NewHeader("Path", p))
	}
	res.AppendHeader(sip.NewHeader("Supported", "path, outbound"))
	if w.outbound {
		res.AppendHeader(sip.NewHeader("Require", "outbound"))
		res.AppendHeader(seconds("Flow-Timer", int64(r.c.FlowTimer/time.Second)))
	}
	return res
}

// value is the binding as a Contact header value.
func (b Binding) value(now time.Time) string {
	left := int64(math.Ceil(b.Expires.Sub(now).Seconds()))
	v := "<" + b.Contact + ">;expires=" + strconv.FormatInt(max(left, 0), 10)
	if b.Q != 1 {
		v += ";q=" + strconv.FormatFloat(b.Q, 'g', 3, 64)
	}
	if b.Instance != "" {
		v += `;+sip.instance="` + b.Instance + `"`
	}
	if b.RegID > 0 {
		v += ";reg-id=" + strconv.Itoa(b.RegID)
	}
	return v
}

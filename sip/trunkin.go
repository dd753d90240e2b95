package sip

import (
	"net/netip"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/digest"
)

// credentials are the passwords of accounts, then those of trunks.
type credentials struct{ *Endpoint }

var _ digest.Credentials = credentials{}

// Lookup implements digest.Credentials.
func (c credentials) Lookup(user string) (password string, ok bool) {
	if password, ok := c.known.Lookup(user); ok {
		return password, true
	}
	for _, t := range *c.trunks.Load() {
		if t.Challenge && t.Username == user {
			return t.Password, t.Password != ""
		}
	}
	return "", false
}

// trunkOf finds the trunk that an address belongs to: the smallest network that has
// it, or who we are registered with.
func (e *Endpoint) trunkOf(addr netip.Addr) (found Trunk, ok bool) {
	addr = addr.Unmap().WithZone("")
	bits := -1
	for _, t := range *e.trunks.Load() {
		for _, p := range t.Networks {
			if p.Contains(addr) && p.Bits() > bits {
				found, ok, bits = t, true, p.Bits()
			}
		}
		if ok && bits == addr.BitLen() || t.Out == nil || !t.Out.Register {
			continue
		}
		if l := e.lineOf(t.Name); l != nil && l.pool.Has(addr) {
			found, ok, bits = t, true, addr.BitLen()
		}
	}
	return found, ok
}

// trunkByDigest finds the trunk of a user name.
func (e *Endpoint) trunkByDigest(user string) (Trunk, bool) {
	for _, t := range *e.trunks.Load() {
		if t.Challenge && t.Username == user {
			return t, true
		}
	}
	return Trunk{}, false
}

// mayBeTrunk reports whether a call from a stranger looks like one of a trunk that is
// told by digest alone.
func (e *Endpoint) mayBeTrunk(req *sipgo.Request) bool {
	for _, t := range *e.trunks.Load() {
		if t.Challenge && len(t.Networks) == 0 &&
			(req.From().Address.User == t.Username || t.Owns != nil && t.Owns(alias(req.Recipient))) {
			return true
		}
	}
	return false
}

// fromTrunk completes who calls over a trunk.
func (e *Endpoint) fromTrunk(inv *invitation, t Trunk) *refusal {
	req := inv.req
	inv.remote.Trunk = t.Name
	// A carrier that we are registered with calls our contact, and says elsewhere whom
	// (RFC 7315 §4.2, or To).
	if t.Out != nil && t.Out.Register && alias(req.Recipient) == t.Out.Username {
		inv.called = alias(req.To().Address)
		if uri, _, ok := identityIn(value(req, "p-called-party-id")); ok {
			inv.called = alias(uri)
		}
	}
	from := req.From().Address
	if t.TrustIdentity {
		e.asserted(inv)
	} else if e.ours(from.Host) && from.User != t.Username && e.registrar.Known(from.User) {
		e.log.Warn("a call over a trunk in the name of an account is refused", zap.String("trunk", t.Name),
			zap.String("account", from.User), zap.Stringer("from", inv.source))
		if e.cfg.OnForged != nil {
			e.cfg.OnForged(t.Name, from.User, alias(req.Recipient))
		}
		return refuse(403, e.causeHeaders(call.Cause{Code: call.Rejected})...)
	}
	inv.remote.Private = private(req)
	return nil
}

// asserted takes the caller from P-Asserted-Identity: a sip, sips or tel URI, the
// first that can be read (RFC 3325 §9.1).
func (e *Endpoint) asserted(inv *invitation) {
	for _, h := range inv.req.GetHeaders("p-asserted-identity") {
		for part := range splitIdentities(h.Value()) {
			uri, name, ok := identityIn(part)
			if !ok || alias(uri) == "" {
				continue
			}
			inv.remote.Alias, inv.remote.URI = alias(uri), uri.String()
			if name != "" {
				inv.remote.Name = name
			}
			return
		}
	}
}

// splitIdentities takes the (at most two) values of a header apart: commas outside of
// quotes and brackets.
func splitIdentities(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, bracket, from := false, false, 0
		for i := 0; i < len(text); i++ {
			switch c := text[i]; {
			case c == '\\' && quoted:
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '<':
				bracket = true
			case c == '>':
				bracket = false
			case c == ',' && !bracket:
				if !yield(text[from:i]) {
					return
				}
				from = i + 1
			}
		}
		yield(text[from:])
	}
}

// identityIn reads a name-addr or an addr-spec.
func identityIn(text string) (uri sipgo.Uri, name string, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 512 {
		return uri, "", false
	}
	before, rest, bracketed := strings.Cut(text, "<")
	if bracketed {
		if strings.HasPrefix(before, `"`) { // a < may stand in the quotes
			end := closingQuote(before + "<" + rest)
			if end < 0 {
				return uri, "", false
			}
			whole := before + "<" + rest
			before = whole[:end+1]
			_, rest, bracketed = strings.Cut(whole[end+1:], "<")
			if !bracketed {
				return uri, "", false
			}
		}
		address, _, closed := strings.Cut(rest, ">")
		if !closed {
			return uri, "", false
		}
		text, name = address, unquoted(strings.TrimSpace(before))
	}
	if scheme, _, has := strings.Cut(text, ":"); !has || !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") && !strings.EqualFold(scheme, "tel") {
		return uri, "", false
	}
	if err := sipgo.ParseUri(text, &uri); err != nil {
		return uri, "", false
	}
	return uri, name, true
}

// closingQuote is where a text that begins with a quote ends it; below 0: nowhere.
func closingQuote(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

func unquoted(text string) string {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return text
	}
	var b strings.Builder
	for i := 1; i < len(text)-1; i++ {
		if text[i] == '\\' && i+1 < len(text)-1 {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// private reports that a caller wants its number kept from others: Privacy (RFC 3323
// §4.2, RFC 3325 §9.3), or a From that says nobody (RFC 3323 §4.1.1.3).
func private(req *sipgo.Request) bool {
	for _, h := range req.GetHeaders("privacy") {
		for word := range strings.FieldsFuncSeq(strings.ToLower(h.Value()), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			switch word {
			case "id", "user", "header":
				return true
			}
		}
	}
	from := req.From().Address
	return strings.EqualFold(from.User, "anonymous") || strings.EqualFold(from.Host, "anonymous.invalid")
}

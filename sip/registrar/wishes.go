package registrar

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Limits of what one binding keeps, in bytes; a registration over them is
// refused, but for the user agent, which is cut.
const (
	mostContact   = 512
	mostCallID    = 256
	mostInstance  = 256
	mostPath      = 1024
	mostUserAgent = 128
)

// wishes are what a REGISTER asks for.
type wishes struct {
	account, alias, domain string

	contacts []Binding // those with Expires zero are to be removed
	all      bool      // "*": remove every binding
	path     []string
	outbound bool // a contact is an outbound flow
	callID   string
	cseq     uint32
	now      time.Time
}

// wishes reads the contacts (RFC 3261 §10.3, steps 6 and 7).
func (r *Registrar) wishes(req *sip.Request, from Flow) (wishes, error) {
	w := wishes{callID: req.CallID().Value(), cseq: req.CSeq().SeqNo, now: r.c.Now()}
	if len(w.callID) > mostCallID {
		return w, refuse(400, "Call-ID Too Long")
	}
	size := 0
	for _, h := range req.GetHeaders("Path") {
		for _, p := range splitList(h.Value()) {
			w.path = append(w.path, p)
			size += len(p)
		}
	}
	if size > mostPath {
		return w, refuse(400, "Path Too Long")
	}
	contacts := req.GetHeaders("Contact")
	for _, h := range contacts {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			return w, refuse(400, "Malformed Contact")
		}
		if c.Address.Wildcard {
			if w.all = true; len(contacts) > 1 || expires(req, nil, -1) != 0 {
				return w, refuse(400, "Contact * Needs Expires 0")
			}
			continue
		}
		b, err := r.wish(req, c, from, w)
		if err != nil {
			return w, err
		}
		w.outbound = w.outbound || b.RegID > 0 && !b.Expires.IsZero()
		w.contacts = append(w.contacts, b)
	}
	if len(w.contacts) > r.c.MaxBindings {
		return w, refuse(403, "Too Many Contacts")
	}
	return w, nil
}

// wish reads one contact.
func (r *Registrar) wish(req *sip.Request, c *sip.ContactHeader, from Flow, w wishes) (Binding, error) {
	b := Binding{
		Contact: strings.Clone(c.Address.String()), Q: 1, Path: w.path, Flow: from,
		CallID: w.callID, CSeq: w.cseq, Updated: w.now, UserAgent: userAgent(req),
	}
	if s := c.Address.Scheme; s != "sip" && s != "sips" {
		return b, refuse(400, "Contact Is No SIP URI")
	}
	instance, _ := param(c.Params, "+sip.instance")
	b.Instance = strings.Clone(strings.Trim(instance, `"`))
	if len(b.Contact) > mostContact || len(b.Instance) > mostInstance {
		return b, refuse(400, "Contact Too Long")
	}
	if q, ok := param(c.Params, "q"); ok {
		n, err := strconv.ParseFloat(q, 64)
		if err != nil || n < 0 || n > 1 {
			return b, refuse(400, "Malformed q")
		}
		b.Q = n
	}
	if err := b.flow(req, c); err != nil {
		return b, err
	}
	wanted := expires(req, c.Params, int64(r.c.DefaultExpires/time.Second))
	if wanted == 0 {
		return b, nil
	}
	lifetime := time.Duration(min(wanted, int64(r.c.MaxExpires/time.Second))) * time.Second
	if lifetime < r.c.MinExpires {
		return b, refuse(423, "Interval Too Brief", seconds("Min-Expires", int64(r.c.MinExpires/time.Second)))
	}
	b.Expires = w.now.Add(lifetime)
	return b, nil
}

// flow reads whether the contact is an outbound flow (RFC 5626 §6): the
// terminal supports it and names the flow, and it came straight to us or by an
// edge proxy that keeps the flow.
func (b *Binding) flow(req *sip.Request, c *sip.ContactHeader) error {
	value, ok := param(c.Params, "reg-id")
	if !ok || b.Instance == "" || !supports(req, "outbound") {
		return nil
	}
	id, err := strconv.ParseUint(value, 10, 31)
	if err != nil || id == 0 {
		return refuse(400, "Malformed reg-id")
	}
	if len(req.GetHeaders("Via")) > 1 {
		keeps := slices.ContainsFunc(b.Path, func(p string) bool { return strings.Contains(p, ";ob") })
		if !keeps {
			return refuse(439, "First Hop Lacks Outbound Support")
		}
	}
	b.RegID = int(id)
	return nil
}

// expires is the lifetime asked for in seconds: the contact's parameter, the
// Expires header, or the default. What cannot be read counts as the default
// (RFC 3261 §10.3, step 6; §20.19).
func expires(req *sip.Request, params sip.HeaderParams, fallback int64) int64 {
	value, ok := param(params, "expires")
	if !ok {
		h := req.GetHeader("Expires")
		if h == nil {
			return fallback
		}
		value = h.Value()
	}
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 1<<32 - 1
	case err != nil:
		return fallback
	}
	return int64(n)
}

func supports(req *sip.Request, option string) bool {
	for _, h := range req.GetHeaders("Supported") {
		for _, tag := range strings.Split(h.Value(), ",") {
			if strings.EqualFold(strings.TrimSpace(tag), option) {
				return true
			}
		}
	}
	return false
}

func userAgent(req *sip.Request) string {
	h := req.GetHeader("User-Agent")
	if h == nil {
		return ""
	}
	v := h.Value()
	return strings.ToValidUTF8(strings.Clone(v[:min(len(v), mostUserAgent)]), "")
}

// param finds a header parameter, whatever its case.
func param(params sip.HeaderParams, name string) (string, bool) {
	for _, p := range params {
		if strings.EqualFold(p.K, name) {
			return p.V, true
		}
	}
	return "", false
}

// splitList splits a header value at the commas outside of brackets and quotes.
func splitList(value string) []string {
	var list []string
	start, angle, quoted := 0, false, false
	for i := 0; i <= len(value); i++ {
		if i == len(value) || value[i] == ',' && !angle && !quoted {
			if v := strings.TrimSpace(value[start:i]); v != "" {
				list = append(list, strings.Clone(v))
			}
			start = i + 1
			continue
		}
		switch value[i] {
		case '"':
			quoted = !quoted
		case '<':
			angle = true
		case '>':
			angle = false
		}
	}
	return list
}

package edge

import (
	"bytes"
	"net/netip"
	"strconv"
)

// via is what the edge needs of the topmost Via value.
type via struct {
	host, port       []byte
	branch, received []byte
	rport, hasRport  bool // rport without a value; rport at all
	plain            []byte
	readable         bool // as far as sent-by: enough to answer
	ok               bool
}

var sipName = []byte("SIP")

// via consumes one Via value (RFC 3261 §20.42), appending its plain form:
//
//	SIP/2.0/transport SP host[:port] *( ";" parameter )
func (c *cursor) via(out []byte) ([]byte, via) {
	var v via
	start := len(out)
	c.space()
	name := c.span(isToken)
	c.space()
	if !bytes.EqualFold(name, sipName) || !c.take('/') {
		return out, v
	}
	c.space()
	version := c.span(isToken)
	c.space()
	if len(version) == 0 || !c.take('/') {
		return out, v
	}
	c.space()
	transport := c.span(isToken)
	if len(transport) == 0 || !c.space() {
		return out, v
	}
	out = append(append(append(out, "SIP/"...), version...), '/')
	out = append(append(out, transport...), ' ')

	out, ok := c.sentBy(out, &v)
	if !ok {
		return out, v
	}
	v.readable = true
	v.plain = out[start:]
	comma := false
	out, v.ok = c.params(out, func(p param) {
		v.learn(p)
		// The stack splits at any comma, quoted or not.
		comma = comma || bytes.IndexByte(p.value, ',') >= 0
	})
	v.ok = v.ok && !comma
	v.plain = out[start:]
	return out, v
}

// sentBy consumes host [ ":" port ] with space around the colon.
func (c *cursor) sentBy(out []byte, v *via) ([]byte, bool) {
	host := c.i
	if c.peek() == '[' {
		c.i++
		c.span(isReference)
		if !c.take(']') || c.i-host < 4 || c.i-host > 42 {
			return out, false
		}
	} else if len(c.span(isHost)) == 0 {
		return out, false
	}
	v.host = c.b[host:c.i]
	out = append(out, v.host...)
	c.space()
	if c.take(':') {
		c.space()
		v.port = c.span(isDigit)
		if _, ok := number(v.port, 65535); !ok {
			return out, false
		}
		out = append(append(out, ':'), v.port...)
	}
	return out, true
}

func (v *via) learn(p param) {
	switch {
	case bytes.EqualFold(p.name, []byte("branch")):
		v.branch = p.value
	case bytes.EqualFold(p.name, []byte("received")):
		v.received = p.value
	case bytes.EqualFold(p.name, []byte("rport")):
		v.hasRport = true
		v.rport = len(p.value) == 0
	}
}

// modern reports whether the branch names the transaction (RFC 3261 §8.1.1.7).
func (v *via) modern() bool {
	const cookie = "z9hG4bK"
	return len(v.branch) > len(cookie) && string(v.branch[:len(cookie)]) == cookie
}

// behind reports whether the request came from elsewhere than sent-by says,
// so that received has to be filled in (RFC 3261 §18.2.1).
func (v *via) behind(source netip.Addr) bool {
	host := v.host
	if len(host) > 1 && host[0] == '[' {
		host = host[1 : len(host)-1]
	}
	addr, err := netip.ParseAddr(string(host))
	return err != nil || addr.Unmap() != source.Unmap().WithZone("")
}

// stamp writes the plain value with received and rport filled in (RFC 3261
// §18.2.1, RFC 3581 §4) in place of what the sender put there.
func (v *via) stamp(out []byte, source netip.AddrPort, branch []byte) []byte {
	head, rest, _ := bytes.Cut(v.plain, []byte(";"))
	out = append(out, head...)
	c := cursor{b: append([]byte{';'}, rest...)}
	if len(rest) > 0 {
		_, _ = c.params(nil, func(p param) {
			if bytes.EqualFold(p.name, []byte("received")) || bytes.EqualFold(p.name, []byte("rport")) ||
				branch != nil && bytes.EqualFold(p.name, []byte("branch")) {
				return
			}
			out = append(append(out, ';'), p.name...)
			if p.value != nil {
				out = append(append(out, '='), p.value...)
			}
		})
	}
	if branch != nil {
		out = append(append(out, ";branch="...), branch...)
	}
	if v.hasRport {
		out = strconv.AppendUint(append(out, ";rport="...), uint64(source.Port()), 10)
	}
	if v.hasRport || v.behind(source.Addr()) {
		out = source.Addr().Unmap().WithZone("").AppendTo(append(out, ";received="...))
	}
	return out
}

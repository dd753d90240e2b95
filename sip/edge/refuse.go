package edge

import (
	"bytes"
	"net/netip"
	"strconv"
)

// mostEcho bounds the headers that an answer copies, so that nobody can use us
// to send much.
const mostEcho = 4096

// answerable reports whether the message at hand may be answered: a request
// other than ACK whose topmost Via says where to (RFC 3261 §8.2.6, §18.2.2).
func (s *screener) answerable() bool {
	return !s.response && s.top.readable && !bytes.Equal(s.method, []byte("ACK"))
}

// refusal builds the answer to the message at hand from whatever headers it
// has; nil when there is none.
func (s *screener) refusal(server string) []byte {
	if !s.answerable() {
		return nil
	}
	out := append([]byte("SIP/2.0 "), strconv.Itoa(s.fault.status)...)
	out = append(append(out, ' '), s.fault.reason...)
	out = append(out, "\r\nVia: "...)
	out = append(s.top.stamp(out, s.source, nil), crlf...)
	for i, v := range s.vias {
		if i > 0 {
			out = appendLine(out, "Via", bytes.Trim(v, " \t"))
		}
	}
	for _, h := range []header{{"From", fromKind}, {"To", toKind}, {"Call-ID", callIDKind}, {"CSeq", cseqKind}} {
		value := s.first[h.kind]
		if value == nil {
			continue
		}
		out = append(append(append(out, h.name...), ": "...), value...)
		if h.kind == toKind && s.untagged(value) {
			out = append(append(out, ";tag="...), fingerprint(s.first[callIDKind], value)[len("z9hG4bK"):]...)
		}
		out = append(out, crlf...)
	}
	if len(out) > mostEcho {
		return nil
	}
	out = append(append(append(out, `Warning: 399 gateway "`...), s.fault.reason...), "\"\r\n"...)
	if server != "" {
		out = appendLine(out, "Server", []byte(server))
	}
	return append(out, "Content-Length: 0\r\n\r\n"...)
}

// untagged reports whether a well-formed To has no tag yet (RFC 3261 §8.2.6.2).
func (s *screener) untagged(to []byte) bool {
	c := cursor{b: to}
	tagged := false
	_, ok := c.address(nil, func(p param) {
		tagged = tagged || bytes.EqualFold(p.name, []byte("tag"))
	})
	return ok && c.done() && !tagged
}

// replyTo is where an answer over UDP goes (RFC 3261 §18.2.2, RFC 3581 §4):
// always to the address that the request came from.
func (s *screener) replyTo() netip.AddrPort {
	if s.top.hasRport {
		return s.source
	}
	port, ok := number(s.top.port, 65535)
	if !ok || port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(s.source.Addr(), uint16(port))
}

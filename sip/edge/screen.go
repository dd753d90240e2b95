package edge

import (
	"bytes"
	"net/netip"
	"strconv"
)

// fault is what is wrong with a message: the status it is answered with and
// the reason in words, which contain nothing of the message.
type fault struct {
	status int
	reason string
}

// Limits of one message beyond its size.
const (
	mostHeaders = 256
	mostVias    = 70 // as many hops as Max-Forwards usually allows
)

// screener checks messages of one socket, one after the other, and keeps the
// buffers for that.
type screener struct {
	source netip.AddrPort

	// of the message at hand
	fault    fault // the first one found; status 0 = none
	method   []byte
	response bool
	seen     [kinds]int
	first    [kinds][]byte // the first value of each kind
	vias     [][]byte      // all Via values but the topmost, as they came
	top      via
	topAt    [2]int // where the topmost Via line stands in the output
	cseqFor  []byte // method of CSeq
	fromTag  bool
	length   int // Content-Length, -1 = none

	text []byte // unfolded values
}

func (s *screener) reset(source netip.AddrPort) {
	*s = screener{source: source, length: -1, vias: s.vias[:0], text: s.text[:0]}
}

func (s *screener) fail(status int, reason string) {
	if s.fault.status == 0 {
		s.fault = fault{status, reason}
	}
}

// screen checks a message and appends the plain form of it to out. Whole
// tells that the message ends with data (a datagram, RFC 3261 §18.3);
// otherwise Content-Length has to be there. On a fault out is worthless.
func (s *screener) screen(out, data []byte, source netip.AddrPort, whole bool) []byte {
	s.reset(source)
	end := bytes.Index(data, endOfHeaders)
	if end < 0 {
		s.fail(400, "Header Section Does Not End")
		end = bytes.LastIndex(data, crlf)
		if end < 0 {
			return out
		}
	}
	head, body := data[:end+len(crlf)], data[min(len(data), end+len(endOfHeaders)):]

	start, rest, _ := bytes.Cut(head, crlf)
	out = s.startLine(out, start)
	out = s.headerLines(out, rest)
	out = s.complete(out)
	switch {
	case s.length > len(body):
		s.fail(400, "Content-Length Exceeds Message")
	case s.length < 0 && !whole:
		s.fail(400, "Missing Content-Length")
	case s.length < 0:
		out = strconv.AppendInt(append(out, "Content-Length: "...), int64(len(body)), 10)
		out = append(out, crlf...)
	default:
		body = body[:s.length]
	}
	out = append(out, crlf...)
	return append(out, body...)
}

var endOfHeaders = []byte("\r\n\r\n")

// headerLines checks and rewrites the header section.
func (s *screener) headerLines(out, head []byte) []byte {
	for n := 0; len(head) > 0; n++ {
		if n == mostHeaders {
			s.fail(400, "Too Many Header Lines")
			return out
		}
		var l line
		var ok bool
		l, head, s.text, ok = nextLine(head, s.text)
		if !ok {
			s.fail(400, "Malformed Header Line")
			continue
		}
		out = s.headerLine(out, l)
	}
	return out
}

// complete checks what no single line shows.
func (s *screener) complete(out []byte) []byte {
	for _, k := range []struct {
		kind kind
		name string
	}{{viaKind, "Via"}, {fromKind, "From"}, {toKind, "To"}, {callIDKind, "Call-ID"}, {cseqKind, "CSeq"}} {
		if s.seen[k.kind] == 0 {
			s.fail(400, "Missing "+k.name)
		}
	}
	if !s.response && s.cseqFor != nil && !bytes.Equal(s.cseqFor, s.method) {
		s.fail(400, "CSeq Names Another Method")
	}
	if s.fault.status != 0 || s.response || s.top.modern() || s.fromTag {
		return out
	}
	return s.nameTransaction(out)
}

// nameTransaction gives a request of RFC 2543 a branch in its topmost Via:
// without one and without a tag in From the stack cannot tell transactions
// apart. It is the same for the ACK and CANCEL of an INVITE, and the sender,
// who does not know branches, gets it back as any unknown parameter.
func (s *screener) nameTransaction(out []byte) []byte {
	number, _, _ := bytes.Cut(s.first[cseqKind], []byte(" "))
	branch := fingerprint(s.first[callIDKind], s.first[fromKind], number, s.top.plain)
	tail := append([]byte(nil), out[s.topAt[1]:]...)
	out = append(out[:s.topAt[0]], "Via: "...)
	out = s.top.stamp(out, s.source, branch)
	return append(append(out, crlf...), tail...)
}

// startLine checks a Request-Line or Status-Line (RFC 3261 §7.1, §7.2).
func (s *screener) startLine(out, start []byte) []byte {
	if s.response = bytes.HasPrefix(start, []byte("SIP/")); s.response {
		version, rest, _ := bytes.Cut(start, []byte(" "))
		code, _, reason := bytes.Cut(rest, []byte(" "))
		n, ok := number(code, 699)
		if !bytes.EqualFold(version, []byte("SIP/2.0")) || !ok || len(code) != 3 || n < 100 ||
			bytes.IndexAny(rest, "\r\n") >= 0 {
			s.fail(400, "Malformed Status-Line")
		}
		out = append(out, "SIP/2.0 "...)
		if out = append(out, rest...); !reason {
			out = append(out, ' ')
		}
		return append(out, crlf...)
	}
	method, rest, _ := bytes.Cut(start, []byte(" "))
	uri, version, _ := bytes.Cut(rest, []byte(" "))
	s.method = method
	c := cursor{b: method}
	if len(c.span(isToken)) == 0 || !c.done() {
		s.fail(400, "Malformed Method")
		return out
	}
	switch {
	case bytes.EqualFold(version, []byte("SIP/2.0")):
		s.requestURI(uri)
	case len(version) > 4 && bytes.EqualFold(version[:4], []byte("SIP/")) && bytes.IndexByte(version, ' ') < 0:
		s.fail(505, "Version Not Supported")
	default:
		s.fail(400, "Malformed Request-Line")
	}
	out = append(append(out, method...), ' ')
	return append(append(out, uri...), " SIP/2.0\r\n"...)
}

func (s *screener) requestURI(uri []byte) {
	name, _, ok := scheme(uri)
	switch {
	case !ok || !checkURI(uri, false):
		s.fail(400, "Malformed Request-URI")
	case !isSIP(name) && !bytes.EqualFold(name, []byte("tel")):
		s.fail(416, "Unsupported URI Scheme")
	}
}

package edge

import "bytes"

// kind is what the edge does with a header.
type kind uint8

const (
	other kind = iota // passed on as it is
	viaKind
	fromKind
	toKind
	callIDKind
	cseqKind
	maxForwardsKind
	contentLengthKind
	contentTypeKind
	contactKind
	routeKind // a list of addresses
	referKind // one address
	kinds
)

// header is a name the edge knows.
type header struct {
	name string
	kind kind
}

// headers by lower-case name, compact forms included (RFC 3261 §7.3.3 and the
// IANA registry of header field names).
var headers = map[string]header{
	"via": {"Via", viaKind}, "v": {"Via", viaKind},
	"from": {"From", fromKind}, "f": {"From", fromKind},
	"to": {"To", toKind}, "t": {"To", toKind},
	"call-id": {"Call-ID", callIDKind}, "i": {"Call-ID", callIDKind},
	"cseq":           {"CSeq", cseqKind},
	"max-forwards":   {"Max-Forwards", maxForwardsKind},
	"content-length": {"Content-Length", contentLengthKind}, "l": {"Content-Length", contentLengthKind},
	"content-type": {"Content-Type", contentTypeKind}, "c": {"Content-Type", contentTypeKind},
	"contact": {"Contact", contactKind}, "m": {"Contact", contactKind},
	"route":        {"Route", routeKind},
	"record-route": {"Record-Route", routeKind},
	"refer-to":     {"Refer-To", referKind}, "r": {"Refer-To", referKind},
	"referred-by": {"Referred-By", referKind}, "b": {"Referred-By", referKind},
	"a": {"Accept-Contact", other},
	"d": {"Request-Disposition", other},
	"e": {"Content-Encoding", other},
	"j": {"Reject-Contact", other},
	"k": {"Supported", other},
	"n": {"Identity-Info", other},
	"o": {"Event", other},
	"s": {"Subject", other},
	"u": {"Allow-Events", other},
	"x": {"Session-Expires", other},
	"y": {"Identity", other},
}

// longestName is the longest key of headers.
const longestName = 14

// known looks a name up, whatever its case.
func known(name []byte) (header, bool) {
	if len(name) > longestName {
		return header{}, false
	}
	var lower [longestName]byte
	for i, b := range name {
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		lower[i] = b
	}
	h, ok := headers[string(lower[:len(name)])]
	return h, ok
}

// line is one header line: its name and its value without folds.
type line struct{ name, value []byte }

// nextLine splits the first header line with its continuation lines (RFC 3261
// §7.3.1) from head, which ends with CRLF. Folds are undone in text, which is
// only appended to. ok is false for a line that is no header; it is skipped.
func nextLine(head, text []byte) (l line, rest, grown []byte, ok bool) {
	end, folded := 0, false
	for {
		n := bytes.Index(head[end:], crlf)
		if n < 0 {
			return l, nil, text, false
		}
		end += n + len(crlf)
		if end >= len(head) || !isSpace(head[end]) {
			break
		}
		folded = true
	}
	raw, rest := head[:end-len(crlf)], head[end:]
	colon := bytes.IndexByte(raw, ':')
	if colon < 0 {
		return l, rest, text, false
	}
	l.name = bytes.TrimRight(raw[:colon], " \t")
	l.value = raw[colon+1:]
	if folded {
		start := len(text)
		text = unfold(text, l.value)
		l.value = text[start:]
	}
	l.value = bytes.Trim(l.value, " \t")
	c := cursor{b: l.name}
	valid := len(c.span(isToken)) > 0 && c.done() && bytes.IndexAny(l.value, "\r\n") < 0
	return l, rest, text, valid
}

var crlf = []byte("\r\n")

// unfold appends value with each line break and the space around it made one
// space.
func unfold(out, value []byte) []byte {
	for first := true; ; first = false {
		part, rest, more := bytes.Cut(value, crlf)
		if !first {
			out = append(out, ' ')
		}
		out = append(out, bytes.Trim(part, " \t")...)
		if !more {
			return out
		}
		value = rest
	}
}

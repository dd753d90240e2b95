package edge

import (
	"bytes"
	"hash/maphash"
	"strconv"
)

// headerLine checks one header and appends it in plain form; a list becomes
// one line per value.
func (s *screener) headerLine(out []byte, l line) []byte {
	h, ok := known(l.name)
	if !ok {
		return appendLine(out, string(l.name), l.value)
	}
	if s.first[h.kind] == nil {
		s.first[h.kind] = l.value
	}
	s.seen[h.kind]++
	switch h.kind {
	case other:
		return appendLine(out, h.name, l.value)
	case viaKind:
		return s.viaLine(out, l.value)
	case contactKind, routeKind:
		return s.addressList(out, h, l.value)
	}
	if s.seen[h.kind] > 1 && h.kind != referKind {
		// Two equal lengths contradict nothing, but nothing else may repeat.
		if h.kind != contentLengthKind || !bytes.Equal(s.first[h.kind], l.value) {
			s.fail(400, "Repeated "+h.name)
		}
		return out
	}
	return s.single(out, h, l.value)
}

func appendLine(out []byte, name string, value []byte) []byte {
	out = append(append(out, name...), ": "...)
	return append(append(out, value...), crlf...)
}

// single checks a header that holds one value.
func (s *screener) single(out []byte, h header, value []byte) []byte {
	out = append(append(out, h.name...), ": "...)
	ok := false
	switch h.kind {
	case fromKind, toKind, referKind:
		c := cursor{b: value}
		out, ok = c.address(out, func(p param) {
			s.fromTag = s.fromTag || h.kind == fromKind && bytes.EqualFold(p.name, []byte("tag")) && len(p.value) > 0
		})
		ok = ok && c.done()
	case cseqKind:
		out, s.cseqFor, ok = cseq(out, value)
	case callIDKind:
		out, ok = append(out, value...), callID(value)
	case maxForwardsKind:
		_, ok = number(value, 255)
		out = append(out, value...)
	case contentTypeKind:
		out, ok = append(out, value...), bytes.IndexByte(value, '/') > 0
	case contentLengthKind:
		var n uint64
		if n, ok = number(value, 1<<31-1); ok {
			s.length = int(n)
			out = strconv.AppendUint(out, n, 10)
		}
	}
	if !ok {
		s.fail(400, "Malformed "+h.name)
	}
	return append(out, crlf...)
}

// viaLine checks a Via header; the topmost value is completed by what we know
// of the sender.
func (s *screener) viaLine(out, value []byte) []byte {
	c := cursor{b: value}
	for {
		if len(s.vias) == mostVias {
			s.fail(400, "Too Many Via")
			return out
		}
		topmost := len(s.vias) == 0
		from, start := c.i, len(out)
		out = append(out, "Via: "...)
		var v via
		out, v = c.via(out)
		if topmost {
			s.top = v
			at := len(s.text)
			s.text = append(s.text, v.plain...)
			s.top.plain = s.text[at:]
		}
		if !v.ok {
			s.fail(400, "Malformed Via")
			return out[:start]
		}
		s.vias = append(s.vias, c.b[from:c.i])
		if topmost {
			if !s.response && s.stampNeeded() {
				out = s.top.stamp(out[:start+len("Via: ")], s.source, nil)
			}
		}
		out = append(out, crlf...)
		if topmost {
			s.topAt = [2]int{start, len(out)}
		}
		if !c.take(',') {
			return out
		}
	}
}

// stampNeeded is false in the usual case of an empty rport, which the stack
// fills in itself.
func (s *screener) stampNeeded() bool {
	if s.top.hasRport {
		return !s.top.rport || s.top.received != nil
	}
	return s.top.received != nil || s.top.behind(s.source.Addr())
}

// addressList checks a header of addresses (Contact also "*").
func (s *screener) addressList(out []byte, h header, value []byte) []byte {
	if h.kind == contactKind && string(value) == "*" {
		return appendLine(out, h.name, value)
	}
	c := cursor{b: value}
	for {
		start := len(out)
		out = append(append(out, h.name...), ": "...)
		at := len(out)
		var ok bool
		if out, ok = c.address(out, nil); !ok {
			s.fail(400, "Malformed "+h.name)
			return out[:start]
		}
		if out[at] == '"' {
			plainDisplay(out[at:])
		}
		out = append(out, crlf...)
		if !c.take(',') {
			return out
		}
	}
}

// plainDisplay replaces escapes in a quoted display name, at which the stack
// would miscount quotes in a list. The name is not echoed to anyone.
func plainDisplay(b []byte) {
	for i := 1; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' && i+1 < len(b) {
			b[i], b[i+1] = ' ', '\''
			i++
		}
	}
}

// seed makes fingerprints unpredictable from outside and equal within the
// process.
var seed = maphash.MakeSeed()

// fingerprint hashes parts into a branch.
func fingerprint(parts ...[]byte) []byte {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, p := range parts {
		_, _ = h.Write(p)
		_ = h.WriteByte(0)
	}
	return strconv.AppendUint([]byte("z9hG4bK"), h.Sum64(), 36)
}

package edge

import "bytes"

// The functions here check one header value each and write it in the plain
// form that the stack reads: one space where the grammar has LWS, none around
// separators. They append to out and report a fault by ok = false.

// param is ";" name [ "=" value ] of a header value.
type param struct{ name, value []byte }

// params consumes header parameters up to the end or a comma, appending their
// plain form to out. found is called for each.
func (c *cursor) params(out []byte, found func(param)) ([]byte, bool) {
	for {
		c.space()
		if c.done() || c.peek() == ',' {
			return out, true
		}
		if !c.take(';') {
			return out, false
		}
		c.space()
		p := param{name: c.span(isToken)}
		if len(p.name) == 0 {
			if c.done() || c.peek() == ';' {
				continue // an empty parameter: seen from terminals, harmless
			}
			return out, false
		}
		out = append(append(out, ';'), p.name...)
		lower(out[len(out)-len(p.name):])
		c.space()
		if c.take('=') {
			c.space()
			if c.peek() == '"' {
				s, ok := c.quoted()
				if !ok {
					return out, false
				}
				p.value = s
			} else if p.value = c.span(isParam); len(p.value) == 0 {
				return out, false
			}
			out = append(append(out, '='), p.value...)
		}
		if found != nil {
			found(p)
		}
	}
}

// lower makes ASCII letters small: the stack compares parameter names by case.
func lower(b []byte) {
	for i := range b {
		if 'A' <= b[i] && b[i] <= 'Z' {
			b[i] |= 0x20
		}
	}
}

// address consumes name-addr or addr-spec with its parameters (RFC 3261
// §20.10), up to the end or, in a list, a comma.
func (c *cursor) address(out []byte, found func(param)) ([]byte, bool) {
	c.space()
	display, ok := c.display()
	if !ok {
		return out, false
	}
	out = append(out, display...)
	if !c.take('<') {
		if len(display) > 0 {
			return out, false
		}
		uri := c.span(isBareURI)
		if bytes.IndexByte(uri, '?') >= 0 || !checkURI(uri, false) || !plainScheme(uri) {
			return out, false
		}
		return c.params(append(out, uri...), found)
	}
	end := bytes.IndexByte(c.b[c.i:], '>')
	if end < 0 || !checkURI(c.b[c.i:c.i+end], true) || !plainScheme(c.b[c.i:]) {
		return out, false
	}
	if len(display) > 0 {
		out = append(out, ' ')
	}
	out = append(append(append(out, '<'), c.b[c.i:c.i+end]...), '>')
	c.i += end + 1
	return c.params(out, found)
}

// display consumes the display name before "<"; it is empty when there is none.
func (c *cursor) display() ([]byte, bool) {
	if c.peek() == '"' {
		s, ok := c.quoted()
		c.space()
		return s, ok && c.peek() == '<'
	}
	open := bytes.IndexByte(c.b[c.i:], '<')
	if open < 0 {
		return nil, true
	}
	// A bracket behind a separator belongs to a later value or a parameter.
	name := c.b[c.i : c.i+open]
	if bytes.IndexAny(name, ";,") >= 0 {
		return nil, true
	}
	if bytes.IndexByte(name, '"') >= 0 {
		return nil, false
	}
	c.i += open
	return bytes.TrimRight(name, " \t"), true
}

func isBareURI(b byte) bool {
	switch b {
	case ';', ',', '<', '>', '"':
		return false
	}
	return b > ' ' && b != 0x7f
}

// cseq is 1*DIGIT LWS Method (RFC 3261 §20.16).
func cseq(out, v []byte) (plain, method []byte, ok bool) {
	c := cursor{b: v}
	digits := c.span(isDigit)
	if _, fits := number(digits, 1<<31-1); !fits || !c.space() {
		return out, nil, false
	}
	method = c.span(isToken)
	if len(method) == 0 || !c.done() {
		return out, nil, false
	}
	return append(append(append(out, digits...), ' '), method...), method, true
}

// callID is word [ "@" word ].
func callID(v []byte) bool {
	c := cursor{b: v}
	return len(c.span(isWord)) > 0 && c.done()
}

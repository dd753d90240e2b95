package edge

import "bytes"

// scheme splits a URI (RFC 3261 §25.1, absoluteURI) behind its scheme.
func scheme(uri []byte) (name, rest []byte, ok bool) {
	i := bytes.IndexByte(uri, ':')
	if i < 1 || i+1 == len(uri) || !isAlpha(uri[0]) {
		return nil, nil, false
	}
	for _, b := range uri[:i] {
		if !isAlnum(b) && b != '+' && b != '-' && b != '.' {
			return nil, nil, false
		}
	}
	return uri[:i], uri[i+1:], true
}

// isSIP reports whether a scheme is sip or sips.
func isSIP(scheme []byte) bool {
	return bytes.EqualFold(scheme, []byte("sip")) || bytes.EqualFold(scheme, []byte("sips"))
}

// plainScheme reports whether a scheme is one that the stack can read: of
// letters only.
func plainScheme(uri []byte) bool {
	c := cursor{b: uri}
	c.span(isAlpha)
	return c.peek() == ':'
}

// checkURI reports whether a URI stands where the grammar wants it: SIP URIs
// to the letter, others as anything without spaces, quotes or brackets.
// headers tells whether a "?" part may follow (not in a Request-URI).
func checkURI(uri []byte, headers bool) bool {
	name, rest, ok := scheme(uri)
	if !ok {
		return false
	}
	if isSIP(name) {
		return checkSIP(rest, headers)
	}
	for _, b := range rest {
		if b <= ' ' || b == 0x7f || b == '<' || b == '>' || b == '"' {
			return false
		}
	}
	return true
}

// checkSIP checks what follows "sip:" (RFC 3261 §19.1.1):
//
//	[ user [ ":" password ] "@" ] host [ ":" port ] *( ";" parameter ) [ "?" headers ]
func checkSIP(b []byte, headers bool) bool {
	if at := bytes.IndexByte(b, '@'); at >= 0 {
		if at == 0 || !escaped(b[:at], isUser) {
			return false
		}
		b = b[at+1:]
	}
	c := cursor{b: b}
	if !c.hostport() {
		return false
	}
	rest := b[c.i:]
	params, query, hasQuery := bytes.Cut(rest, []byte("?"))
	if hasQuery && (!headers || !escaped(query, isQuery)) {
		return false
	}
	return len(params) == 0 || params[0] == ';' && escaped(params, isURIParam)
}

// hostport consumes host [ ":" port ].
func (c *cursor) hostport() bool {
	if c.take('[') {
		if inside := c.span(isReference); len(inside) < 2 || len(inside) > 40 || !c.take(']') {
			return false
		}
	} else if host := c.span(isHost); len(host) == 0 {
		return false
	}
	if !c.take(':') {
		return true
	}
	_, ok := number(c.span(isDigit), 65535)
	return ok
}

// escaped reports whether b consists of the class and of "%" HEX HEX.
func escaped(b []byte, class func(byte) bool) bool {
	for i := 0; i < len(b); i++ {
		if b[i] == '%' {
			if i+2 >= len(b) || !isHex(b[i+1]) || !isHex(b[i+2]) {
				return false
			}
			i += 2
		} else if !class(b[i]) {
			return false
		}
	}
	return true
}

// isUnreserved is the unreserved rule of RFC 3261 §25.1. Raw UTF-8 is let
// through: terminals put names there.
func isUnreserved(b byte) bool {
	switch b {
	case '-', '_', '.', '!', '~', '*', '\'', '(', ')':
		return true
	}
	return isAlnum(b) || b >= 0x80
}

func isUser(b byte) bool {
	switch b {
	case '&', '=', '+', '$', ',', ';', '?', '/', ':':
		return true
	}
	return isUnreserved(b) || b == '#' // an unescaped # is dialled by phones
}

func isURIParam(b byte) bool {
	switch b {
	case ';', '=', '[', ']', '/', ':', '&', '+', '$':
		return true
	}
	return isUnreserved(b)
}

func isQuery(b byte) bool {
	switch b {
	case '&', '=', '[', ']', '/', '?', ':', '+', '$', ';', ',':
		return true
	}
	return isUnreserved(b)
}

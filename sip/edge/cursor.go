package edge

// cursor walks over a header value whose lines were unfolded. It never reads
// past the end: peek gives 0 there, which no grammar rule accepts.
type cursor struct {
	b []byte
	i int
}

func (c *cursor) done() bool { return c.i >= len(c.b) }

func (c *cursor) peek() byte {
	if c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

// space skips LWS and reports whether there was any.
func (c *cursor) space() bool {
	start := c.i
	for c.i < len(c.b) && isSpace(c.b[c.i]) {
		c.i++
	}
	return c.i > start
}

// take consumes the byte if it is next.
func (c *cursor) take(b byte) bool {
	if c.peek() == b && !c.done() {
		c.i++
		return true
	}
	return false
}

// span consumes the bytes of a class; it is empty when there is none.
func (c *cursor) span(class func(byte) bool) []byte {
	start := c.i
	for c.i < len(c.b) && class(c.b[c.i]) {
		c.i++
	}
	return c.b[start:c.i]
}

// quoted consumes a quoted-string with its quotes (RFC 3261 §25.1); ok is
// false when it does not end.
func (c *cursor) quoted() (s []byte, ok bool) {
	start := c.i
	for c.i++; c.i < len(c.b); c.i++ {
		switch c.b[c.i] {
		case '\\':
			c.i++
		case '"':
			c.i++
			return c.b[start:c.i], true
		}
	}
	c.i = len(c.b)
	return nil, false
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' }
func isDigit(b byte) bool { return '0' <= b && b <= '9' }
func isAlpha(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }
func isAlnum(b byte) bool { return isDigit(b) || isAlpha(b) }

func isHex(b byte) bool { return isDigit(b) || 'a' <= b|0x20 && b|0x20 <= 'f' }

// isToken is the token rule of RFC 3261 §25.1.
func isToken(b byte) bool {
	switch b {
	case '-', '.', '!', '%', '*', '_', '+', '`', '\'', '~':
		return true
	}
	return isAlnum(b)
}

// isWord is the word rule plus "@": the characters of a Call-ID.
func isWord(b byte) bool {
	switch b {
	case '(', ')', '<', '>', ':', '\\', '"', '/', '[', ']', '?', '{', '}', '@':
		return true
	}
	return isToken(b)
}

// isParam is what an unquoted parameter value may hold: the gen-value rule,
// and whatever else does not end it, since terminals put URIs and bare
// addresses there.
func isParam(b byte) bool {
	switch b {
	case ';', ',', '"', '<', '>', '=':
		return false
	}
	return b > ' ' && b != 0x7f
}

// isHost is a host name or IPv4 address. The underscore is no part of the
// rule, but of many local names.
func isHost(b byte) bool { return isAlnum(b) || b == '-' || b == '.' || b == '_' }

// isReference is the inside of an IPv6 reference. RFC 5118 §4.10 asks for
// leave towards three colons, so that the address itself is not checked.
func isReference(b byte) bool { return isHex(b) || b == ':' || b == '.' }

// number reads an unsigned number that is the whole of b.
func number(b []byte, most uint64) (n uint64, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	for _, d := range b {
		if !isDigit(d) {
			return 0, false
		}
		if n = n*10 + uint64(d-'0'); n > most {
			return 0, false
		}
	}
	return n, true
}

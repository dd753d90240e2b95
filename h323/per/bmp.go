package per

import "unicode/utf8"

// A BMPString holds 16-bit units. In practice they are UTF-16, so pairs of
// surrogates become one character of a Go string. A surrogate without its partner
// is kept as the three octets that UTF-8 would give it if it were a character
// (WTF-8), which lets any BMPString return to the same units.

const (
	highSurrogate = 0xD800
	lowSurrogate  = 0xDC00
	endSurrogates = 0xE000
)

func (c characters) appendRune(text []byte, r rune) []byte {
	if r < highSurrogate || r >= endSurrogates {
		return utf8.AppendRune(text, r)
	}
	if n := len(text); r >= lowSurrogate && n >= 3 {
		if high := surrogateAt(text[n-3:]); high >= highSurrogate && high < lowSurrogate {
			return utf8.AppendRune(text[:n-3], 0x10000+(high-highSurrogate)<<10+r-lowSurrogate)
		}
	}
	return append(text, 0xE0|byte(r>>12), 0x80|byte(r>>6&0x3F), 0x80|byte(r&0x3F))
}

// surrogateAt reads a lone surrogate, 0 when there is none.
func surrogateAt(text []byte) rune {
	if text[0] != 0xED || text[1] < 0xA0 || text[1] > 0xBF || text[2]&0xC0 != 0x80 {
		return 0
	}
	return highSurrogate | rune(text[1]&0x1F)<<6 | rune(text[2]&0x3F)
}

// nextRune takes a character from the front of text; size 0 means it is not UTF-8.
func nextRune(text string, surrogates bool) (r rune, size int) {
	r, size = utf8.DecodeRuneInString(text)
	if r != utf8.RuneError || size > 1 {
		return r, size
	}
	if surrogates && len(text) >= 3 {
		if s := surrogateAt([]byte(text[:3])); s != 0 {
			return s, 3
		}
	}
	return 0, 0
}

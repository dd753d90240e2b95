package trace

import (
	"bytes"
	"regexp"
)

// blank is what stands for an octet that is secret.
const blank = '*'

// Secrets of one line of SIP or SDP: the last group of each is masked. Lengths stay, so
// that Content-Length stays right.
var (
	// The proof of a digest (RFC 8760), and credentials as they are.
	proof       = regexp.MustCompile(`(?i)\b(?:response|cnonce)[ \t]*=[ \t]*"?([^",\s*][^",\s]*)`)
	credentials = regexp.MustCompile(`(?i):[ \t]*(?:basic|bearer)[ \t]+([^\s]+)`)
	wholeValue  = regexp.MustCompile(`:[ \t]*([^\r\n]+)`)
	// Keys of SRTP (RFC 4568, RFC 4567, k= of RFC 4566).
	inline  = regexp.MustCompile(`(?i)\binline:([^\s|;*][^\s|;]*)`)
	keyLine = regexp.MustCompile(`(?i)^(?:a=key-mgmt:|k=)([^\r\n]+)`)
	// A PIN dialled behind an alias.
	pin = regexp.MustCompile(`(?i)(?:sips?:|tel:)[^\s@*#;<>]*?(?:[*#]|%2[3a])([0-9*#]{1,24})(?:[@;>]|$)`)
	// Digits in INFO.
	signal = regexp.MustCompile(`(?i)^signal[ \t]*=[ \t]*([0-9A-D*#]+)`)
)

// Mask gives a SIP message without its secrets: proofs of passwords, keys of media,
// digits and PINs. It has the same length.
func Mask(message []byte) []byte {
	out := bytes.Clone(message)
	digit := false // the body is a digit and nothing else
	for rest := out; len(rest) > 0; {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line = rest[:i+1]
		}
		rest = rest[len(line):]
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			if digit {
				fill(rest)
			}
			continue
		}
		maskLine(line)
		name, v, _ := bytes.Cut(line, []byte(":"))
		if isName(name, "content-type", "c") {
			kind, _, _ := bytes.Cut(bytes.ToLower(bytes.TrimSpace(v)), []byte(";"))
			digit = string(bytes.TrimSpace(kind)) == "application/dtmf"
		}
	}
	return out
}

func maskLine(line []byte) {
	name, _, header := bytes.Cut(line, []byte(":"))
	switch {
	case header && isName(name, "authorization", "proxy-authorization"):
		blot(line, proof)
		blot(line, credentials)
		return
	case header && isName(name, "authentication-info", "identity", "y"):
		blot(line, wholeValue)
		return
	}
	switch line[0] {
	case 'a', 'A', 'k', 'K':
		blot(line, inline)
		blot(line, keyLine)
	case 's', 'S':
		blot(line, signal)
	}
	if bytes.ContainsAny(line, "*#%") {
		blot(line, pin)
	}
}

func isName(name []byte, names ...string) bool {
	name = bytes.TrimSpace(name)
	for _, n := range names {
		if bytes.EqualFold(name, []byte(n)) {
			return true
		}
	}
	return false
}

// blot masks the last group of every match.
func blot(text []byte, re *regexp.Regexp) {
	for _, at := range re.FindAllSubmatchIndex(text, -1) {
		if i := at[len(at)-2]; i >= 0 {
			fill(text[i:at[len(at)-1]])
		}
	}
}

func fill(text []byte) {
	for i, c := range text {
		if c != '\r' && c != '\n' {
			text[i] = blank
		}
	}
}

// Blot masks every occurrence of a secret in binary data.
func Blot(data, secret []byte) {
	if len(secret) < 2 {
		return
	}
	for at := 0; ; {
		i := bytes.Index(data[at:], secret)
		if i < 0 {
			return
		}
		at += i
		for range secret {
			data[at] = 0
			at++
		}
	}
}

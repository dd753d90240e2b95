package digest

import (
	"fmt"
	"strings"
)

// Limits of one header, which a stranger wrote.
const (
	mostParams = 32
	mostHeader = 4096
)

// parameters of a challenge or of credentials, by lower-case name.
type parameters map[string]string

// parse reads the value of an Authorization or WWW-Authenticate header (RFC
// 3261 §25.1). ok is false for another scheme than Digest.
//
//	Digest SP name "=" ( token / quoted-string ) *( "," name "=" ... )
func parse(value string) (p parameters, ok bool, err error) {
	if len(value) > mostHeader {
		return nil, true, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, mostHeader)
	}
	scheme, rest, _ := strings.Cut(strings.TrimLeft(value, " \t"), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil, false, nil
	}
	p = parameters{}
	for rest = skip(rest); rest != ""; rest = skip(rest) {
		if rest[0] == ',' {
			rest = rest[1:]
			continue
		}
		var name, text string
		if name, text, rest, err = pair(rest); err != nil {
			return nil, true, err
		}
		if _, twice := p[name]; twice || len(p) == mostParams {
			return nil, true, fmt.Errorf("%w: repeated or too many parameters", ErrMalformed)
		}
		p[name] = text
	}
	return p, true, nil
}

func skip(s string) string { return strings.TrimLeft(s, " \t") }

// pair reads one name "=" value up to the comma or the end.
func pair(s string) (name, value, rest string, err error) {
	name, rest, found := strings.Cut(s, "=")
	name = strings.ToLower(strings.TrimRight(name, " \t"))
	if !found || name == "" || strings.ContainsAny(name, " \t,\"") {
		return "", "", "", fmt.Errorf("%w: parameter without a value", ErrMalformed)
	}
	rest = skip(rest)
	if strings.HasPrefix(rest, `"`) {
		if value, rest, err = unquote(rest); err != nil {
			return "", "", "", err
		}
	} else {
		end := strings.IndexByte(rest, ',')
		if end < 0 {
			end = len(rest)
		}
		value, rest = strings.TrimRight(rest[:end], " \t"), rest[end:]
	}
	if rest = skip(rest); rest != "" && rest[0] != ',' {
		return "", "", "", fmt.Errorf("%w: no comma behind %s", ErrMalformed, name)
	}
	return name, value, rest, nil
}

// unquote reads a quoted-string and undoes its escapes.
func unquote(s string) (value, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", fmt.Errorf("%w: quoted string does not end", ErrMalformed)
}

// quote writes a quoted-string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

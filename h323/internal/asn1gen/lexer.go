package main

import (
	"fmt"
	"strings"
	"unicode"
)

// token is a word, number, string or sign of an ASN.1 module.
type token struct {
	text string
	line int
}

// lex splits a module into tokens and drops the comments, which end with the
// line or with another double hyphen (X.680 12.6).
func lex(source string) ([]token, error) {
	var tokens []token
	line := 1
	for i := 0; i < len(source); {
		rest := source[i:]
		n := 1
		switch c := rune(source[i]); {
		case c == '\n':
			line++
			i++
			continue
		case unicode.IsSpace(c):
			i++
			continue
		case strings.HasPrefix(rest, "--"):
			i += comment(rest)
			continue
		case strings.HasPrefix(rest, "::="), strings.HasPrefix(rest, "..."):
			n = 3
		case strings.HasPrefix(rest, ".."), strings.HasPrefix(rest, "[["), strings.HasPrefix(rest, "]]"):
			n = 2
		case c == '"':
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("line %d: string without end", line)
			}
			n = end + 2
		case isWord(c), c == '-' && len(rest) > 1 && unicode.IsDigit(rune(rest[1])):
			for n < len(rest) && (isWord(rune(rest[n])) || rest[n] == '-' && !strings.HasPrefix(rest[n:], "--")) {
				n++
			}
		case c > unicode.MaxASCII:
			i++ // part of a comment's typography at most
			continue
		}
		tokens = append(tokens, token{rest[:n], line})
		i += n
	}
	return tokens, nil
}

// comment gives the length of the comment at the front of text.
func comment(text string) int {
	end := strings.IndexByte(text, '\n')
	if end < 0 {
		end = len(text)
	}
	for text[:end] != "" {
		again := strings.Index(text[2:end], "--")
		if again >= 0 && strings.Trim(text[2:2+again], "-") != "" {
			return again + 4
		}
		break
	}
	return end
}

func isWord(c rune) bool {
	return c == '&' || c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c))
}

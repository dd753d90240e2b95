package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one fault of the configuration.
type Problem struct {
	Key string // such as "sip.udp" or "accounts[2].password"; "" for the whole file
	// Source is where the value was given, "FILE:LINE" or the name of an
	// environment variable; "" for a default.
	Source  string
	Message string

	rival string // a key whose value clashes with Key's
}

func (p Problem) String() string {
	var parts []string
	for _, s := range []string{p.Source, p.Key, p.Message} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Problems are all faults of a configuration; never empty as an error.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps *Problems) add(source, key, format string, args ...any) {
	*ps = append(*ps, Problem{Key: key, Source: source, Message: fmt.Sprintf(format, args...)})
}

// sort orders the problems as the lines of the file are, then by key.
func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.line(), b.line()), cmp.Compare(a.Key, b.Key))
	})
}

// line is the number at the end of Source; 0 when there is none.
func (p Problem) line() int {
	n, err := strconv.Atoi(p.Source[strings.LastIndex(p.Source, ":")+1:])
	if err != nil {
		return 0
	}
	return n
}

// sources remembers where each key was given.
type sources map[string]string

// of finds the source of a key, or of the nearest key above it.
func (s sources) of(key string) string {
	for key != "" {
		if source, ok := s[key]; ok {
			return source
		}
		cut := strings.LastIndexAny(key, ".[")
		if cut < 0 {
			break
		}
		key = key[:cut]
	}
	return ""
}

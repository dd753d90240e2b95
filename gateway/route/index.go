package route

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// index finds the rules that may match what was dialled without trying all:
// by the letters that their pattern begins with, or by its first octet alone.
type index struct {
	prefixed map[string][]int
	lengths  []int      // of the keys of prefixed
	first    [256][]int // by the first octet, for patterns without such letters
	empty    []int      // that may match nothing at all
	always   []int      // that are compared with something else
}

func newIndex(rules []*compiled) *index {
	x := &index{prefixed: make(map[string][]int)}
	for i, r := range rules {
		if r.Disabled {
			continue
		}
		if r.Number {
			x.always = append(x.always, i)
			continue
		}
		if letters := beginning(r); letters != "" {
			x.prefixed[letters] = append(x.prefixed[letters], i)
			if !slices.Contains(x.lengths, len(letters)) {
				x.lengths = append(x.lengths, len(letters))
			}
			continue
		}
		octets, empty := firstOctets(r.Expression())
		for b := range octets {
			if octets[b] {
				x.first[b] = append(x.first[b], i)
			}
		}
		if empty {
			x.empty = append(x.empty, i)
		}
	}
	return x
}

// beginning is what everything begins with that a rule matches.
func beginning(r *compiled) string {
	if r.Prefix != "" {
		return r.Prefix
	}
	// The pattern itself, without the anchors around it: they hide the letters.
	expr, err := regexp.Compile(r.Expression())
	if err != nil {
		return ""
	}
	letters, _ := expr.LiteralPrefix()
	return letters
}

// candidates appends the positions of the rules from a position on that may
// match, in order.
func (x *index) candidates(list []int, dialled string, from int) []int {
	add := func(some []int) {
		at, _ := slices.BinarySearch(some, from)
		list = append(list, some[at:]...)
	}
	add(x.always)
	if dialled == "" {
		add(x.empty)
	} else {
		add(x.first[dialled[0]])
	}
	for _, n := range x.lengths {
		if n <= len(dialled) {
			add(x.prefixed[dialled[:n]])
		}
	}
	slices.Sort(list)
	return list
}

// firstOctets is the set of octets that something may begin with that matches
// the pattern, and whether the pattern may match nothing.
func firstOctets(pattern string) (set [256]bool, empty bool) {
	all := func() ([256]bool, bool) {
		for b := range set {
			set[b] = true
		}
		return set, true
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return all()
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return all()
	}
	seen := make([]bool, len(prog.Inst))
	todo := []uint32{uint32(prog.Start)}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		switch in := &prog.Inst[at]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			todo = append(todo, in.Out)
		case syntax.InstMatch:
			empty = true
		case syntax.InstFail:
		default:
			for b := range utf8.RuneSelf {
				set[b] = set[b] || in.MatchRune(rune(b))
			}
			for b := utf8.RuneSelf; b < len(set); b++ {
				set[b] = true // beginnings of other letters are not told apart
			}
		}
	}
	return set, empty
}

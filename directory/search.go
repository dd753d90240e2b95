package directory

import (
	"slices"
	"strings"
)

// haystack is what searches look into, of all endpoints in their order, in one
// piece: a word is looked for by a run through memory, not endpoint by endpoint.
type haystack struct {
	text string
	ends []int // of the part of each endpoint; a NUL, which no word has, is its last
}

func newHaystack(list []*shelved[Endpoint]) *haystack {
	h := &haystack{ends: make([]int, 0, len(list))}
	size := 0
	for _, e := range list {
		size += len(e.search) + 1
		h.ends = append(h.ends, size)
	}
	var b strings.Builder
	b.Grow(size)
	for _, e := range list {
		b.WriteString(e.search)
		b.WriteByte(0)
	}
	h.text = b.String()
	return h
}

// find gives the positions, from one on, of the endpoints in which all words occur.
func (h *haystack) find(words []string, from int) func(yield func(int) bool) {
	// The longest is the one that most have not.
	words = slices.Clone(words)
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	return func(yield func(int) bool) {
		for from < len(h.ends) {
			start := 0
			if from > 0 {
				start = h.ends[from-1]
			}
			if len(words) > 0 {
				at := strings.Index(h.text[start:], words[0])
				if at < 0 {
					return
				}
				from, _ = slices.BinarySearch(h.ends, start+at+1)
				start = 0
				if from > 0 {
					start = h.ends[from-1]
				}
			}
			own := h.text[start:h.ends[from]]
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(own, w) }) && !yield(from) {
				return
			}
			from++
		}
	}
}

// hay is the haystack of the endpoints as they are. It needs d.mu, for reading.
func (d *Directory) hay() *haystack {
	d.searching.Lock()
	defer d.searching.Unlock()
	if d.haystack == nil {
		d.haystack = newHaystack(d.endpoints.list)
	}
	return d.haystack
}

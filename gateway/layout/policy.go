package layout

import (
	"cmp"
	"slices"
)

// Candidate is somebody, or something shared, that a screen could show.
type Candidate struct {
	ID       string // of the picture
	Identity string // of whom it shows
	Content  bool
	// Whole is the picture of an MCU: it shows several already, so it has all of the
	// screen or no place on it.
	Whole  bool
	Spoke  uint64 // counts up; the last speaker has the highest, 0 = never
	Joined uint64 // counts up
}

// Wish is what somebody's screen is to show.
type Wish struct {
	Kind   Kind
	Viewer string // identity of who looks; "" = somebody who is not shown
	// Pinned is an identity that takes the place of the speaker.
	Pinned string
	// Never leaves the viewer out of everything, also where others see themselves.
	Never bool
	// Turn counts up: whose turn it is to be seen by who gives a lecture.
	Turn uint64
	// PeopleOnly leaves out what is shared: it is seen elsewhere.
	PeopleOnly bool
}

// View is what a screen shows. Legs with equal keys see the same.
type View struct {
	Kind  Kind
	Shown []string // IDs by tile
	// Key tells views apart that differ in whom they are for.
	Key string
}

// Choose decides what a screen shows of all there is. before is what the view
// of the same key showed, so that nobody changes places without need.
//
// Whoever looks is left out of small grids and of the place of the speaker:
// that makes a view of their own. Grids of 3x3 and more show everyone to
// everyone, so that all look at one and the same picture.
func Choose(all []Candidate, w Wish, before []string) View {
	if w.PeopleOnly {
		all = slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return c.Content })
	}
	if w.Kind == Lecture {
		return lecture(all, w)
	}
	if w.Never && w.Viewer != "" {
		all = slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return c.Identity == w.Viewer })
		own := choose(all, w, "", before)
		own.Key += " without " + w.Viewer
		return own
	}
	shared := choose(all, w, "", before)
	if w.Viewer == "" || !shared.concerns(all, w.Viewer) {
		return shared
	}
	own := choose(all, w, w.Viewer, before)
	if !slices.Equal(own.Shown, shared.Shown) || own.Kind != shared.Kind {
		own.Key += " without " + w.Viewer
	}
	return own
}

// lecture shows the lecturer to all, and the lecturer the audience, one after the other in
// the order they came. What is shared has the large place of those who see it nowhere else.
func lecture(all []Candidate, w Wish) View {
	v := View{Kind: Single, Key: string(Lecture)}
	if w.Pinned != "" {
		v.Key += " pinned " + w.Pinned
	}
	if w.PeopleOnly {
		v.Key += " people"
	}
	var shared, people []Candidate
	for _, c := range rank(all, w.Pinned) {
		if c.Content {
			shared = append(shared, c)
		} else {
			people = append(people, c)
		}
	}
	if len(people) > 0 && people[0].Identity == w.Viewer {
		v.Key += " audience"
		people = slices.DeleteFunc(people, func(c Candidate) bool { return c.Identity == w.Viewer })
		slices.SortFunc(people, func(a, b Candidate) int { return cmp.Or(cmp.Compare(a.Joined, b.Joined), cmp.Compare(a.ID, b.ID)) })
		if n := uint64(len(people)); n > 0 {
			people = people[w.Turn%n:]
		}
	}
	if len(shared) > 0 && shared[0].Identity != w.Viewer {
		v.Kind, v.Shown = Content, ids(shared, 1)
	}
	v.Shown = append(v.Shown, ids(people, 1)...)
	return v
}

// concerns reports whether the view would show somebody to themselves in a
// place where that is not wanted.
func (v View) concerns(all []Candidate, viewer string) bool {
	for i, id := range v.Shown {
		if i > 0 && (v.Kind == Speaker || v.Kind == Content) {
			return false // small tiles may show the viewer
		}
		for _, c := range all {
			if c.ID == id && c.Identity == viewer {
				return true
			}
		}
	}
	return false
}

// smallGrid is how many tiles a grid has at most that leaves the viewer out.
const smallGrid = 4

func choose(all []Candidate, w Wish, without string, before []string) View {
	ranked := rank(all, w.Pinned)
	others := slices.Clone(ranked)
	if without != "" {
		others = slices.DeleteFunc(others, func(c Candidate) bool { return c.Identity == without })
	}
	whole, filled := fills(others)
	ranked, others = tiles(ranked), tiles(others)
	if filled {
		ranked, others = []Candidate{whole}, []Candidate{whole}
	}
	kind := resolve(w.Kind, others)
	if filled {
		kind = Single
	}
	v := View{Kind: kind, Key: string(w.Kind)}
	if w.Pinned != "" {
		v.Key += " pinned " + w.Pinned
	}
	if w.PeopleOnly {
		v.Key += " people"
	}
	switch kind {
	case Single:
		v.Shown = ids(others, 1)
	case Speaker, Content:
		v.Shown = withLarge(others, ranked, kind.Capacity(), before)
	default:
		if kind.side() > 2 || kind == Grid && len(others) > smallGrid {
			others = ranked
		}
		v.Shown = settle(others, kind.Capacity(), before)
	}
	return v
}

// resolve makes auto, and grids of one, what they come to.
func resolve(k Kind, others []Candidate) Kind {
	shared := len(others) > 0 && others[0].Content
	switch {
	case k == Speaker && len(others) <= 1:
		return Single
	case (k == Speaker || k == Auto && len(others) > 1) && shared:
		return Content
	case k != Auto:
		return k
	case len(others) <= 1:
		return Single
	case len(others) <= smallGrid:
		return Grid
	}
	return Speaker
}

// rank puts content first, then who is pinned, then who spoke last, then the
// others in the order they came.
func rank(all []Candidate, pinned string) []Candidate {
	ranked := slices.Clone(all)
	slices.SortStableFunc(ranked, func(a, b Candidate) int {
		return cmp.Or(
			-compareBool(a.Content, b.Content),
			-compareBool(pinned != "" && a.Identity == pinned, pinned != "" && b.Identity == pinned),
			-cmp.Compare(a.Spoke, b.Spoke),
			cmp.Compare(a.Joined, b.Joined),
			cmp.Compare(a.ID, b.ID))
	})
	return ranked
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func ids(list []Candidate, n int) []string {
	var out []string
	for _, c := range list[:min(n, len(list))] {
		out = append(out, c.ID)
	}
	return out
}

// withLarge gives the first of others the large tile, and the small ones to
// the rest of all.
func withLarge(others, all []Candidate, capacity int, before []string) []string {
	if len(others) == 0 {
		return nil
	}
	large := others[0].ID
	rest := slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return c.ID == large })
	if len(before) > 0 {
		before = before[1:]
	}
	return append([]string{large}, settle(rest, capacity-1, before)...)
}

// settle picks the first by rank, and leaves those who had a place in it; the
// others take places that are free, in the order they came.
func settle(ranked []Candidate, capacity int, before []string) []string {
	chosen := slices.Clone(ranked[:min(capacity, len(ranked))])
	slices.SortFunc(chosen, func(a, b Candidate) int {
		return cmp.Or(-compareBool(a.Content, b.Content), cmp.Compare(a.Joined, b.Joined), cmp.Compare(a.ID, b.ID))
	})
	places := make([]string, len(chosen))
	taken := map[string]bool{}
	for i, id := range before {
		if i < len(places) && slices.ContainsFunc(chosen, func(c Candidate) bool { return c.ID == id }) && !taken[id] {
			places[i], taken[id] = id, true
		}
	}
	next := 0
	for _, c := range chosen {
		if taken[c.ID] {
			continue
		}
		for places[next] != "" {
			next++
		}
		places[next] = c.ID
	}
	return places
}

// fills is the picture of an MCU that has all of the screen: when it ranks first, when
// nobody has spoken yet, and when there is no other.
func fills(ranked []Candidate) (whole Candidate, ok bool) {
	for _, c := range ranked {
		if c.Whole {
			first := ranked[0]
			return c, !first.Content && (first.ID == c.ID || first.Spoke == 0)
		}
	}
	return whole, false
}

// tiles are those that may have a part of the screen.
func tiles(list []Candidate) []Candidate {
	return slices.DeleteFunc(slices.Clone(list), func(c Candidate) bool { return c.Whole })
}

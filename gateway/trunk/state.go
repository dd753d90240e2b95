package trunk

import (
	"cmp"
	"context"
	"slices"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/usage"
)

// State is a trunk at the moment, as a node sees it.
type State struct {
	ID, Name, Agency string // no ID: of the configuration
	Disabled         bool
	In, Out          int // calls on this node
	// Day is today where the trunk is, Today what was counted on all nodes.
	Day     string
	Today   usage.Day
	Ceiling usage.Ceiling
	// Refused counts calls that this node did not take since its start, Recent are the
	// latest of them, oldest first.
	Refused []Count
	Recent  []Refusal
}

// Count is how many calls were refused for a reason.
type Count struct {
	Direction call.Direction
	Reason    Reason
	Calls     uint64
}

// States shows all trunks, by name.
func (g *Guard) States(ctx context.Context) ([]State, error) {
	list := g.Trunks()
	out := make([]State, 0, len(list))
	for _, t := range list {
		s := State{ID: t.ID, Name: t.Name, Agency: t.Agency, Disabled: t.Disabled, Ceiling: ceilingOf(t)}
		key := trunkKey{t.ID, t.Name, t.Zone}
		s.Day = key.day(g.Now())
		var err error
		if s.Today, err = g.Usage.Of(ctx, key.id(), s.Day); err != nil {
			return nil, err
		}
		g.look(&s)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b State) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Counts are the calls that go on, and those refused, by trunk, for those who must not
// wait for the database.
func (g *Guard) Counts() []State {
	var out []State
	for _, t := range g.Trunks() {
		s := State{ID: t.ID, Name: t.Name}
		g.look(&s)
		out = append(out, s)
	}
	return out
}

// look adds what this node knows.
func (g *Guard) look(s *State) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.lines[directory.Fold(s.Name)]
	if b == nil {
		return
	}
	s.In, s.Out, s.Recent = b.in, b.out, slices.Clone(b.recent)
	s.Today.Refused += b.owed
	for key, n := range b.refused {
		s.Refused = append(s.Refused, Count{key.Direction, key.Reason, n})
	}
	slices.SortFunc(s.Refused, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Reason, b.Reason))
	})
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/roomgate/roomgate/directory"
)

// ChangeMeeting changes what was asked of a meeting, also while it is held: calls that
// are there keep what was agreed with them, layout and who may present follow at once.
// change must not touch the alias, and may run again.
func (g *Gateway) ChangeMeeting(ctx context.Context, alias string, change func(*MeetingSpec)) (Meeting, error) {
	g.mu.Lock()
	m, ok := g.meetings[alias]
	kept := ok && m.kept
	g.mu.Unlock()
	switch {
	case !ok || m.private:
		return Meeting{}, ErrNoMeeting
	case kept:
		if err := g.changeKept(ctx, alias, change); err != nil {
			return Meeting{}, err
		}
		g.Refresh()
		return g.Meeting(alias)
	}
	g.mu.Lock()
	spec := m.spec()
	change(&spec)
	spec.Alias = alias
	if err := spec.Plan.Check(); err != nil {
		g.mu.Unlock()
		return Meeting{}, fmt.Errorf("%w: %w", ErrBadMeeting, err)
	}
	follow := m.adopt(g.withDefaults(spec))
	view := m.view(g.in.Now())
	g.mu.Unlock()
	follow()
	return view, nil
}

// changes that meet others are tried so often.
const changeTries = 3

// changeKept changes a meeting of the directory.
func (g *Gateway) changeKept(ctx context.Context, alias string, change func(*MeetingSpec)) error {
	for try := 1; ; try++ {
		was, ok := g.in.Directory.Meeting(alias)
		if !ok {
			return ErrNoMeeting
		}
		spec := specOf(was)
		change(&spec)
		spec.Alias = was.Alias
		next := record(spec)
		next.Meta = was.Meta
		_, err := g.in.Directory.SaveMeeting(ctx, next)
		var field *directory.FieldError
		switch {
		case errors.Is(err, directory.ErrConflict) && try < changeTries:
			continue
		case errors.Is(err, directory.ErrNotFound):
			return ErrNoMeeting
		case errors.As(err, &field):
			return fmt.Errorf("%w: %w", ErrBadMeeting, err)
		}
		return err
	}
}

// adopt takes over what is asked of a meeting, and returns what has to follow without
// the lock. Needs Gateway.mu.
func (m *meeting) adopt(spec MeetingSpec) (follow func()) {
	layoutWas, floorWas, first := layoutOf(m), policyOf(m), m.bridge == nil
	if !slices.Equal(m.spec().Invitees, spec.Invitees) {
		m.times.invited = time.Time{} // whoever is new is called, if it is soon enough
	}
	m.set(spec)
	b, kind, pinned, policy := m.bridge, layoutOf(m), m.pinned, policyOf(m)
	return func() {
		if first {
			return
		}
		if kind != layoutWas {
			b.SetLayout(kind, pinned)
		}
		if policy != floorWas {
			b.SetFloor(policy)
		}
	}
}

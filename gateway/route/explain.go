package route

import (
	"fmt"
	"time"

	"github.com/roomgate/roomgate/call"
)

// Step is what one rule said to a call.
type Step struct {
	Rule    int    // position, counted from 1
	RuleID  string // "" for those of the configuration
	Name    string
	Matched bool
	Why     string
	// Dialled is what the following rules see, after a rewrite.
	Dialled string
}

// Explain decides as Decide does at a moment, and tells what each rule said on the
// way.
func (t *Table) Explain(info call.Info, w World, at time.Time) (Decision, []Step) {
	if t == nil {
		t = empty
	}
	q := t.query(info)
	q.now = at
	var steps []Step
	for i, c := range t.rules {
		step := Step{Rule: i + 1, RuleID: c.ID, Name: c.Name}
		_, _, no := c.matches(q)
		step.Why = c.why(q, no)
		d, matched, goesOn := t.try(i, q)
		step.Matched = matched
		if goesOn {
			step.Why, step.Dialled = fmt.Sprintf("matches; goes on with %q", q.dialled), q.dialled
		}
		steps = append(steps, step)
		if matched && !goesOn {
			return permit(t.finish(d, q, w), q, w), steps
		}
	}
	return permit(t.withoutRule(q, w), q, w), steps
}

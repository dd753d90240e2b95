// Package calendar tells when meetings are held: once, or again and again by a rule of
// RFC 5545 (RRULE), in a time zone, whose clock the rule follows.
package calendar

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Plan is when a meeting is held. The zero value is at any time.
type Plan struct {
	Starts, Ends time.Time // of the first time; both or none
	Repeats      string    // an RRULE without "RRULE:"; "" = once
	Zone         string    // of IANA; "" = DefaultZone
}

// DefaultZone is the time zone of plans that name none.
const DefaultZone = "Asia/Ho_Chi_Minh"

// Occurrence is one time that a meeting is held.
type Occurrence struct {
	Starts time.Time `json:"starts,omitzero"`
	Ends   time.Time `json:"ends,omitzero"`
}

// The longest that a meeting lasts, and the longest rule that is read.
const (
	longest  = 7 * 24 * time.Hour
	longRule = 200
)

// Errors of Check.
var (
	ErrTimes   = errors.New("a meeting that starts has to end, after that and within a week")
	ErrZone    = errors.New("is no time zone of IANA")
	ErrRepeats = errors.New("is no RRULE of RFC 5545 that repeats daily or less often")
	ErrOverlap = errors.New("the meeting would begin again before it ends")
)

// None reports a plan that says nothing.
func (p Plan) None() bool { return p.Starts.IsZero() }

// Check reports what is wrong with a plan.
func (p Plan) Check() error {
	if p.None() {
		switch {
		case !p.Ends.IsZero():
			return ErrTimes
		case p.Repeats != "":
			return fmt.Errorf("%w, of a meeting without a start", ErrRepeats)
		}
		return nil
	}
	if d := p.Ends.Sub(p.Starts); d <= 0 || d > longest {
		return ErrTimes
	}
	rule, err := p.rule()
	if err != nil {
		return err
	}
	next := rule.Iterator()
	last, ok := next()
	if !ok {
		return ErrRepeats
	}
	for range looked {
		at, ok := next()
		if !ok {
			break
		}
		if at.Sub(last) < p.Ends.Sub(p.Starts) {
			return ErrOverlap
		}
		last = at
	}
	return nil
}

// looked is how many times in a row Check looks at for those that overlap.
const looked = 100

func (p Plan) zone() (*time.Location, error) {
	name := p.Zone
	if name == "" {
		name = DefaultZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, ErrZone
	}
	return zone, nil
}

// rule is the set of all starts; that of a plan that does not repeat has one.
func (p Plan) rule() (*rrule.RRule, error) {
	zone, err := p.zone()
	if err != nil {
		return nil, err
	}
	start := p.Starts.In(zone).Truncate(time.Second)
	if p.Repeats == "" {
		return rrule.NewRRule(rrule.ROption{Freq: rrule.DAILY, Count: 1, Dtstart: start})
	}
	if len(p.Repeats) > longRule || strings.ContainsAny(p.Repeats, "\r\n:") {
		return nil, ErrRepeats
	}
	option, err := rrule.StrToROptionInLocation(p.Repeats, zone)
	if err != nil || option.Freq > rrule.DAILY || len(option.Byhour)+len(option.Byminute)+len(option.Bysecond) > 0 {
		return nil, ErrRepeats
	}
	option.Dtstart = start
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, ErrRepeats
	}
	return rule, nil
}

// At is the time that a meeting is held at t, or the next one after t; ok is false when
// there is none any more. The plan was checked.
func (p Plan) At(t time.Time) (o Occurrence, ok bool) {
	if p.None() {
		return o, false
	}
	rule, err := p.rule()
	if err != nil {
		return o, false
	}
	lasts := p.Ends.Sub(p.Starts)
	// Of those that end after t the first.
	start := rule.After(t.Add(-lasts), false)
	if start.IsZero() {
		return o, false
	}
	return Occurrence{start, start.Add(lasts)}, true
}

// Holds reports whether t is within o, which may be entered early before it starts.
func (o Occurrence) Holds(t time.Time, early time.Duration) bool {
	return !t.Before(o.Starts.Add(-early)) && t.Before(o.Ends)
}

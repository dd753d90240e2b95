package record

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/store"
)

// Period is what a report counts by.
type Period string

// Periods.
const (
	Month   Period = "month"
	Quarter Period = "quarter"
)

// Usage is what one agency used in one period.
type Usage struct {
	Period   string // 2026-01, 2026-Q1
	Agency   string // "" = no agency's
	Calls    int
	Answered int
	Failed   int // ended by a failure of ours or of the network
	Meetings int // different ones
	Duration time.Duration
	Longest  time.Duration
	SIP      int
	H323     int
}

// Report counts usage by period and agency, in the order of both. Periods begin
// at midnight in the zone; a call counts where it began.
func Report(ctx context.Context, db *store.DB, q Query, by Period, zone *time.Location) ([]Usage, error) {
	q.Cursor = ""
	where, args, err := q.where()
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, `SELECT agency, meeting, protocol, started, answered, ended, updated, cause FROM records`+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	sums := map[[2]string]*counted{}
	for rows.Next() {
		var r Record
		var protocol, cause string
		var started, answered, ended, updated int64
		if err := rows.Scan(&r.Agency, &r.Meeting, &protocol, &started, &answered, &ended, &updated, &cause); err != nil {
			return nil, err
		}
		r.Protocol, r.Cause = call.Protocol(protocol), call.CauseCode(cause)
		r.Started, r.Answered, r.Ended, r.Updated = store.Time(started), store.Time(answered), store.Time(ended), store.Time(updated)
		key := [2]string{periodOf(r.Started.In(zone), by), r.Agency}
		if sums[key] == nil {
			sums[key] = &counted{Usage: Usage{Period: key[0], Agency: key[1]}, meetings: map[string]bool{}}
		}
		sums[key].count(&r)
	}
	out := make([]Usage, 0, len(sums))
	for _, c := range sums {
		c.Meetings = len(c.meetings)
		out = append(out, c.Usage)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		return a.Period < b.Period || a.Period == b.Period && a.Agency < b.Agency
	})
	return out, rows.Err()
}

type counted struct {
	Usage
	meetings map[string]bool
}

func (c *counted) count(r *Record) {
	c.Calls++
	if !r.Answered.IsZero() {
		c.Answered++
	}
	switch r.Cause {
	case call.Failure, call.Timeout, call.MediaTimeout, call.Congestion, call.IncompatibleMedia:
		c.Failed++
	}
	if r.Meeting != "" {
		c.meetings[r.Meeting] = true
	}
	d := r.Duration()
	c.Duration += d
	c.Longest = max(c.Longest, d)
	if r.Protocol == call.H323 {
		c.H323++
	} else {
		c.SIP++
	}
}

func periodOf(at time.Time, by Period) string {
	if by == Quarter {
		return fmt.Sprintf("%04d-Q%d", at.Year(), (int(at.Month())+2)/3)
	}
	return at.Format("2006-01")
}

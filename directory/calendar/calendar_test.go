package calendar_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/calendar"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestAt(t *testing.T) {
	once := calendar.Plan{Starts: at("2026-03-02T08:00:00+07:00"), Ends: at("2026-03-02T09:30:00+07:00")}
	weekly := once
	weekly.Repeats = "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3"
	for _, tc := range []struct {
		name, at, starts string
		plan             calendar.Plan
	}{
		{"before", "2026-03-01T00:00:00Z", "2026-03-02T08:00:00+07:00", once},
		{"as it starts", "2026-03-02T08:00:00+07:00", "2026-03-02T08:00:00+07:00", once},
		{"just before the end", "2026-03-02T09:29:59+07:00", "2026-03-02T08:00:00+07:00", once},
		{"as it ends", "2026-03-02T09:30:00+07:00", "", once},
		{"the next", "2026-03-02T09:30:00+07:00", "2026-03-05T08:00:00+07:00", weekly},
		{"the last", "2026-03-08T00:00:00+07:00", "2026-03-09T08:00:00+07:00", weekly},
		{"none any more", "2026-03-09T09:30:00+07:00", "", weekly},
		{"never", "2026-03-09T09:30:00+07:00", "", calendar.Plan{}},
	} {
		require.NoError(t, tc.plan.Check(), tc.name)
		o, ok := tc.plan.At(at(tc.at))
		require.Equal(t, tc.starts != "", ok, tc.name)
		if ok {
			assert.True(t, o.Starts.Equal(at(tc.starts)), "%s: %s", tc.name, o.Starts)
			assert.Equal(t, 90*time.Minute, o.Ends.Sub(o.Starts), tc.name)
		}
	}
}

// Where clocks are set to summer time, a meeting at nine is held at nine.
func TestClockOfTheZone(t *testing.T) {
	p := calendar.Plan{Starts: at("2026-03-27T09:00:00+01:00"), Ends: at("2026-03-27T10:00:00+01:00"), Repeats: "FREQ=DAILY", Zone: "Europe/Paris"}
	require.NoError(t, p.Check())
	o, ok := p.At(at("2026-03-29T06:00:00Z"))
	require.True(t, ok)
	assert.True(t, o.Starts.Equal(at("2026-03-29T09:00:00+02:00")), "%s", o.Starts)
}

func TestHolds(t *testing.T) {
	o := calendar.Occurrence{Starts: at("2026-03-02T08:00:00Z"), Ends: at("2026-03-02T09:00:00Z")}
	for text, want := range map[string]bool{
		"2026-03-02T07:49:59Z": false, "2026-03-02T07:50:00Z": true, "2026-03-02T08:59:59Z": true, "2026-03-02T09:00:00Z": false,
	} {
		assert.Equal(t, want, o.Holds(at(text), 10*time.Minute), text)
	}
}

func TestCheck(t *testing.T) {
	starts, ends := at("2026-03-02T08:00:00Z"), at("2026-03-02T09:00:00Z")
	for name, tc := range map[string]struct {
		plan calendar.Plan
		want error
	}{
		"nothing":             {calendar.Plan{}, nil},
		"an end alone":        {calendar.Plan{Ends: ends}, calendar.ErrTimes},
		"a rule alone":        {calendar.Plan{Repeats: "FREQ=DAILY"}, calendar.ErrRepeats},
		"no end":              {calendar.Plan{Starts: starts}, calendar.ErrTimes},
		"the end first":       {calendar.Plan{Starts: ends, Ends: starts}, calendar.ErrTimes},
		"eight days":          {calendar.Plan{Starts: starts, Ends: starts.AddDate(0, 0, 8)}, calendar.ErrTimes},
		"no such zone":        {calendar.Plan{Starts: starts, Ends: ends, Zone: "Asia/Sai_Gon"}, calendar.ErrZone},
		"that of the machine": {calendar.Plan{Starts: starts, Ends: ends, Zone: "Local"}, calendar.ErrZone},
		"no rule":             {calendar.Plan{Starts: starts, Ends: ends, Repeats: "weekly"}, calendar.ErrRepeats},
		"hourly":              {calendar.Plan{Starts: starts, Ends: ends, Repeats: "FREQ=HOURLY"}, calendar.ErrRepeats},
		"twice a day":         {calendar.Plan{Starts: starts, Ends: ends, Repeats: "FREQ=DAILY;BYHOUR=8,9"}, calendar.ErrRepeats},
		"a second property":   {calendar.Plan{Starts: starts, Ends: ends, Repeats: "FREQ=DAILY\nDTSTART:20260101T000000Z"}, calendar.ErrRepeats},
		"until the past":      {calendar.Plan{Starts: starts, Ends: ends, Repeats: "FREQ=DAILY;UNTIL=20200101T000000Z"}, calendar.ErrRepeats},
		"overlapping":         {calendar.Plan{Starts: starts, Ends: starts.Add(25 * time.Hour), Repeats: "FREQ=DAILY"}, calendar.ErrOverlap},
		"the third Monday":    {calendar.Plan{Starts: starts, Ends: ends, Repeats: "FREQ=MONTHLY;BYDAY=3MO"}, nil},
		"never at all":        {calendar.Plan{Starts: starts, Ends: ends, Repeats: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, calendar.ErrRepeats},
	} {
		if tc.want == nil {
			assert.NoError(t, tc.plan.Check(), name)
			continue
		}
		assert.ErrorIs(t, tc.plan.Check(), tc.want, name)
	}
}

func FuzzRepeats(f *testing.F) {
	for _, s := range []string{"FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=0", "FREQ=YEARLY;INTERVAL=99999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, repeats string) {
		p := calendar.Plan{Starts: at("2026-03-02T08:00:00Z"), Ends: at("2026-03-02T09:00:00Z"), Repeats: repeats}
		if p.Check() != nil {
			return
		}
		p.At(at("2027-01-01T00:00:00Z"))
	})
}

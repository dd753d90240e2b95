package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/directory/calendar"
	"github.com/roomgate/roomgate/gateway"
)

func TestInvitation(t *testing.T) {
	f := &fake{meetings: []gateway.Meeting{
		{MeetingSpec: gateway.MeetingSpec{Alias: "88001", Name: "Giao ban; tuần, tháng", GuestPIN: "1234"}},
		{MeetingSpec: gateway.MeetingSpec{Alias: "demo"}},
	}}
	a := newAPI(t, f, func(c *api.Config) {
		c.DialIn = func() api.DialIn {
			return api.DialIn{SIP: "hop.example.vn", H323: "192.0.2.7", Phones: []string{"+84 24 7100 0000"}}
		}
	})
	get := func(status int, query string) *ics.VEvent {
		t.Helper()
		w := ask(a, "GET", "/api/v1/meetings/"+query, "", withKey)
		require.Equal(t, status, w.Code, w.Body)
		if status != http.StatusOK {
			return nil
		}
		assert.Equal(t, "text/calendar; charset=utf-8; method=PUBLISH", w.Header().Get("Content-Type"))
		for _, line := range strings.Split(w.Body.String(), "\r\n") { // RFC 5545 §3.1
			assert.LessOrEqual(t, len(line), 75, line)
		}
		cal, err := ics.ParseCalendar(w.Body)
		require.NoError(t, err)
		require.Len(t, cal.Events(), 1)
		return cal.Events()[0]
	}
	value := func(e *ics.VEvent, p ics.ComponentProperty) string { return e.GetProperty(p).Value }

	e := get(200, "88001/invitation.ics?starts=2026-12-01T09:00:00%2B07:00&minutes=90")
	starts, err := e.GetStartAt()
	require.NoError(t, err)
	assert.True(t, starts.Equal(time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC)))
	ends, err := e.GetEndAt()
	require.NoError(t, err)
	assert.Equal(t, 90*time.Minute, ends.Sub(starts))
	assert.Equal(t, "Giao ban; tuần, tháng", ics.FromText(value(e, ics.ComponentPropertySummary)))
	page := value(e, ics.ComponentPropertyUrl)
	assert.True(t, strings.HasSuffix(page, "/m/88001"), page)
	lines := strings.Split(ics.FromText(value(e, ics.ComponentPropertyDescription)), "\n")
	assert.Equal(t, []string{
		"Trình duyệt: " + page, "Thiết bị SIP: 88001@hop.example.vn", "Thiết bị H.323: 88001@192.0.2.7, 192.0.2.7##88001",
		"Điện thoại: +84 24 7100 0000", "Khi được hỏi, bấm số cuộc họp 88001 rồi bấm #.", "Cần mã PIN; xin hỏi người tổ chức.",
	}, lines)
	assert.NotContains(t, strings.Join(lines, ""), "1234")
	again := get(200, "88001/invitation.ics?starts=2026-12-01T02:00:00Z&language=en")
	assert.Equal(t, e.Id(), again.Id(), "the same event")
	assert.Contains(t, value(again, ics.ComponentPropertyDescription), "When asked")

	named := get(200, "demo/invitation.ics?starts=2026-12-01T02:00:00Z&language=en")
	assert.Equal(t, "demo", value(named, ics.ComponentPropertySummary))
	assert.NotContains(t, value(named, ics.ComponentPropertyDescription), "When asked", "letters cannot be keyed in")
	eight := time.Date(2026, 3, 2, 6, 0, 0, 0, time.FixedZone("", 7*3600))
	f.meetings = append(f.meetings, gateway.Meeting{MeetingSpec: gateway.MeetingSpec{
		Alias: "weekly", Plan: calendar.Plan{Starts: eight, Ends: eight.Add(time.Hour), Repeats: "FREQ=WEEKLY;BYDAY=MO"},
	}}, gateway.Meeting{MeetingSpec: gateway.MeetingSpec{
		Alias: "paris", Plan: calendar.Plan{Starts: eight, Ends: eight.Add(time.Hour), Zone: "Europe/Paris"},
	}})
	weekly := get(200, "weekly/invitation.ics") // Sunday by the clock of UTC
	start := weekly.GetProperty(ics.ComponentPropertyDtStart)
	assert.Equal(t, "20260302T060000", start.Value)
	assert.Equal(t, []string{"Asia/Ho_Chi_Minh"}, start.ICalParameters["TZID"])
	assert.Equal(t, "20260302T070000", value(weekly, ics.ComponentPropertyDtEnd))
	assert.Equal(t, "FREQ=WEEKLY;BYDAY=MO", value(weekly, ics.ComponentPropertyRrule))
	text := ask(a, "GET", "/api/v1/meetings/weekly/invitation.ics", "", withKey).Body.String()
	assert.Contains(t, text, "BEGIN:VTIMEZONE\r\nTZID:Asia/Ho_Chi_Minh\r\nBEGIN:STANDARD\r\nDTSTART:19750613T000000\r\nTZOFFSETFROM:+0800\r\nTZOFFSETTO:+0700\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")
	text = ask(a, "GET", "/api/v1/meetings/paris/invitation.ics", "", withKey).Body.String()
	assert.Contains(t, text, "DTSTART:20260329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n", "summer time")
	get(404, "none/invitation.ics?starts=2026-12-01T02:00:00Z")
	get(422, "demo/invitation.ics")
	get(422, "demo/invitation.ics?starts=tomorrow")
	get(422, "demo/invitation.ics?starts=2026-12-01T02:00:00Z&minutes=0")
}

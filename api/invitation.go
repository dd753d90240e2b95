package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory/calendar"
	"github.com/roomgate/roomgate/gateway"
)

// DialIn is how meetings are reached, as invitations tell it.
type DialIn struct {
	// SIP and H323 are the hosts, with a port unless it is the usual one; "" = none.
	SIP, H323 string
	// Phones are numbers that lead to the lobby.
	Phones []string
}

// InvitationQuery says when a meeting is held.
type InvitationQuery struct {
	Alias    string    `path:"alias" minLength:"1" maxLength:"64"`
	Starts   time.Time `query:"starts" doc:"RFC 3339. Default: the schedule of the meeting, all of it."`
	Minutes  int       `query:"minutes" default:"60" minimum:"1" maximum:"10080" doc:"With starts."`
	Language string    `query:"language" default:"vi" enum:"vi,en"`
}

type invitationOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (a *API) invitation() {
	get := operation("get-invitation", http.MethodGet, "/meetings/{alias}/invitation.ics", "An invitation for calendars (RFC 5545)", "Meetings", http.StatusNotFound, http.StatusUnprocessableEntity)
	get.Responses = map[string]*huma.Response{"200": {
		Description: "A VCALENDAR with one event; its description says how to join from a browser, a room terminal and a phone.",
		Content:     map[string]*huma.MediaType{"text/calendar": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	huma.Register(a.huma, get, func(ctx context.Context, in *InvitationQuery) (*invitationOutput, error) {
		m, err := a.Gateway.Meeting(in.Alias)
		if err != nil {
			return nil, a.problem(err)
		}
		if in.Starts.IsZero() && m.Plan.None() {
			return nil, document(http.StatusUnprocessableEntity, "", "starts is needed: the meeting has no schedule")
		}
		page := clientOf(ctx).origin
		page.Path = "/m/" + m.Alias
		text := a.calendar(m, *in, page.String(), page.Hostname())
		return &invitationOutput{"text/calendar; charset=utf-8; method=PUBLISH", `attachment; filename="invitation.ics"`, []byte(text)}, nil
	})
}

// calendar is the text of an invitation. The same meeting at the same time has the
// same UID, so that calendars take a second invitation for the first (RFC 5545
// §3.8.4.7).
func (a *API) calendar(m gateway.Meeting, in InvitationQuery, page, host string) string {
	starts := in.Starts.UTC()
	if starts.IsZero() {
		starts = m.Plan.Starts.UTC()
	}
	cal := ics.NewCalendar()
	cal.SetMethod(ics.MethodPublish)
	cal.SetProductId("-//roomgate//roomgate//" + strings.ToUpper(in.Language))
	e := cal.AddEvent(fmt.Sprintf("%s-%s@%s", m.Alias, starts.Format("20060102T150405Z"), host))
	e.SetDtStampTime(a.Now().UTC())
	if in.Starts.IsZero() {
		writePlan(cal, e, m.Plan)
	} else {
		e.SetStartAt(starts)
		e.SetEndAt(starts.Add(time.Duration(in.Minutes) * time.Minute))
	}
	e.SetSummary(cmp.Or(m.Name, m.Alias))
	e.SetLocation(page)
	e.SetURL(page)
	e.SetDescription(strings.Join(a.dialLines(m, in.Language, page), "\n"))
	return cal.Serialize(ics.WithNewLineWindows)
}

// Forms of RFC 5545 §3.3.5 and §3.3.14.
const (
	localForm  = "20060102T150405"
	offsetForm = "-0700"
)

// zoneYears is for how long an invitation tells when clocks are changed.
const zoneYears = 5

// writePlan writes a schedule by the clock of its zone, since a rule by that of UTC would
// name other days.
func writePlan(cal *ics.Calendar, e *ics.VEvent, p calendar.Plan) {
	name := cmp.Or(p.Zone, calendar.DefaultZone)
	zone, err := time.LoadLocation(name)
	if err != nil { // the plan was checked
		zone, name = time.UTC, "UTC"
	}
	e.SetProperty(ics.ComponentPropertyDtStart, p.Starts.In(zone).Format(localForm), ics.WithTZID(name))
	e.SetProperty(ics.ComponentPropertyDtEnd, p.Ends.In(zone).Format(localForm), ics.WithTZID(name))
	if p.Repeats != "" {
		e.AddRrule(p.Repeats)
	}
	// VTIMEZONE (§3.6.5): what holds at the start, and the changes of the years after it.
	about := cal.AddTimezone(name)
	for at := p.Starts.In(zone); at.Year() <= p.Starts.Year()+zoneYears; {
		begin, end := at.ZoneBounds()
		if begin.IsZero() { // it has always been so
			begin = time.Date(1970, 1, 1, 0, 0, 0, 0, zone)
		}
		from := begin.Add(-time.Second).In(zone)
		_, was := from.Zone()
		part := about.AddStandard()
		part.SetProperty(ics.ComponentPropertyDtStart, begin.UTC().Add(time.Duration(was)*time.Second).Format(localForm))
		part.SetProperty("TZOFFSETFROM", from.Format(offsetForm))
		part.SetProperty("TZOFFSETTO", at.Format(offsetForm))
		if end.IsZero() {
			return
		}
		at = end.In(zone)
	}
}

// invitationWords are what invitations say, by language.
var invitationWords = map[string]struct{ browser, sip, h323, phone, keys, pin string }{
	"vi": {
		browser: "Trình duyệt: %s", sip: "Thiết bị SIP: %s", h323: "Thiết bị H.323: %s", phone: "Điện thoại: %s",
		keys: "Khi được hỏi, bấm số cuộc họp %s rồi bấm #.", pin: "Cần mã PIN; xin hỏi người tổ chức.",
	},
	"en": {
		browser: "Browser: %s", sip: "SIP terminals: %s", h323: "H.323 terminals: %s", phone: "Telephone: %s",
		keys: "When asked, key in the meeting's number %s, then #.", pin: "A PIN is needed; ask who invites you.",
	},
}

// dialLines say how to join. Terminals without a way to write an alias and a host
// dial host##alias, as room systems take it.
func (a *API) dialLines(m gateway.Meeting, language, page string) []string {
	words := invitationWords[language]
	lines := []string{fmt.Sprintf(words.browser, page)}
	var in DialIn
	if a.DialIn != nil {
		in = a.DialIn()
	}
	if in.SIP != "" {
		lines = append(lines, fmt.Sprintf(words.sip, m.Alias+"@"+in.SIP))
	}
	if in.H323 != "" {
		lines = append(lines, fmt.Sprintf(words.h323, m.Alias+"@"+in.H323+", "+in.H323+"##"+m.Alias))
	}
	if len(in.Phones) > 0 {
		lines = append(lines, fmt.Sprintf(words.phone, strings.Join(in.Phones, ", ")))
		if canBeKeyed(m.Alias) {
			lines = append(lines, fmt.Sprintf(words.keys, m.Alias))
		}
	}
	if m.GuestPIN != "" {
		lines = append(lines, words.pin)
	}
	return lines
}

// canBeKeyed reports whether an alias can be keyed in.
func canBeKeyed(alias string) bool { return strings.Trim(alias, "0123456789") == "" }

package route

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/roomgate/roomgate/directory"
)

// Rule is a rule of the dial plan.
type Rule = directory.Rule

// compiled is a rule ready for use.
type compiled struct {
	Rule
	expr   *regexp.Regexp
	caller *regexp.Regexp // nil: anybody
	exact  bool           // Caller has no wildcards: it is compared before the pattern
	times  []window
}

// window is a time of the week.
type window struct {
	days     [7]bool
	from, to int // minutes of the day; to may be before from, past midnight
	zone     *time.Location
}

// defaultZone is the zone of windows that name none.
const defaultZone = "Asia/Ho_Chi_Minh"

func compile(r Rule) (*compiled, error) {
	c := &compiled{Rule: r}
	var err error
	if c.expr, err = regexp.Compile(`^(?:` + r.Expression() + `)$`); err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	if r.Caller != "" {
		if c.caller, err = regexp.Compile(`^(?:` + r.Caller + `)$`); err != nil {
			return nil, fmt.Errorf("caller: %w", err)
		}
		_, c.exact = regexp.MustCompile(r.Caller).LiteralPrefix()
	}
	set := 0
	for _, on := range []bool{r.Meeting != "", r.Endpoint != "", r.ViaTrunk != "", r.Lobby, r.Gatekeeper != "", r.Proxy != "", r.Reject != ""} {
		if on {
			set++
		}
	}
	if set > 1 || set == 0 && r.Rewrite == "" {
		return nil, fmt.Errorf("exactly one of meeting, endpoint, via_trunk, lobby, gatekeeper, proxy, reject is needed, or rewrite alone")
	}
	for _, w := range r.Times {
		compiled, err := compileWindow(w)
		if err != nil {
			return nil, fmt.Errorf("times: %w", err)
		}
		c.times = append(c.times, compiled)
	}
	return c, nil
}

func compileWindow(w directory.Window) (out window, err error) {
	zone := w.Zone
	if zone == "" {
		zone = defaultZone
	}
	if out.zone, err = time.LoadLocation(zone); err != nil {
		return out, err
	}
	for text, minutes := range map[string]*int{w.From: &out.from, w.To: &out.to} {
		at, err := time.Parse("15:04", text)
		if err != nil {
			return out, err
		}
		*minutes = at.Hour()*60 + at.Minute()
	}
	if w.From == w.To { // the whole day
		out.from, out.to = 0, 24*60
	}
	for day := range out.days {
		out.days[day] = len(w.Days) == 0 || slices.Contains(w.Days, time.Weekday(day))
	}
	return out, nil
}

// holds reports whether a moment lies in the window. One past midnight belongs to
// the day on which it begins.
func (w *window) holds(now time.Time) bool {
	at := now.In(w.zone)
	minute, day := at.Hour()*60+at.Minute(), at.Weekday()
	if w.from <= w.to {
		return w.days[day] && w.from <= minute && minute < w.to
	}
	return w.days[day] && minute >= w.from || w.days[(day+6)%7] && minute < w.to
}

// condition is what of a rule does not hold.
type condition uint8

const (
	holds condition = iota
	disabled
	onTrunk
	onProtocol
	onSource
	onCaller
	onTime
	onNumber
	onPattern
)

// matches gives the groups of the pattern in what was compared, or the first
// condition that does not hold; the cheap ones come first.
func (c *compiled) matches(q *query) (groups []int, text string, no condition) {
	switch from := q.info.Remote.Trunk; {
	case c.Disabled:
		return nil, "", disabled
	case c.Trunk == "*" && from == "", c.Trunk != "" && c.Trunk != "*" && c.Trunk != from:
		return nil, "", onTrunk
	case c.Protocol != "" && c.Protocol != q.info.Protocol:
		return nil, "", onProtocol
	case len(c.Sources) > 0 && !within(c.Sources, q.info.Remote.Address.Addr()):
		return nil, "", onSource
	case c.exact && c.Caller != q.info.Remote.Alias:
		return nil, "", onCaller
	}
	text = q.dialled
	if c.Number {
		if text = q.international(); text == "" {
			return nil, "", onNumber
		}
	}
	if groups = c.expr.FindStringSubmatchIndex(text); groups == nil {
		return nil, "", onPattern
	}
	if c.caller != nil && !c.exact && !c.caller.MatchString(q.info.Remote.Alias) {
		return nil, "", onCaller
	}
	if len(c.times) > 0 && !slices.ContainsFunc(c.times, func(w window) bool { return w.holds(q.now) }) {
		return nil, "", onTime
	}
	return groups, text, holds
}

func within(list []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// why tells an operator why a rule does not match.
func (c *compiled) why(q *query, no condition) string {
	switch no {
	case disabled:
		return "is switched off"
	case onTrunk:
		if q.info.Remote.Trunk == "" {
			return "wants a call from the trunk " + c.Trunk + ", this one comes from none"
		}
		return fmt.Sprintf("wants a call from the trunk %s, this one comes from %s", c.Trunk, q.info.Remote.Trunk)
	case onProtocol:
		return fmt.Sprintf("wants %s, the call is %s", c.Protocol, q.info.Protocol)
	case onSource:
		return fmt.Sprintf("wants a call from %v, this one comes from %s", c.Sources, q.info.Remote.Address.Addr())
	case onCaller:
		return fmt.Sprintf("wants a caller like %s, this one is %q", c.Caller, q.info.Remote.Alias)
	case onTime:
		return "does not hold at this time, " + q.now.In(c.times[0].zone).Format("Monday 15:04 MST")
	case onNumber:
		return fmt.Sprintf("wants a telephone number, %q is none", q.dialled)
	case onPattern:
		compared := q.dialled
		if c.Number {
			compared = q.international()
		}
		if c.Prefix != "" {
			return fmt.Sprintf("%q does not begin with %s", compared, c.Prefix)
		}
		return fmt.Sprintf("%q does not match %s", compared, c.Expression())
	}
	return "matches"
}

// decide makes a decision of a rule that matches.
func (c *compiled) decide(groups []int, text string) Decision {
	expand := func(template string) string { return string(c.expr.ExpandString(nil, template, text, groups)) }
	number := text
	if c.Rewrite != "" {
		number = expand(c.Rewrite)
	}
	d := Decision{Reject: c.Reject, Lobby: c.Lobby, Language: c.Language, RuleID: c.ID}
	switch {
	case c.Meeting != "":
		d.Meeting = expand(c.Meeting)
	case c.Endpoint != "":
		d.Endpoint = expand(c.Endpoint)
	case c.ViaTrunk != "":
		d.Trunk, d.Number = c.ViaTrunk, number
	case c.Gatekeeper != "":
		d.Endpoint = "h323:" + number + "@" + c.Gatekeeper
	case c.Proxy != "":
		_, host, _ := cutURI(c.Proxy)
		d.Endpoint, d.Via = "sip:"+number+"@"+host, c.Proxy
	}
	return d
}

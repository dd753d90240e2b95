// Package route decides where a call goes: into a meeting, to a terminal, over a
// trunk, into the lobby, to somebody else's gatekeeper or proxy, or nowhere. It
// is pure: it looks at a snapshot of what exists.
//
// # The order
//
// The first rule of the dial plan that matches decides. Without one, what was
// dialled is taken apart and looked for:
//
//	88001               a meeting, then a terminal, then a meeting on demand
//	88001*1234          the meeting 88001 with the PIN 1234; also 88001#1234
//	10.1.2.3##88001     as some terminals dial through an address
//	024 3823 1234       the terminal whose number is +842438231234
package route

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/number"
)

// World answers what exists at the moment of the decision.
type World interface {
	// MeetingExists reports a meeting that was created.
	MeetingExists(alias string) bool
	// MayCreateMeeting reports whether dialling in may make a meeting.
	MayCreateMeeting(alias string) bool
	// TerminalExists reports whether a terminal of ours has the alias, be it
	// reachable at the moment or not.
	TerminalExists(alias string) bool
	// Permitted reports whether the caller may call something of a kind.
	Permitted(info call.Info, what directory.Permission) bool
	// Stranger reports a caller of whom nothing is proved.
	Stranger(info call.Info) bool
}

// Options of a Table. Zero values take the defaults.
type Options struct {
	Country string // of numbers without a country code; number.Home
	Now     func() time.Time
}

// Table is an ordered list of compiled rules; the first that matches decides.
// The nil Table has no rules.
type Table struct {
	rules []*compiled
	index *index
	Options
	// Lobby says who is asked where to go; the zero value: nobody but by rules.
	Lobby Lobby
}

// Lobby says which calls lead to the lobby besides those of rules.
type Lobby struct {
	Aliases []string // that are dialled
	// Trunks are those whose calls to an unknown alias lead there.
	Trunks []string
}

// Compile checks the rules and makes them a Table. An error names the rule by
// its position, counted from 1.
func Compile(rules []Rule, o Options) (*Table, error) {
	o.defaults()
	t := &Table{Options: o}
	for i, r := range rules {
		c, err := compile(r)
		if err != nil {
			return nil, fmt.Errorf("dial rule %d: %w", i+1, err)
		}
		t.rules = append(t.rules, c)
	}
	t.index = newIndex(t.rules)
	return t, nil
}

func (o *Options) defaults() {
	if o.Country == "" {
		o.Country = number.Home
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// empty stands in for a nil Table.
var empty, _ = Compile(nil, Options{})

// Decision is where a call goes. Exactly one of Meeting, Endpoint, Trunk, Lobby
// and Reject is set.
type Decision struct {
	Meeting  string
	PIN      string // dialled with the alias: meeting*pin or meeting#pin
	Create   bool   // the meeting may be made, should it not be there when the call comes to it
	Endpoint string // alias, sip: or h323: URI
	Via      string // outbound proxy for Endpoint, a sip: URI
	Trunk    string // name; Number is what to dial there
	Number   string
	Lobby    bool   // where the caller is asked for meeting and PIN
	Language string // spoken there; "" asks for it
	Reject   call.CauseCode
	// Layout is what the caller's screen shows in the meeting; "" as the directory and the
	// meeting say.
	Layout string
	// Rule is the position of the rule that matched, counted from 1; 0 = none.
	// RuleID is its ID when it is of the directory.
	Rule   int
	RuleID string
	// Why is a sentence for operators.
	Why string
	// named: the rule says who may call, by network or trunk.
	named bool
}

// query is one call on its way through the rules.
type query struct {
	info    call.Info
	dialled string
	country string
	now     time.Time
	number  string // in international form
	parsed  bool
}

// international is the number that was dialled, "" when it is none.
func (q *query) international() string {
	if !q.parsed {
		q.parsed = true
		if n, err := number.Parse(q.dialled, q.country); err == nil {
			q.number = n.E164
		}
	}
	return q.number
}

// redial replaces what was dialled.
func (q *query) redial(dialled string) {
	q.dialled, q.number, q.parsed = dialled, "", false
}

// Decide routes one call.
func (t *Table) Decide(info call.Info, w World) Decision {
	if t == nil {
		t = empty
	}
	q := t.query(info)
	var room [64]int
	for list := t.index.candidates(room[:0], q.dialled, 0); len(list) > 0; {
		at := list[0]
		list = list[1:]
		d, matched, goesOn := t.try(at, q)
		switch {
		case !matched:
		case goesOn: // with the rules that follow, under another name
			list = t.index.candidates(room[:0], q.dialled, at+1)
		default:
			return permit(t.finish(d, q, w), q, w)
		}
	}
	return permit(t.withoutRule(q, w), q, w)
}

// Check completes a decision that somebody else made: the meeting has to exist,
// and the caller has to be permitted to call what it names.
func (t *Table) Check(d Decision, info call.Info, w World) Decision {
	if t == nil {
		t = empty
	}
	q := t.query(info)
	d.named = true
	return permit(t.finish(d, q, w), q, w)
}

func (t *Table) query(info call.Info) *query {
	return &query{info: info, dialled: hostForm(info.Called), country: t.Country, now: t.Now()}
}

// try asks one rule; goesOn reports that it only replaced what was dialled.
func (t *Table) try(at int, q *query) (d Decision, matched, goesOn bool) {
	c := t.rules[at]
	groups, text, no := c.matches(q)
	if no != holds {
		return d, false, false
	}
	d = c.decide(groups, text)
	d.Rule, d.named = at+1, len(c.Sources) > 0 || c.Rule.Trunk != ""
	d.Why = c.title(at)
	if d.Meeting == "" && d.Endpoint == "" && d.Trunk == "" && !d.Lobby && d.Reject == "" {
		if c.Rewrite == "" { // a template without anything in it
			d.Reject = call.UnknownAlias
			return d, true, false
		}
		q.redial(string(c.expr.ExpandString(nil, c.Rewrite, text, groups)))
		return d, true, true
	}
	return d, true, false
}

// title names a rule for people.
func (c *compiled) title(at int) string {
	if c.Name != "" {
		return fmt.Sprintf("dial rule %d, %s", at+1, c.Name)
	}
	return fmt.Sprintf("dial rule %d (%s)", at+1, c.Expression())
}

// withoutRule looks for what was dialled.
func (t *Table) withoutRule(q *query, w World) Decision {
	alias := q.dialled
	if slices.Contains(t.Lobby.Aliases, alias) {
		return Decision{Lobby: true, Why: "this is the alias of the lobby"}
	}
	if alias == "" {
		return t.unknown(q, Decision{Why: "no alias was dialled"})
	}
	if !w.MeetingExists(alias) {
		if w.TerminalExists(alias) {
			return Decision{Endpoint: alias, Why: "a terminal has this alias"}
		}
		if n := q.international(); n != "" && n != alias && w.TerminalExists(n) {
			return Decision{Endpoint: n, Why: "a terminal has the number " + n}
		}
	}
	return t.finish(Decision{Meeting: alias}, q, w)
}

// finish checks that the meeting decided on exists or may be made.
func (t *Table) finish(d Decision, q *query, w World) Decision {
	if d.Meeting == "" {
		return d
	}
	if !w.MeetingExists(d.Meeting) {
		if alias, pin, ok := splitPIN(d.Meeting); ok && (w.MeetingExists(alias) || w.MayCreateMeeting(alias)) {
			d.Meeting, d.PIN = alias, pin
		}
	}
	d.Create = w.MayCreateMeeting(d.Meeting)
	switch {
	case w.MeetingExists(d.Meeting): // for now: the last of a meeting made on demand may be leaving
		if d.Why == "" {
			d.Why = "a meeting has this alias"
		}
	case d.Create:
		if d.Why == "" {
			d.Why = "meetings are made on demand"
		}
	default:
		return t.unknown(q, Decision{Rule: d.Rule, RuleID: d.RuleID, Language: d.Language, Why: "nothing has the alias " + q.info.Called})
	}
	return d
}

// unknown is where a call goes that leads nowhere.
func (t *Table) unknown(q *query, d Decision) Decision {
	if q.info.Remote.Trunk != "" && slices.Contains(t.Lobby.Trunks, q.info.Remote.Trunk) {
		d.Lobby = true
		d.Why += "; its trunk has the lobby"
	} else {
		d.Reject = call.UnknownAlias
	}
	return d
}

// permit refuses what the caller may not call. Over a trunk somebody pays: strangers
// call there only where a rule names them.
func permit(d Decision, q *query, w World) Decision {
	named := d.named
	d.named = false
	what := directory.MayMeet
	switch {
	case d.Reject != "" || d.Lobby:
		return d
	case d.Trunk != "":
		what = directory.MayTrunk
		if !named && w.Stranger(q.info) {
			return Decision{Reject: call.Rejected, Rule: d.Rule, RuleID: d.RuleID,
				Why: "who is not registered may call over a trunk only by a rule that names its network or trunk"}
		}
	case d.Endpoint != "":
		what = directory.MayCall
	}
	if !w.Permitted(q.info, what) {
		return Decision{Reject: call.Rejected, Rule: d.Rule, RuleID: d.RuleID, Why: fmt.Sprintf("the caller may not call %s", what)}
	}
	return d
}

// hostForm takes the address off HOST##ALIAS, and the # that ends dialling.
func hostForm(dialled string) string {
	if host, rest, ok := strings.Cut(dialled, "##"); ok && rest != "" && strings.ContainsAny(host, ".:") {
		dialled = rest
	}
	if trimmed := strings.TrimRight(dialled, "#"); trimmed != "" {
		return trimmed
	}
	return dialled
}

// splitPIN takes the dial form meeting*pin or meeting#pin apart.
func splitPIN(dialled string) (alias, pin string, ok bool) {
	i := strings.LastIndexAny(dialled, "*#")
	if i <= 0 || i == len(dialled)-1 {
		return "", "", false
	}
	return strings.TrimRight(dialled[:i], "*#"), dialled[i+1:], true
}

// cutURI gives the user and the host of a SIP URI, without parameters.
func cutURI(uri string) (user, host string, ok bool) {
	_, rest, ok := strings.Cut(uri, ":")
	rest, _, _ = strings.Cut(rest, ";")
	if before, after, has := strings.Cut(rest, "@"); has {
		return before, after, ok
	}
	return "", rest, ok
}

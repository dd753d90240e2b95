// Package route decides where a call goes: into a meeting, to another
// terminal, or nowhere. It is pure: it looks at a snapshot of what exists.
package route

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/call"
)

// Rule sends what matches Pattern somewhere. Exactly one of Meeting, Endpoint,
// Lobby and Reject is set; $1, ${name} in Meeting and Endpoint stand for groups of
// the pattern.
type Rule struct {
	// Pattern is a regular expression that must match the whole called alias.
	Pattern string
	// Trunk limits the rule to calls from one trunk, Protocol to one protocol.
	Trunk    string
	Protocol call.Protocol

	Meeting  string
	Endpoint string // alias, sip: or h323: URI
	Lobby    bool
	Reject   call.CauseCode
	// Language is spoken to callers in the lobby; "" asks them.
	Language string
}

// Table is an ordered list of compiled rules; the first that matches decides.
type Table struct {
	rules []compiled
	// Lobby says who is asked where to go; the zero value: nobody but by rules.
	Lobby Lobby
}

// Lobby says which calls lead to the lobby besides those of rules.
type Lobby struct {
	Aliases []string // that are dialled
	// Trunks are those whose calls to an unknown alias lead there.
	Trunks []string
}

type compiled struct {
	Rule
	expr *regexp.Regexp
}

// Compile checks the rules and makes them a Table. An error names the rule by
// its position, counted from 1.
func Compile(rules []Rule) (*Table, error) {
	t := &Table{rules: make([]compiled, 0, len(rules))}
	for i, r := range rules {
		expr, err := regexp.Compile(`^(?:` + r.Pattern + `)$`)
		if err != nil {
			return nil, fmt.Errorf("dial rule %d: pattern: %w", i+1, err)
		}
		set := 0
		for _, s := range []string{r.Meeting, r.Endpoint, string(r.Reject)} {
			if s != "" {
				set++
			}
		}
		if r.Lobby {
			set++
		}
		if set != 1 {
			return nil, fmt.Errorf("dial rule %d: exactly one of meeting, endpoint, lobby, reject is needed", i+1)
		}
		t.rules = append(t.rules, compiled{Rule: r, expr: expr})
	}
	return t, nil
}

// World answers what exists at the moment of the decision.
type World interface {
	// MeetingExists reports a meeting that was created.
	MeetingExists(alias string) bool
	// MayCreateMeeting reports whether dialling in may make a meeting.
	MayCreateMeeting(alias string) bool
	// TerminalExists reports whether a terminal of ours has the alias, be it
	// reachable at the moment or not.
	TerminalExists(alias string) bool
}

// Decision is where a call goes. Exactly one of Meeting, Endpoint, Lobby, Reject
// is set.
type Decision struct {
	Meeting  string
	PIN      string // dialled with the alias: meeting*pin or meeting#pin
	Create   bool   // the meeting is to be made
	Endpoint string
	Lobby    bool   // where the caller is asked
	Language string // spoken there; "" asks for it
	Reject   call.CauseCode
	// Rule is the position of the rule that matched, counted from 1; 0 = none.
	Rule int
	// Why is a sentence for operators.
	Why string
}

// Decide routes one call.
func (t *Table) Decide(info call.Info, w World) Decision {
	alias := info.Called
	if t != nil {
		for i := range t.rules {
			if d, ok := t.rules[i].decide(info); ok {
				d.Rule = i + 1
				d.Why = fmt.Sprintf("dial rule %d (%s)", i+1, t.rules[i].Pattern)
				return t.finish(d, info, w)
			}
		}
	}
	if t != nil && slices.Contains(t.Lobby.Aliases, alias) {
		return Decision{Lobby: true, Why: "this is the alias of the lobby"}
	}
	if alias == "" {
		return t.unknown(info, Decision{Why: "no alias was dialled"})
	}
	if w.TerminalExists(alias) && !w.MeetingExists(alias) {
		return Decision{Endpoint: alias, Why: "a terminal has this alias"}
	}
	return t.finish(Decision{Meeting: alias}, info, w)
}

func (r *compiled) decide(info call.Info) (Decision, bool) {
	if r.Trunk != "" && r.Trunk != info.Remote.Trunk {
		return Decision{}, false
	}
	if r.Protocol != "" && r.Protocol != info.Protocol {
		return Decision{}, false
	}
	m := r.expr.FindStringSubmatchIndex(info.Called)
	if m == nil {
		return Decision{}, false
	}
	expand := func(template string) string {
		return string(r.expr.ExpandString(nil, template, info.Called, m))
	}
	return Decision{Meeting: expand(r.Meeting), Endpoint: expand(r.Endpoint), Lobby: r.Lobby, Language: r.Language, Reject: r.Reject}, true
}

// finish checks that the meeting decided on exists or may be made.
func (t *Table) finish(d Decision, info call.Info, w World) Decision {
	if d.Meeting == "" {
		return d
	}
	if !w.MeetingExists(d.Meeting) {
		if alias, pin, ok := splitPIN(d.Meeting); ok && w.MeetingExists(alias) {
			d.Meeting, d.PIN = alias, pin
		}
	}
	switch {
	case w.MeetingExists(d.Meeting):
		if d.Why == "" {
			d.Why = "a meeting has this alias"
		}
	case w.MayCreateMeeting(d.Meeting):
		d.Create = true
		if d.Why == "" {
			d.Why = "meetings are made on demand"
		}
	default:
		return t.unknown(info, Decision{Rule: d.Rule, Language: d.Language, Why: "nothing has the alias " + info.Called})
	}
	return d
}

// unknown is where a call goes that leads nowhere.
func (t *Table) unknown(info call.Info, d Decision) Decision {
	if t != nil && info.Remote.Trunk != "" && slices.Contains(t.Lobby.Trunks, info.Remote.Trunk) {
		d.Lobby = true
		d.Why += "; its trunk has the lobby"
	} else {
		d.Reject = call.UnknownAlias
	}
	return d
}

// splitPIN takes the dial form meeting*pin or meeting#pin apart.
func splitPIN(dialled string) (alias, pin string, ok bool) {
	i := strings.LastIndexAny(dialled, "*#")
	if i <= 0 || i == len(dialled)-1 {
		return "", "", false
	}
	return dialled[:i], dialled[i+1:], true
}

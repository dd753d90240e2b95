package directory

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/store"
)

// Rule is one rule of the dial plan. All conditions that are set have to hold;
// exactly one of the destinations is set.
type Rule struct {
	Meta
	Name     string `json:"name,omitempty"`
	Position int    `json:"position"` // lower ones are tried first
	Disabled bool   `json:"disabled,omitempty"`
	// Pattern is a regular expression (RE2) for the whole dialled alias, Prefix its
	// beginning; one or neither is set.
	Pattern string `json:"pattern,omitempty"`
	Prefix  string `json:"prefix,omitempty"`
	// Number compares with the number in international form (+84..) instead.
	Number   bool           `json:"number,omitempty"`
	Sources  []netip.Prefix `json:"sources,omitempty"` // networks that the call comes from
	Caller   string         `json:"caller,omitempty"`  // regular expression for the caller's alias
	Trunk    string         `json:"trunk,omitempty"`   // that it comes from; "*" any
	Protocol call.Protocol  `json:"protocol,omitempty"`
	Times    []Window       `json:"times,omitempty"`

	// Destinations; $1, ${name} stand for groups of Pattern, $0 for what was
	// dialled; with Prefix, $1 is what follows it.
	Meeting    string         `json:"meeting,omitempty"`
	Endpoint   string         `json:"endpoint,omitempty"` // alias, sip: or h323: URI
	ViaTrunk   string         `json:"via_trunk,omitempty"`
	Lobby      bool           `json:"lobby,omitempty"`
	Language   string         `json:"language,omitempty"`   // spoken in the lobby: vi, en; "" asks
	Gatekeeper string         `json:"gatekeeper,omitempty"` // HOST[:PORT] of signalling
	Proxy      string         `json:"proxy,omitempty"`      // sip: URI
	Reject     call.CauseCode `json:"reject,omitempty"`
	// Rewrite replaces what was dialled: alone it goes on with the rules that
	// follow, with ViaTrunk, Gatekeeper or Proxy it is what is dialled there.
	Rewrite string `json:"rewrite,omitempty"`
}

// Window is a time of the week, in the zone.
type Window struct {
	Days []time.Weekday `json:"days,omitempty"` // none = every day
	From string         `json:"from"`           // HH:MM
	To   string         `json:"to"`             // HH:MM, before From: past midnight
	Zone string         `json:"zone,omitempty"` // "" = Asia/Ho_Chi_Minh
}

// Rejects are the causes that a rule may refuse with.
var Rejects = []call.CauseCode{call.Rejected, call.UnknownAlias, call.UserBusy, call.Unavailable}

func (r *Rule) kind() Kind          { return KindRule }
func (r *Rule) order() string       { return fmt.Sprintf("%012d", r.Position) }
func (r *Rule) names() []store.Name { return nil }
func (r *Rule) secrets() []secret   { return nil }
func (r *Rule) tidy()               { r.Name = strings.TrimSpace(r.Name) }

// Expression is what the dialled alias has to match, as one expression.
func (r *Rule) Expression() string {
	switch {
	case r.Prefix != "":
		return regexp.QuoteMeta(r.Prefix) + "(.*)"
	case r.Pattern != "":
		return r.Pattern
	}
	return ".*"
}

func (r *Rule) check() error {
	if r.Position < 0 || r.Position > 1_000_000_000 {
		return bad("position", "%d is not between 0 and 1000000000", r.Position)
	}
	if r.Pattern != "" && r.Prefix != "" {
		return bad("prefix", "pattern is given too; keep one of them")
	}
	if _, err := regexp.Compile(r.Pattern); err != nil {
		return bad("pattern", "%v", err)
	}
	if _, err := regexp.Compile(r.Caller); err != nil {
		return bad("caller", "%v", err)
	}
	if r.Protocol != "" && r.Protocol != call.SIP && r.Protocol != call.H323 {
		return bad("protocol", "%q is neither sip nor h323", r.Protocol)
	}
	for i, w := range r.Times {
		if err := w.check(indexed("times", i)); err != nil {
			return err
		}
	}
	return firstError(r.checkDestination(), text("name", r.Name, maxNameLen), text("pattern", r.Pattern, 1000), text("prefix", r.Prefix, 256))
}

func (r *Rule) checkDestination() error {
	set := 0
	for _, on := range []bool{r.Meeting != "", r.Endpoint != "", r.ViaTrunk != "", r.Lobby, r.Gatekeeper != "", r.Proxy != "", r.Reject != ""} {
		if on {
			set++
		}
	}
	switch {
	case set > 1:
		return bad("meeting", "more than one of meeting, endpoint, via_trunk, lobby, gatekeeper, proxy and reject is set")
	case set == 0 && r.Rewrite == "":
		return bad("meeting", "none of meeting, endpoint, via_trunk, lobby, gatekeeper, proxy, reject and rewrite is set")
	case r.Reject != "" && !slices.Contains(Rejects, r.Reject):
		return bad("reject", "%q is not a cause to refuse with", r.Reject)
	case r.Proxy != "" && !strings.HasPrefix(r.Proxy, "sip:") && !strings.HasPrefix(r.Proxy, "sips:"):
		return bad("proxy", "%q is no SIP URI", r.Proxy)
	case strings.ContainsAny(r.Gatekeeper, " /@"):
		return bad("gatekeeper", "%q is not HOST or HOST:PORT", r.Gatekeeper)
	case r.Rewrite != "" && (r.Meeting != "" || r.Endpoint != "" || r.Lobby || r.Reject != ""):
		return bad("rewrite", "goes alone, or with via_trunk, gatekeeper or proxy")
	}
	return nil
}

func (w Window) check(field string) error {
	for name, at := range map[string]string{"from": w.From, "to": w.To} {
		if _, err := time.Parse("15:04", at); err != nil {
			return bad(field+"."+name, "%q is not of the form HH:MM", at)
		}
	}
	for _, day := range w.Days {
		if day < time.Sunday || day > time.Saturday {
			return bad(field+".days", "%d is not a day of the week, 0 to 6", day)
		}
	}
	if _, err := time.LoadLocation(w.Zone); w.Zone != "" && err != nil {
		return bad(field+".zone", "%v", err)
	}
	return nil
}

// Rules lists all rules in the order in which they are tried.
func (d *Directory) Rules() []Rule { return all(d, d.rules) }

// Rule finds a rule by its ID.
func (d *Directory) Rule(id string) (Rule, error) { return one(d, d.rules, id) }

// SaveRule keeps a rule, new (without an ID) or changed.
func (d *Directory) SaveRule(ctx context.Context, r Rule) (Rule, error) {
	return first(save(ctx, d, d.rules, []Rule{r}))
}

// DeleteRule forgets a rule; rev is the revision it has to be in, 0 for any.
func (d *Directory) DeleteRule(ctx context.Context, id string, rev int64) error {
	return remove(ctx, d, d.rules, id, rev)
}

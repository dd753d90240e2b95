package api

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/route"
)

// Window is a time of the week.
type Window struct {
	Days []int  `json:"days,omitempty" maxItems:"7" nullable:"false" doc:"0 is Sunday; none: every day."`
	From string `json:"from" pattern:"^[0-2][0-9]:[0-5][0-9]$" example:"07:30"`
	To   string `json:"to" pattern:"^[0-2][0-9]:[0-5][0-9]$" example:"17:00" doc:"Before from: past midnight."`
	Zone string `json:"zone,omitempty" maxLength:"64" example:"Asia/Ho_Chi_Minh"`
}

// DialRuleRequest is the body that adds or changes a dial rule.
type DialRuleRequest struct {
	Name       string   `json:"name,omitempty" maxLength:"200"`
	Position   int      `json:"position" minimum:"0" maximum:"1000000000" doc:"Lower ones are tried first."`
	Disabled   bool     `json:"disabled,omitempty"`
	Pattern    string   `json:"pattern,omitempty" maxLength:"1000" example:"0(\\d{9,10})" doc:"Regular expression (RE2) for the whole of what was dialled."`
	Prefix     string   `json:"prefix,omitempty" maxLength:"256"`
	Number     bool     `json:"number,omitempty" doc:"Compare with the number in international form."`
	Sources    []string `json:"sources,omitempty" maxItems:"100" nullable:"false" doc:"Networks that the call comes from."`
	Caller     string   `json:"caller,omitempty" maxLength:"1000" doc:"Regular expression for the caller's alias."`
	Trunk      string   `json:"trunk,omitempty" maxLength:"100" doc:"That the call comes from; *: any."`
	Protocol   string   `json:"protocol,omitempty" enum:"sip,h323"`
	Times      []Window `json:"times,omitempty" maxItems:"50" nullable:"false"`
	Meeting    string   `json:"meeting,omitempty" maxLength:"256"`
	Endpoint   string   `json:"endpoint,omitempty" maxLength:"256"`
	ViaTrunk   string   `json:"via_trunk,omitempty" maxLength:"100"`
	Lobby      bool     `json:"lobby,omitempty"`
	Language   string   `json:"language,omitempty" maxLength:"16" doc:"Spoken in the lobby; empty: asked for."`
	Gatekeeper string   `json:"gatekeeper,omitempty" maxLength:"256" doc:"HOST or HOST:PORT."`
	Proxy      string   `json:"proxy,omitempty" maxLength:"256" doc:"A sip: URI."`
	Reject     string   `json:"reject,omitempty" enum:"rejected,unknown-alias,busy,unavailable"`
	Rewrite    string   `json:"rewrite,omitempty" maxLength:"256" doc:"What is dialled instead: over trunk, gatekeeper or proxy, or, alone, by the rules that follow."`
}

// DialRule is a rule of the dial plan.
type DialRule struct {
	ID string `json:"id"`
	DialRuleRequest
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (r DialRuleRequest) rule() (directory.Rule, error) {
	out := directory.Rule{
		Name: r.Name, Position: r.Position, Disabled: r.Disabled, Pattern: r.Pattern, Prefix: r.Prefix, Number: r.Number,
		Caller: r.Caller, Trunk: r.Trunk, Protocol: call.Protocol(r.Protocol), Meeting: r.Meeting, Endpoint: r.Endpoint, ViaTrunk: r.ViaTrunk,
		Lobby: r.Lobby, Language: r.Language, Gatekeeper: r.Gatekeeper, Proxy: r.Proxy, Reject: call.CauseCode(r.Reject), Rewrite: r.Rewrite,
	}
	var err error
	if out.Sources, err = networks("sources", r.Sources); err != nil {
		return out, err
	}
	for _, w := range r.Times {
		window := directory.Window{From: w.From, To: w.To, Zone: w.Zone}
		for _, d := range w.Days {
			window.Days = append(window.Days, time.Weekday(d))
		}
		out.Times = append(out.Times, window)
	}
	return out, nil
}

func ruleView(r directory.Rule) DialRule {
	v := DialRule{ID: r.ID, CreatedAt: r.Created, UpdatedAt: r.Updated, DialRuleRequest: DialRuleRequest{
		Name: r.Name, Position: r.Position, Disabled: r.Disabled, Pattern: r.Pattern, Prefix: r.Prefix, Number: r.Number,
		Caller: r.Caller, Trunk: r.Trunk, Protocol: string(r.Protocol), Meeting: r.Meeting, Endpoint: r.Endpoint, ViaTrunk: r.ViaTrunk,
		Lobby: r.Lobby, Language: r.Language, Gatekeeper: r.Gatekeeper, Proxy: r.Proxy, Reject: string(r.Reject), Rewrite: r.Rewrite,
		Sources: networkViews(r.Sources),
	}}
	for _, w := range r.Times {
		window := Window{From: w.From, To: w.To, Zone: w.Zone}
		for _, d := range w.Days {
			window.Days = append(window.Days, int(d))
		}
		v.Times = append(v.Times, window)
	}
	return v
}

// networks reads networks; an address alone stands for itself.
func networks(field string, list []string) (out []netip.Prefix, err error) {
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if a, errAddr := netip.ParseAddr(text); errAddr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, document(http.StatusUnprocessableEntity, "", field+": "+text+" is no network")
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func networkViews(list []netip.Prefix) (out []string) {
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

type ruleList struct {
	Body struct {
		Rules []DialRule `json:"dial_rules" nullable:"false"`
	}
}

func (a *API) dialPlan() {
	const tag = "Dial plan"
	register(a, resource[DialRuleRequest, DialRule, directory.Rule]{
		name: "dial-rule", path: "/dial-rules", tag: tag, noun: "a dial rule",
		get: a.Directory.Rule, save: a.Directory.SaveRule, delete: a.Directory.DeleteRule,
		meta: func(r *directory.Rule) *directory.Meta { return &r.Meta }, read: DialRuleRequest.rule, view: ruleView,
	})
	huma.Register(a.huma, operation("list-dial-rules", http.MethodGet, "/dial-rules", "List dial rules in the order in which they are tried", tag, http.StatusForbidden),
		func(context.Context, *struct{}) (*ruleList, error) {
			out := &ruleList{}
			out.Body.Rules = views(a.Directory.Rules(), ruleView)
			return out, nil
		})
	test := operation("test-dial-rules", http.MethodPost, "/dial-rules/test", "Tell where a call would go, and why", tag, http.StatusForbidden, http.StatusUnprocessableEntity)
	test.Metadata = map[string]any{onlyReads: true}
	test.Description = "Nobody is called. The rules of the configuration come first; a policy from outside is not asked."
	huma.Register(a.huma, test, a.testDialRules)
}

// RouteTest is a call that nobody makes.
type RouteTest struct {
	Called   string     `json:"called" maxLength:"256" example:"024 3823 1234"`
	Caller   string     `json:"caller,omitempty" maxLength:"256" doc:"Alias; with an endpoint of the directory its permissions hold."`
	Protocol string     `json:"protocol,omitempty" enum:"sip,h323"`
	Trunk    string     `json:"trunk,omitempty" maxLength:"100" doc:"That the call comes from."`
	Source   string     `json:"source,omitempty" format:"ip" example:"10.1.2.3"`
	At       *time.Time `json:"at,omitempty" doc:"Default: now."`
}

// RouteResult is where a call would go.
type RouteResult struct {
	Destination string      `json:"destination" enum:"meeting,endpoint,trunk,lobby,reject"`
	Meeting     string      `json:"meeting,omitempty"`
	Create      bool        `json:"create,omitempty" doc:"The meeting would be made."`
	HasPIN      bool        `json:"has_pin,omitempty" doc:"A PIN was dialled with the alias."`
	Endpoint    string      `json:"endpoint,omitempty"`
	Via         string      `json:"via,omitempty"`
	Trunk       string      `json:"trunk,omitempty"`
	Number      string      `json:"number,omitempty"`
	Language    string      `json:"language,omitempty"`
	Reject      string      `json:"reject,omitempty"`
	Rule        int         `json:"rule" doc:"Position of the rule that matched, counted from 1; 0: none."`
	RuleID      string      `json:"rule_id,omitempty" doc:"Empty for rules of the configuration."`
	Why         string      `json:"why"`
	Steps       []RouteStep `json:"steps" nullable:"false" doc:"What each rule said on the way."`
}

// RouteStep is what one rule said.
type RouteStep struct {
	Rule    int    `json:"rule"`
	RuleID  string `json:"rule_id,omitempty"`
	Name    string `json:"name,omitempty"`
	Matched bool   `json:"matched"`
	Why     string `json:"why"`
	Dialled string `json:"dialled,omitempty" doc:"What the rules that follow see."`
}

func (a *API) testDialRules(_ context.Context, in *struct{ Body RouteTest }) (*struct{ Body RouteResult }, error) {
	b := in.Body
	info := call.Info{Protocol: call.Protocol(b.Protocol), Direction: call.In, Called: b.Called}
	info.Remote = call.Remote{Alias: b.Caller, Trunk: b.Trunk, Registered: b.Caller != ""}
	if b.Source != "" {
		address, err := netip.ParseAddr(b.Source)
		if err != nil {
			return nil, document(http.StatusUnprocessableEntity, "", "source: "+b.Source+" is no address")
		}
		info.Remote.Address = netip.AddrPortFrom(address, 0)
	}
	at := a.Now()
	if b.At != nil {
		at = *b.At
	}
	d, steps := a.Gateway.Explain(info, at)
	return &struct{ Body RouteResult }{routeView(d, steps)}, nil
}

func routeView(d route.Decision, steps []route.Step) RouteResult {
	v := RouteResult{
		Meeting: d.Meeting, Create: d.Create, HasPIN: d.PIN != "", Endpoint: d.Endpoint, Via: d.Via, Trunk: d.Trunk, Number: d.Number,
		Language: d.Language, Reject: string(d.Reject), Rule: d.Rule, RuleID: d.RuleID, Why: d.Why,
		Steps: views(steps, func(s route.Step) RouteStep { return RouteStep(s) }),
	}
	switch {
	case d.Reject != "":
		v.Destination = "reject"
	case d.Lobby:
		v.Destination = "lobby"
	case d.Trunk != "":
		v.Destination = "trunk"
	case d.Endpoint != "":
		v.Destination = "endpoint"
	default:
		v.Destination = "meeting"
	}
	return v
}

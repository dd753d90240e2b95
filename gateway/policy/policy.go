// Package policy asks a program of the operator's where a call goes, before the
// dial plan is. The question is a POST with a JSON body, signed as package
// signature says; so is what the answer has to be:
//
//	{"action":"continue"}                                  the dial plan decides
//	{"action":"meeting","meeting":"88001","pin":"1234","layout":"speaker"}
//	{"action":"endpoint","endpoint":"room-a"}              or a sip: or h323: URI
//	{"action":"trunk","trunk":"vnpt","number":"+8424.."}
//	{"action":"lobby"}                                     with a layout for the meeting, too
//	{"action":"reject","reason":"busy","text":".."}        forbidden, not_found, busy, unavailable
//
// A program that does not answer in time, or answers nonsense, is left alone for
// a while, so that calls do not wait for it one after the other.
package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/signature"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/gateway/route"
)

// Config says whom to ask. URL and Secret are required.
type Config struct {
	URL     string
	Secret  string
	Timeout time.Duration // default 500 ms
	// Refuse refuses calls while nobody answers; otherwise the dial plan decides.
	Refuse bool
	Client *http.Client
	Now    func() time.Time
	Log    *zap.Logger
}

// How long a program that failed is left alone.
const (
	firstRest   = time.Second
	longestRest = 30 * time.Second
	answerSize  = 64 << 10
)

// Hook asks. Safe for concurrent use.
type Hook struct {
	Config

	mu    sync.Mutex
	rest  time.Duration // after the latest failure
	until time.Time     // nobody is asked before
}

// New makes a Hook.
func New(c Config) *Hook {
	if c.Timeout <= 0 {
		c.Timeout = 500 * time.Millisecond
	}
	if c.Client == nil {
		c.Client = &http.Client{Transport: http.DefaultTransport}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	client := *c.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Client = &client
	return &Hook{Config: c}
}

// question is the body of the request.
type question struct {
	Call      string `json:"call"`
	Protocol  string `json:"protocol"`
	Direction string `json:"direction"`
	Called    string `json:"called"`
	CalledURI string `json:"called_uri"`
	Caller    caller `json:"caller"`
}

type caller struct {
	Alias      string `json:"alias"`
	Name       string `json:"name"`
	URI        string `json:"uri"`
	Address    string `json:"address"`
	Product    string `json:"product"`
	Registered bool   `json:"registered"`
	Trunk      string `json:"trunk"`
}

// answer is the body of the answer.
type answer struct {
	Action   string `json:"action"`
	Meeting  string `json:"meeting"`
	PIN      string `json:"pin"`
	Endpoint string `json:"endpoint"`
	Trunk    string `json:"trunk"`
	Number   string `json:"number"`
	Reason   string `json:"reason"`
	Text     string `json:"text"`
	Layout   string `json:"layout"`
}

// reasons are the words of a refusal.
var reasons = map[string]call.CauseCode{
	"": call.Rejected, "forbidden": call.Rejected, "not_found": call.UnknownAlias, "busy": call.UserBusy, "unavailable": call.Unavailable,
}

// Decide implements gateway.Policy.
func (h *Hook) Decide(ctx context.Context, info call.Info) (route.Decision, bool) {
	if !h.due() {
		return h.without("it did not answer before")
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	a, err := h.ask(ctx, info)
	var d route.Decision
	goesOn := false
	if err == nil {
		d, goesOn, err = a.decision()
	}
	h.note(err)
	switch {
	case err != nil:
		return h.without(err.Error())
	case goesOn:
		return d, false
	}
	return d, true
}

// due reports whether the program may be asked again.
func (h *Hook) due() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.Now().Before(h.until)
}

// note remembers whether the program answered.
func (h *Hook) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.rest, h.until = 0, time.Time{}
		return
	}
	h.rest = min(max(2*h.rest, firstRest), longestRest)
	h.until = h.Now().Add(h.rest)
	h.Log.Warn("the policy does not answer", zap.Error(err), zap.Duration("left_alone_for", h.rest))
}

// without decides when the program does not.
func (h *Hook) without(why string) (route.Decision, bool) {
	if h.Refuse {
		return route.Decision{Reject: call.Unavailable, Why: "the policy is needed: " + why}, true
	}
	return route.Decision{}, false
}

func (h *Hook) ask(ctx context.Context, info call.Info) (a answer, err error) {
	q := question{
		Call: info.ID, Protocol: string(info.Protocol), Direction: string(info.Direction), Called: info.Called, CalledURI: info.CalledURI,
		Caller: caller{
			Alias: info.Remote.Alias, Name: info.Remote.Name, URI: info.Remote.URI, Product: info.Remote.Product,
			Registered: info.Remote.Registered, Trunk: info.Remote.Trunk,
		},
	}
	if info.Remote.Address.IsValid() {
		q.Caller.Address = info.Remote.Address.String()
	}
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/json")
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(req.Header)) // W3C Trace Context
	req.Header.Set(signature.Header, signature.Sign(h.Secret, h.Now(), body))
	resp, err := h.Client.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return a, fmt.Errorf("it answers %s", resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerSize))
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

var errAnswer = errors.New("the answer names nothing to do")

// decision reads an answer; goesOn leaves the call to the dial plan.
func (a answer) decision() (d route.Decision, goesOn bool, err error) {
	d.Why = "the policy says so"
	if a.Text != "" {
		d.Why = "the policy: " + a.Text
	}
	switch a.Action {
	case "continue":
		return d, true, nil
	case "meeting":
		d.Meeting, d.PIN, d.Layout = a.Meeting, a.PIN, a.Layout
	case "endpoint":
		d.Endpoint = a.Endpoint
	case "trunk":
		if a.Number != "" {
			d.Trunk, d.Number = a.Trunk, a.Number
		}
	case "lobby":
		d.Lobby, d.Layout = true, a.Layout
	case "reject":
		d.Reject = reasons[a.Reason]
	}
	if d.Meeting == "" && d.Endpoint == "" && d.Trunk == "" && !d.Lobby && d.Reject == "" {
		return d, false, fmt.Errorf("%w: action %q", errAnswer, a.Action)
	}
	if _, ok := layout.Parse(d.Layout); d.Layout != "" && !ok {
		return d, false, fmt.Errorf("%w: layout %q", errAnswer, d.Layout)
	}
	return d, false, nil
}

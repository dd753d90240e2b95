package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/gateway"
)

var reflectEvent = reflect.TypeFor[Event]()

// Registration is one binding of a terminal.
type Registration struct {
	Protocol     string    `json:"protocol" enum:"sip,h323"`
	Alias        string    `json:"alias"`
	Contact      string    `json:"contact"`
	Address      string    `json:"address" doc:"Where it registered from."`
	Transport    string    `json:"transport"`
	UserAgent    string    `json:"user_agent"`
	Product      string    `json:"product"`
	RegisteredAt time.Time `json:"registered_at"`
	ExpiresAt    time.Time `json:"expires_at"`
}

func registrationView(r gateway.Registration) Registration {
	return Registration{
		Protocol: string(r.Protocol), Alias: r.Alias, Contact: r.Contact, Address: r.Address, Transport: r.Transport,
		UserAgent: r.UserAgent, Product: r.Product, RegisteredAt: r.Since.UTC(), ExpiresAt: r.Expires.UTC(),
	}
}

// Status is the node at a glance.
type Status struct {
	Version       string       `json:"version"`
	StartedAt     time.Time    `json:"started_at"`
	UptimeSeconds int64        `json:"uptime_seconds"`
	Draining      bool         `json:"draining" doc:"No new calls; the node is about to stop."`
	Calls         int          `json:"calls"`
	MaxCalls      int          `json:"max_calls" doc:"0: no limit."`
	Meetings      int          `json:"meetings"`
	Registrations int          `json:"registrations"`
	CallsTotal    uint64       `json:"calls_total" doc:"Since the start."`
	CallsRefused  uint64       `json:"calls_refused" doc:"Over the limit, since the start."`
	SFU           string       `json:"sfu" enum:"up,down,none"`
	Video         string       `json:"video" enum:"up,none" doc:"Whether pictures can be transcoded and composed; none: they are passed on as they are, or left out."`
	Config        ConfigStatus `json:"config"`
}

// ConfigStatus is the outcome of the latest reload.
type ConfigStatus struct {
	ReloadedAt  *time.Time `json:"reloaded_at" doc:"The latest attempt; null: none since the start."`
	Error       string     `json:"error,omitempty" doc:"Why the former configuration stays in force."`
	NeedRestart []string   `json:"need_restart" nullable:"false" doc:"Changed keys that take effect after a restart."`
}

type registrationList struct {
	Body struct {
		Registrations []Registration `json:"registrations" nullable:"false"`
		NextCursor    string         `json:"next_cursor,omitempty"`
	}
}

type statusOutput struct{ Body Status }

func (a *API) status() {
	huma.Register(a.huma, operation("list-registrations", http.MethodGet, "/registrations", "List registered terminals", "Registrations", http.StatusUnprocessableEntity),
		func(_ context.Context, in *PageQuery) (*registrationList, error) {
			page, next, err := paged(a.Gateway.Registrations(), func(r gateway.Registration) string {
				return string(r.Protocol) + " " + r.Alias + " " + r.Contact
			}, *in)
			if err != nil {
				return nil, err
			}
			out := &registrationList{}
			out.Body.Registrations, out.Body.NextCursor = views(page, registrationView), next
			return out, nil
		})
	huma.Register(a.huma, operation("get-status", http.MethodGet, "/status", "Show the node at a glance", "Status"),
		func(ctx context.Context, _ *struct{}) (*statusOutput, error) {
			s := a.Gateway.Status(ctx)
			return &statusOutput{Status{
				Version: s.Version, StartedAt: s.Started.UTC(), UptimeSeconds: int64(a.Now().Sub(s.Started).Seconds()),
				Draining: s.Draining, Calls: s.Calls, MaxCalls: s.MaxCalls, Meetings: s.Meetings,
				Registrations: len(a.Gateway.Registrations()),
				CallsTotal:    s.Total, CallsRefused: s.Refused, SFU: s.SFU, Video: s.Video, Config: a.configStatus(),
			}}, nil
		})
}

func (a *API) configStatus() ConfigStatus {
	v := ConfigStatus{NeedRestart: []string{}}
	if a.Reload == nil {
		return v
	}
	r := a.Reload()
	v.ReloadedAt = moment(r.At)
	if r.Err != nil {
		v.Error = r.Err.Error()
	}
	v.NeedRestart = append(v.NeedRestart, r.NeedRestart...)
	return v
}

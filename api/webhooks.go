package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/webhook"
	"github.com/roomgate/roomgate/gateway"
)

// MarshalEvent is an event as the stream and webhooks show it.
func MarshalEvent(e gateway.Event) ([]byte, error) { return json.Marshal(eventView(e)) }

// WebhookRequest is the body that adds or changes a webhook.
type WebhookRequest struct {
	URL      string   `json:"url" minLength:"1" maxLength:"1000" example:"https://example.org/roomgate"`
	Secret   string   `json:"secret,omitempty" maxLength:"256" doc:"Signs what is sent; 16 characters or more. Never shown again. Empty in a change: stays."`
	Events   []string `json:"events,omitempty" maxItems:"50" nullable:"false" example:"[\"call.*\"]" doc:"Types, or all of a group as call.*; none: all but participant.speaking."`
	Agency   string   `json:"agency,omitempty" maxLength:"100" doc:"Only of meetings of this agency."`
	Disabled bool     `json:"disabled,omitempty"`
}

// Webhook is a program that is told what happens.
type Webhook struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Events    []string  `json:"events" nullable:"false"`
	Agency    string    `json:"agency"`
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// DeadLetter is an event that was given up.
type DeadLetter struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Meeting   string          `json:"meeting"`
	Attempts  int             `json:"attempts"`
	Error     string          `json:"error"`
	CreatedAt time.Time       `json:"created_at"`
	Event     json.RawMessage `json:"event"`
}

func (r WebhookRequest) webhook() (directory.Webhook, error) {
	return directory.Webhook{URL: r.URL, Secret: r.Secret, Events: r.Events, Agency: r.Agency, Disabled: r.Disabled}, nil
}

func webhookView(w directory.Webhook) Webhook {
	return Webhook{ID: w.ID, URL: w.URL, Events: append([]string{}, w.Events...), Agency: w.Agency, Disabled: w.Disabled, CreatedAt: w.Created, UpdatedAt: w.Updated}
}

type webhookList struct {
	Body struct {
		Webhooks []Webhook `json:"webhooks" nullable:"false"`
	}
}

type deadInput struct {
	ItemPath
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type deadList struct {
	Body struct {
		Dead []DeadLetter `json:"dead_letters" nullable:"false"`
	}
}

func (a *API) webhooks() {
	const tag = "Webhooks"
	register(a, resource[WebhookRequest, Webhook, directory.Webhook]{
		name: "webhook", path: "/webhooks", tag: tag, noun: "a webhook",
		get: a.Directory.Webhook, save: a.Directory.SaveWebhook, delete: a.Directory.DeleteWebhook,
		meta: func(w *directory.Webhook) *directory.Meta { return &w.Meta }, read: WebhookRequest.webhook, view: webhookView,
	})
	huma.Register(a.huma, operation("list-webhooks", http.MethodGet, "/webhooks", "List webhooks", tag, http.StatusForbidden),
		func(context.Context, *struct{}) (*webhookList, error) {
			out := &webhookList{}
			out.Body.Webhooks = views(a.Directory.Webhooks(), webhookView)
			return out, nil
		})
	huma.Register(a.huma, operation("list-dead-letters", http.MethodGet, "/webhooks/{id}/dead", "List events that a webhook never took, the oldest first", tag, http.StatusForbidden, http.StatusNotFound),
		func(ctx context.Context, in *deadInput) (*deadList, error) {
			if _, err := a.Directory.Webhook(in.ID); err != nil {
				return nil, a.directoryProblem(err)
			}
			list, err := webhook.Dead(ctx, a.Directory.DB, in.ID, in.Limit)
			if err != nil {
				return nil, a.problem(err)
			}
			out := &deadList{}
			out.Body.Dead = views(list, func(d webhook.Delivery) DeadLetter {
				return DeadLetter{ID: d.ID, Type: d.Type, Meeting: d.Lane, Attempts: d.Attempts, Error: d.Error, CreatedAt: d.Created, Event: json.RawMessage(d.Body)}
			})
			return out, nil
		})
	retry := operation("retry-dead-letters", http.MethodPost, "/webhooks/{id}/dead/retry", "Send again what a webhook never took", tag, http.StatusForbidden, http.StatusNotFound)
	retry.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, retry, func(ctx context.Context, in *ItemPath) (*struct{}, error) {
		if _, err := a.Directory.Webhook(in.ID); err != nil {
			return nil, a.directoryProblem(err)
		}
		if err := a.Revive(ctx, in.ID); err != nil {
			return nil, a.problem(err)
		}
		return nil, nil
	})
}

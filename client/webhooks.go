package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// WebhookRequest adds or changes a webhook.
type WebhookRequest struct {
	URL      string   `json:"url"`
	Secret   string   `json:"secret,omitempty"` // 16 characters or more; empty in a change: stays
	Events   []string `json:"events,omitempty"` // types, or all of a group as call.*; none: all but participant.speaking
	Agency   string   `json:"agency,omitempty"` // of its meetings only
	Disabled bool     `json:"disabled,omitempty"`
}

// Webhook is a program that is told what happens.
type Webhook struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Events    []string  `json:"events"`
	Agency    string    `json:"agency"`
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// DeadLetter is an event that a webhook never took.
type DeadLetter struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Meeting   string          `json:"meeting"`
	Attempts  int             `json:"attempts"`
	Error     string          `json:"error"` // of the last attempt
	CreatedAt time.Time       `json:"created_at"`
	Event     json.RawMessage `json:"event"` // an Event
}

// Webhooks lists all webhooks.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	return list[Webhook](ctx, c, "/webhooks", "webhooks")
}

// Webhook finds a webhook by its ID.
func (c *Client) Webhook(ctx context.Context, id string) (w Webhook, err error) {
	err = c.do(ctx, http.MethodGet, path("webhooks", id), nil, &w)
	return w, err
}

// AddWebhook adds a webhook.
func (c *Client) AddWebhook(ctx context.Context, r WebhookRequest) (w Webhook, err error) {
	err = c.do(ctx, http.MethodPost, "/webhooks", r, &w)
	return w, err
}

// ChangeWebhook puts a webhook in place of the one with the ID.
func (c *Client) ChangeWebhook(ctx context.Context, id string, r WebhookRequest) (w Webhook, err error) {
	err = c.do(ctx, http.MethodPut, path("webhooks", id), r, &w)
	return w, err
}

// DeleteWebhook forgets a webhook.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, path("webhooks", id), nil, nil)
}

// DeadLetters lists the events that a webhook never took, the oldest first, so
// many at most; up to 1000.
func (c *Client) DeadLetters(ctx context.Context, id string, most int) ([]DeadLetter, error) {
	var out struct {
		Dead []DeadLetter `json:"dead_letters"`
	}
	query := url.Values{"limit": {strconv.Itoa(most)}}
	err := c.do(ctx, http.MethodGet, path("webhooks", id, "dead")+"?"+query.Encode(), nil, &out)
	return out.Dead, err
}

// RetryDeadLetters has them sent again.
func (c *Client) RetryDeadLetters(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodPost, path("webhooks", id, "dead", "retry"), nil, nil)
}

package directory

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/roomgate/roomgate/directory/store"
)

// Webhook is a program of others that is told what happens.
type Webhook struct {
	Meta
	URL string `json:"url"`
	// Secret signs what is sent. It goes in only; empty leaves the one there is.
	Secret string `json:"-"`
	Sealed string `json:"secret,omitempty"`
	// Events are the types that are sent, such as call.ended or call.*; none = all but
	// those of who speaks.
	Events   []string `json:"events,omitempty"`
	Agency   string   `json:"agency,omitempty"` // whose meetings; "" = all
	Disabled bool     `json:"disabled,omitempty"`
}

// KindWebhook is the kind of a Webhook.
const KindWebhook Kind = "webhook"

// noisy types are sent only when they are named.
const noisy = "participant.speaking"

var eventPattern = regexp.MustCompile(`^[a-z]+\.(\*|[a-z]+)$`)

func (w *Webhook) kind() Kind          { return KindWebhook }
func (w *Webhook) order() string       { return w.URL }
func (w *Webhook) names() []store.Name { return nil }
func (w *Webhook) tidy()               { w.URL, w.Agency = strings.TrimSpace(w.URL), strings.TrimSpace(w.Agency) }

func (w *Webhook) secrets() []secret {
	return []secret{{name: "secret", plain: &w.Secret, sealed: &w.Sealed, keep: true}}
}

func (w *Webhook) check() error {
	u, err := url.Parse(w.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return bad("url", "is not of the form https://HOST/..")
	}
	if w.Secret == "" && w.Sealed == "" || w.Secret != "" && len(w.Secret) < 16 {
		return bad("secret", "is shorter than 16 characters")
	}
	for i, e := range w.Events {
		if !eventPattern.MatchString(e) {
			return bad(indexed("events", i), "%q is neither a type of events nor all of a group, as call.*", e)
		}
	}
	return firstError(text("url", w.URL, 1000), text("agency", w.Agency, maxShortLen))
}

// Wants reports whether events of a type are sent.
func (w *Webhook) Wants(eventType string) bool {
	if len(w.Events) == 0 {
		return eventType != noisy
	}
	group, _, _ := strings.Cut(eventType, ".")
	for _, e := range w.Events {
		if e == eventType || e == group+".*" && eventType != noisy {
			return true
		}
	}
	return false
}

// Webhooks lists all, by URL.
func (d *Directory) Webhooks() []Webhook { return all(d, d.webhooks) }

// Webhook finds a webhook by its ID.
func (d *Directory) Webhook(id string) (Webhook, error) { return one(d, d.webhooks, id) }

// SaveWebhook keeps a webhook, new (without an ID) or changed.
func (d *Directory) SaveWebhook(ctx context.Context, w Webhook) (Webhook, error) {
	return first(save(ctx, d, d.webhooks, []Webhook{w}))
}

// DeleteWebhook forgets a webhook; rev is the revision it has to be in, 0 for any.
func (d *Directory) DeleteWebhook(ctx context.Context, id string, rev int64) error {
	return remove(ctx, d, d.webhooks, id, rev)
}

// WebhookSecret is what a webhook's messages are signed with.
func (d *Directory) WebhookSecret(w Webhook) (string, error) {
	return d.Keys.Open(w.Sealed, place(&w, "secret"))
}

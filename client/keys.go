package client

import (
	"context"
	"net/http"
	"time"
)

// APIKeyRequest makes an API key.
type APIKeyRequest struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`           // admin, read, directory, plan, meetings, calls
	Agency    string     `json:"agency,omitempty"` // sees and changes what is of it, and nothing else
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// APIKey is a key without its secret.
type APIKey struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	Agency    string     `json:"agency"`
	ExpiresAt *time.Time `json:"expires_at"` // nil: never
	CreatedAt time.Time  `json:"created_at"`
}

// NewAPIKey is a key that was just made; Key is shown this once.
type NewAPIKey struct {
	APIKey
	Key string `json:"key"`
}

// APIKeys lists all keys by name.
func (c *Client) APIKeys(ctx context.Context) ([]APIKey, error) {
	return list[APIKey](ctx, c, "/api-keys", "api_keys")
}

// AddAPIKey makes a key.
func (c *Client) AddAPIKey(ctx context.Context, r APIKeyRequest) (k NewAPIKey, err error) {
	err = c.do(ctx, http.MethodPost, "/api-keys", r, &k)
	return k, err
}

// DeleteAPIKey makes a key useless.
func (c *Client) DeleteAPIKey(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, path("api-keys", id), nil, nil)
}

package client

import (
	"context"
	"net/http"
	"time"
)

// CodeRequest asks for a code that lets somebody into a meeting once.
type CodeRequest struct {
	Role    string `json:"role,omitempty"` // guest (the default), host
	Name    string `json:"name,omitempty"` // for whom
	Minutes int    `json:"minutes,omitempty"`
}

// Code is a code without its digits.
type Code struct {
	ID        string     `json:"id"`
	Role      string     `json:"role"`
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	UsedAt    *time.Time `json:"used_at"`
}

// NewCode is a code that was just made; its digits are not shown again.
type NewCode struct {
	Code
	Digits string `json:"code"`
	Dial   string `json:"dial"` // what terminals and phones dial
}

// CreateCode makes a code.
func (c *Client) CreateCode(ctx context.Context, alias string, r CodeRequest) (v NewCode, err error) {
	err = c.do(ctx, http.MethodPost, path("meetings", alias, "codes"), r, &v)
	return v, err
}

// Codes lists the codes of a meeting, the latest first.
func (c *Client) Codes(ctx context.Context, alias string) ([]Code, error) {
	var out struct{ Codes []Code }
	err := c.do(ctx, http.MethodGet, path("meetings", alias, "codes"), nil, &out)
	return out.Codes, err
}

// DeleteCode makes a code useless.
func (c *Client) DeleteCode(ctx context.Context, alias, id string) error {
	return c.do(ctx, http.MethodDelete, path("meetings", alias, "codes", id), nil, nil)
}

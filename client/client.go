// Package client speaks to the API of a gateway from Go programs.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client reaches one gateway. It is safe for concurrent use.
type Client struct {
	base string
	key  string
	http *http.Client
}

// New makes a client of the gateway at base, such as https://gw.example.org:8443.
// key may be empty for what needs none. A nil h means http.DefaultClient.
func New(base, key string, h *http.Client) *Client {
	if h == nil {
		h = http.DefaultClient
	}
	return &Client{base: strings.TrimRight(base, "/") + "/api/v1", key: key, http: h}
}

// Problem is the gateway's refusal (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail) }

// ProblemPIN is the Type of a Problem that asks for the meeting's PIN.
const ProblemPIN = "urn:roomgate:problem:pin"

// path joins escaped segments.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// do sends body, when there is one, and reads the answer into out, when asked
// to.
func (c *Client) do(ctx context.Context, method, path string, body, out any) error {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		in = bytes.NewReader(text)
	}
	return c.exchange(ctx, method, path, in, nil, 0, out)
}

// exchange is do with a body as it is; also reads an answer with the status in
// place of a Problem.
func (c *Client) exchange(ctx context.Context, method, path string, in io.Reader, header http.Header, also int, out any) error {
	resp, err := c.send(ctx, method, path, in, header, also)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
	} else {
		err = json.NewDecoder(resp.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// download copies an answer.
func (c *Client) download(ctx context.Context, path string, to io.Writer) error {
	resp, err := c.send(ctx, http.MethodGet, path, nil, nil, 0)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(to, resp.Body); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// Once makes the next request that adds something safe to send again with the
// same key: the gateway works on it once, and answers the same for a day.
func Once(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, onceKey{}, key)
}

type onceKey struct{}

// send returns an answer that is no refusal, or has the status also; its body is
// to be closed.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader, header http.Header, also int) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key, ok := ctx.Value(onceKey{}).(string); ok && method == http.MethodPost {
		req.Header.Set("Idempotency-Key", key)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 || resp.StatusCode == also {
		return resp, nil
	}
	defer resp.Body.Close()
	problem := &Problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode)}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil || json.Unmarshal(text, problem) != nil {
		problem.Detail = string(text)
	}
	return nil, fmt.Errorf("%s %s: %w", method, path, problem)
}

// list collects all pages of a list that stands under name.
func list[T any](ctx context.Context, c *Client, path, name string) ([]T, error) {
	return listWith[T](ctx, c, path, name, url.Values{})
}

// listWith is list with more in the query.
func listWith[T any](ctx context.Context, c *Client, path, name string, query url.Values) ([]T, error) {
	var all []T
	query.Set("limit", "1000")
	for {
		var page map[string]json.RawMessage
		if err := c.do(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		var items []T
		if err := json.Unmarshal(page[name], &items); err != nil {
			return nil, fmt.Errorf("list %s: %w", name, err)
		}
		all = append(all, items...)
		var cursor string
		if next, more := page["next_cursor"]; !more {
			return all, nil
		} else if err := json.Unmarshal(next, &cursor); err != nil {
			return nil, fmt.Errorf("list %s: %w", name, err)
		}
		query.Set("cursor", cursor)
	}
}

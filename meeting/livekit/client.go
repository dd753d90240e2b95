package livekit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media/udp"
)

// Config says which SFU to use and how to reach it.
type Config struct {
	// URL is the SFU's address (ws, wss, http or https), without a path for an
	// ordinary server. URLFunc, when set, is asked before each connection
	// instead, for an SFU whose address may change when it restarts.
	URL     string
	URLFunc func() string
	// APIKey and APISecret sign tokens; both are required.
	APIKey, APISecret string
	// PublicURL is what browsers are told to connect to; empty means URL.
	PublicURL string
	// Node names this gateway node: it is part of the identity of receivers,
	// which must differ between nodes. Default: random.
	Node string
	// Local tells the participants this node publishes itself: they are in the
	// roster but never subscribed to. Nil means none.
	Local func(identity string, attributes map[string]string) bool
	// Interface and IP restrict the addresses used for media. When both are
	// nil the one address that routes to the SFU is used.
	Interface func(name string) bool
	IP        func(ip net.IP) bool
	// Media lists addresses at which the SFU's media port is reachable besides
	// those it advertises, e.g. 127.0.0.1:7882 for an embedded server whose
	// advertised address is beyond a NAT that does not loop back.
	Media func() []netip.AddrPort
	// JoinTimeout bounds a join, retries of a failing network included, and every
	// request to the room service. Default 10 s.
	JoinTimeout time.Duration
	// DeadAfter is how long a silent link is believed alive. Default 3 s.
	DeadAfter time.Duration
	// MaxJoins bounds the joins in progress at once, so that many legs
	// rejoining do not overrun a starting SFU. Default 32.
	MaxJoins int
	// Readers read the media sockets; nil means a goroutine for each of them.
	Readers *udp.Readers
	Logger  *zap.Logger
}

// Client reaches one SFU (or one cluster). It is safe for concurrent use.
type Client struct {
	config  Config
	log     *zap.Logger
	http    *http.Client
	rooms   livekit.RoomService
	joining chan struct{}
	pulse   *pulse
	nets    networks

	mu     sync.Mutex
	links  map[*link]struct{}
	closed bool
	wait   sync.WaitGroup
}

// New checks the configuration. Nothing is sent until the client is used.
func New(c Config) (*Client, error) {
	if c.URLFunc == nil {
		address := c.URL
		c.URLFunc = func() string { return address }
		if _, err := parseURL(address); err != nil {
			return nil, err
		}
	}
	if c.APIKey == "" || c.APISecret == "" {
		return nil, errors.New("livekit: api key and secret are required")
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Local == nil {
		c.Local = func(string, map[string]string) bool { return false }
	}
	c.JoinTimeout = orDefault(c.JoinTimeout, 10*time.Second)
	c.DeadAfter = orDefault(c.DeadAfter, 3*time.Second)
	c.MaxJoins = orDefault(c.MaxJoins, 32)
	c.Node = orDefault(c.Node, rand.Text()[:8])
	client := &Client{
		config:  c,
		log:     c.Logger.Named("livekit"),
		http:    &http.Client{Timeout: c.JoinTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, Proxy: http.ProxyFromEnvironment}},
		joining: make(chan struct{}, c.MaxJoins),
		links:   make(map[*link]struct{}),
		pulse:   newPulse(time.Second),
		nets:    networks{readers: c.Readers},
	}
	client.rooms = newRoomService(client)
	return client, nil
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// PublicURL is the address browsers are told.
func (c *Client) PublicURL() string {
	if c.config.PublicURL != "" {
		return c.config.PublicURL
	}
	return c.config.URLFunc()
}

// Close leaves every room and waits until all that was started has ended.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	open := make([]*link, 0, len(c.links))
	for l := range c.links {
		open = append(open, l)
	}
	c.mu.Unlock()
	for _, l := range open {
		l.stop(errClosed)
	}
	c.wait.Wait()
	c.pulse.close()
	c.http.CloseIdleConnections()
	return nil
}

// Healthy asks the SFU whether it serves (GET / answers 200).
func (c *Client) Healthy(ctx context.Context) error {
	base, err := parseURL(c.config.URLFunc())
	if err != nil {
		return err
	}
	base.Scheme = httpScheme(base.Scheme)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String(), nil)
	if err != nil {
		return fmt.Errorf("livekit: health: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("livekit: health: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("livekit: health: server answered %s", resp.Status)
	}
	return nil
}

// parseURL accepts the four schemes an SFU address may have.
func parseURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("livekit: url: %w", err)
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return nil, fmt.Errorf("livekit: url %q: scheme must be ws, wss, http or https", address)
	}
	if u.Host == "" {
		return nil, fmt.Errorf("livekit: url %q has no host", address)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

func httpScheme(scheme string) string {
	return strings.Replace(scheme, "ws", "http", 1)
}

func webSocketScheme(scheme string) string {
	return strings.Replace(scheme, "http", "ws", 1)
}

package client

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Call is one terminal's or phone's call.
type Call struct {
	ID         string     `json:"id"`
	Meeting    string     `json:"meeting"`
	Identity   string     `json:"identity"`
	Protocol   string     `json:"protocol"`  // sip, h323
	Direction  string     `json:"direction"` // in, out
	State      string     `json:"state"`     // ringing, lobby, active, held, ended, redialling
	Muted      bool       `json:"muted"`
	Layout     string     `json:"layout"` // its own; "" = the meeting's
	Pinned     string     `json:"pinned"`
	Called     string     `json:"called"`
	Remote     Remote     `json:"remote"`
	StartedAt  time.Time  `json:"started_at"`
	AnsweredAt *time.Time `json:"answered_at"`
	EndedAt    *time.Time `json:"ended_at"`
	Encryption string     `json:"encryption"` // none, srtp, h235
	LegacyTLS  bool       `json:"legacy_tls"`
	Media      []Media    `json:"media"`
	Cause      *Cause     `json:"cause"`
	Rate       int        `json:"rate"` // kbit/s; 0: no limit
	MCU        bool       `json:"mcu"`
	Redial     *Redial    `json:"redial"`
}

// Redial is where a call out stands that the network may lose.
type Redial struct {
	Attempt  int        `json:"attempt"` // in a row
	Most     int        `json:"most"`
	NextAt   *time.Time `json:"next_at"`
	Replaces string     `json:"replaces"` // the call before
}

// Remote is the far side of a call.
type Remote struct {
	Address   string `json:"address"`
	Transport string `json:"transport"`
	Alias     string `json:"alias"`
	Name      string `json:"name"`
	URI       string `json:"uri"`
	Product   string `json:"product"`
	UserAgent string `json:"user_agent"`
	Trunk     string `json:"trunk"`
}

// Media is one direction of one medium, as the gateway sees it.
type Media struct {
	Kind      string  `json:"kind"`      // audio, video, content
	Direction string  `json:"direction"` // recv, send
	Codec     string  `json:"codec"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	FPS       float64 `json:"fps"`
	Mode      string  `json:"mode"` // passthrough, transcoded, mixed
	Packets   uint64  `json:"packets"`
	Bytes     uint64  `json:"bytes"`
	Lost      uint64  `json:"lost"`
	JitterMS  float64 `json:"jitter_ms"`
	RTTMS     float64 `json:"rtt_ms"`
	Kbps      int     `json:"kbps"`
	Dropped   uint64  `json:"dropped"`
	Pipeline  string  `json:"pipeline"`
	Notice    string  `json:"notice"`
}

// Cause is why a call ended.
type Cause struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// DialRequest calls somebody into a meeting.
type DialRequest struct {
	Target   string `json:"target"` // a sip: URI, or the alias of a registered terminal
	Meeting  string `json:"meeting"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"` // for a digest challenge of the far side
	Password string `json:"password,omitempty"`

	Rate           int    `json:"rate,omitempty"` // kbit/s, sound included
	LongestSeconds int    `json:"longest_seconds,omitempty"`
	Digits         string `json:"digits,omitempty"` // sent after the answer; a comma waits for a second
	Layout         string `json:"layout,omitempty"`
	MCU            bool   `json:"mcu,omitempty"`
	TerminalType   int    `json:"terminal_type,omitempty"`  // of H.245
	ContentMaster  string `json:"content_master,omitempty"` // here, there
	Redials        *int   `json:"redials,omitempty"`        // after a loss; nil: as the directory says
}

// Calls lists the living calls, oldest first.
func (c *Client) Calls(ctx context.Context) ([]Call, error) {
	return list[Call](ctx, c, "/calls", "calls")
}

// Call finds one living call.
func (c *Client) Call(ctx context.Context, id string) (v Call, err error) {
	err = c.do(ctx, http.MethodGet, path("calls", id), nil, &v)
	return v, err
}

// Dial calls somebody into a meeting. It returns when the call is on its way;
// events tell what becomes of it.
func (c *Client) Dial(ctx context.Context, r DialRequest) (v Call, err error) {
	err = c.do(ctx, http.MethodPost, "/calls", r, &v)
	return v, err
}

// Hangup ends a call.
func (c *Client) Hangup(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, path("calls", id), nil, nil)
}

// Ladder is the signalling of a call in order of time, less its secrets.
type Ladder struct {
	Messages []LadderMessage `json:"messages"`
	Dropped  int             `json:"dropped"` // of the middle of a long call
}

// LadderMessage is one message as it was on the wire.
type LadderMessage struct {
	Time      time.Time `json:"time"`
	Direction string    `json:"direction"` // in, out
	Protocol  string    `json:"protocol"`  // sip, h225, ras, h245, bfcp
	Transport string    `json:"transport"`
	Local     string    `json:"local"`
	Remote    string    `json:"remote"`
	Summary   string    `json:"summary"`
	Within    bool      `json:"within"` // carried in the message before it
	Text      string    `json:"text"`   // of SIP
	Data      []byte    `json:"data"`   // of others
}

// Ladder shows the signalling of a call, for an hour after its end, too.
func (c *Client) Ladder(ctx context.Context, id string) (v Ladder, err error) {
	err = c.do(ctx, http.MethodGet, path("calls", id, "ladder"), nil, &v)
	return v, err
}

// Capture copies it as a capture for Wireshark.
func (c *Client) Capture(ctx context.Context, id string, to io.Writer) error {
	return c.download(ctx, path("calls", id, "ladder.pcap"), to)
}

// MuteCall mutes a call towards its meeting, or lifts the mute.
func (c *Client) MuteCall(ctx context.Context, id string, muted bool) error {
	return c.do(ctx, http.MethodPost, path("calls", id, muteVerb(muted)), nil, nil)
}

// SetLayout chooses what a call's terminal is shown: a layout, "" for that of
// the meeting, and an identity that takes the place of the speaker, or "".
func (c *Client) SetLayout(ctx context.Context, id, layout, pinned string) error {
	return c.do(ctx, http.MethodPost, path("calls", id, "layout"), map[string]string{"layout": layout, "pinned": pinned}, nil)
}

// ShowChat shows a call's terminal what was written last in its meeting, for twelve seconds;
// an error of status 409 says that there is nothing, or no screen.
func (c *Client) ShowChat(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodPost, path("calls", id, "chat"), nil, nil)
}

// Transfer moves a call to another meeting, or asks its terminal to call a URI.
func (c *Client) Transfer(ctx context.Context, id, target string) error {
	return c.do(ctx, http.MethodPost, path("calls", id, "transfer"), map[string]string{"target": target}, nil)
}

// Registration is one binding of a terminal.
type Registration struct {
	Protocol     string    `json:"protocol"`
	Alias        string    `json:"alias"`
	Contact      string    `json:"contact"`
	Address      string    `json:"address"`
	Transport    string    `json:"transport"`
	UserAgent    string    `json:"user_agent"`
	Product      string    `json:"product"`
	RegisteredAt time.Time `json:"registered_at"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// Registrations lists the registered terminals.
func (c *Client) Registrations(ctx context.Context) ([]Registration, error) {
	return list[Registration](ctx, c, "/registrations", "registrations")
}

// Status is the node at a glance.
type Status struct {
	Version       string    `json:"version"`
	StartedAt     time.Time `json:"started_at"`
	UptimeSeconds int64     `json:"uptime_seconds"`
	Draining      bool      `json:"draining"`
	Calls         int       `json:"calls"`
	MaxCalls      int       `json:"max_calls"` // 0: no limit
	Meetings      int       `json:"meetings"`
	Registrations int       `json:"registrations"`
	CallsTotal    uint64    `json:"calls_total"`
	CallsRefused  uint64    `json:"calls_refused"`
	SFU           string    `json:"sfu"`   // up, down, none
	Video         string    `json:"video"` // up, none
}

// Status shows the node at a glance.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.do(ctx, http.MethodGet, "/status", nil, &s)
	return s, err
}

package api

import (
	"math"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// Call is one terminal's or phone's call.
type Call struct {
	ID         string     `json:"id"`
	Meeting    string     `json:"meeting" doc:"Alias; empty while there is none."`
	Identity   string     `json:"identity" doc:"In the roster of the meeting."`
	Protocol   string     `json:"protocol" enum:"sip,h323"`
	Direction  string     `json:"direction" enum:"in,out"`
	State      string     `json:"state" enum:"ringing,lobby,active,held,ended,redialling" doc:"Redialling: the network lost it, and it is about to be made again."`
	Muted      bool       `json:"muted"`
	Layout     string     `json:"layout,omitempty" doc:"Its own; without one that of the meeting."`
	Pinned     string     `json:"pinned,omitempty" doc:"Identity of who is forced onto its screen."`
	Called     string     `json:"called" doc:"The alias dialled."`
	Remote     Remote     `json:"remote"`
	StartedAt  time.Time  `json:"started_at"`
	AnsweredAt *time.Time `json:"answered_at"`
	EndedAt    *time.Time `json:"ended_at"`
	Encryption string     `json:"encryption" enum:"none,srtp,h235"`
	LegacyTLS  bool       `json:"legacy_tls" doc:"The signalling uses the opt-in profile for old terminals."`
	Media      []Media    `json:"media" nullable:"false"`
	Cause      *Cause     `json:"cause" doc:"Why it ended."`
	Rate       int        `json:"rate,omitempty" doc:"Limit of the whole call in kbit/s; none: no limit."`
	MCU        bool       `json:"mcu,omitempty" doc:"The far side joins several itself."`
	Redial     *Redial    `json:"redial,omitempty" doc:"Of calls out that may be made again."`
}

// Redial is where a call out stands that the network may lose.
type Redial struct {
	Attempt  int        `json:"attempt" doc:"In a row; 0: none was needed."`
	Most     int        `json:"most" doc:"Attempts in a row."`
	NextAt   *time.Time `json:"next_at,omitempty" doc:"When it is made again."`
	Replaces string     `json:"replaces,omitempty" doc:"The call before, which was lost."`
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
	Trunk     string `json:"trunk,omitempty"`
}

// Media is one direction of one medium.
type Media struct {
	Kind      string  `json:"kind" enum:"audio,video,content"`
	Direction string  `json:"direction" enum:"recv,send" doc:"As the gateway sees it."`
	Codec     string  `json:"codec"`
	Width     int     `json:"width,omitempty"`
	Height    int     `json:"height,omitempty"`
	FPS       float64 `json:"fps,omitempty"`
	Mode      string  `json:"mode,omitempty" enum:"passthrough,transcoded,mixed"`
	Packets   uint64  `json:"packets"`
	Bytes     uint64  `json:"bytes"`
	Lost      uint64  `json:"lost"`
	JitterMS  float64 `json:"jitter_ms"`
	RTTMS     float64 `json:"rtt_ms,omitempty"`
	Kbps      int     `json:"kbps"`
	Dropped   uint64  `json:"dropped,omitempty" doc:"Malformed, unauthenticated, or from a stranger."`
	Pipeline  string  `json:"pipeline,omitempty"`
	Notice    string  `json:"notice,omitempty" doc:"Why a medium does not flow."`
}

// Cause is why a call ended.
type Cause struct {
	Code string `json:"code" example:"normal"`
	Text string `json:"text,omitempty"`
}

func callView(c gateway.Call) Call {
	i := c.Info
	v := Call{
		ID: i.ID, Meeting: c.Meeting, Identity: c.Identity,
		Protocol: string(i.Protocol), Direction: string(i.Direction), State: string(c.State), Muted: c.Muted, Layout: c.Layout, Pinned: c.Pinned,
		Called: i.Called, Remote: remoteView(i.Remote),
		StartedAt: i.Created.UTC(), AnsweredAt: moment(i.Answered), EndedAt: moment(c.Ended),
		Encryption: i.Encryption, LegacyTLS: i.LegacyTLS,
		Media: views(c.Media, mediaView),
	}
	if v.Encryption == "" {
		v.Encryption = "none"
	}
	v.Rate, v.MCU = c.Terms.Rate, c.Terms.MCU
	if r := c.Redial; r != nil {
		v.Redial = &Redial{Attempt: r.Attempt, Most: r.Most, NextAt: moment(r.Next), Replaces: r.Replaces}
	}
	if c.Cause != nil {
		v.Cause = &Cause{Code: string(c.Cause.Code), Text: c.Cause.Text}
	}
	return v
}

func remoteView(r call.Remote) Remote {
	v := Remote{
		Transport: r.Transport, Alias: r.Alias, Name: r.Name, URI: r.URI,
		Product: r.Product, UserAgent: r.UserAgent, Trunk: r.Trunk,
	}
	if r.Address.IsValid() {
		v.Address = r.Address.String()
	}
	return v
}

func mediaView(m gateway.MediaInfo) Media {
	direction := "recv"
	if m.Sent {
		direction = "send"
	}
	return Media{
		Kind: m.Role.String(), Direction: direction, Codec: string(m.Codec),
		Width: m.Width, Height: m.Height, FPS: math.Round(m.FPS*10) / 10, Mode: m.Mode,
		Packets: m.Packets, Bytes: m.Bytes, Lost: m.Lost, Dropped: m.Dropped, Kbps: m.Kbps,
		JitterMS: milliseconds(m.Jitter), RTTMS: milliseconds(m.RTT),
		Pipeline: m.Pipeline, Notice: m.Notice,
	}
}

// milliseconds keeps a tenth of a millisecond.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*10) / 10
}

// moment is a time, or nothing when it has not come.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

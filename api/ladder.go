package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/trace"
)

// Tracer gives what is kept of a call's signalling.
type Tracer interface {
	Ladder(call string) (list []trace.Message, dropped int, ok bool)
}

// Ladder is the signalling of a call in order of time.
type Ladder struct {
	Messages []LadderMessage `json:"messages" nullable:"false"`
	Dropped  int             `json:"dropped" doc:"Messages of the middle of the call that were not kept."`
}

// LadderMessage is one message. Proofs of passwords, keys of media, digits and PINs are
// masked.
type LadderMessage struct {
	Time      time.Time `json:"time"`
	Direction string    `json:"direction" enum:"in,out" doc:"As the gateway sees it."`
	Protocol  string    `json:"protocol" enum:"sip,h225,ras,h245,bfcp"`
	Transport string    `json:"transport" enum:"udp,tcp,tls"`
	Local     string    `json:"local"`
	Remote    string    `json:"remote"`
	Summary   string    `json:"summary" example:"INVITE"`
	Within    bool      `json:"within,omitempty" doc:"It was carried in the message before it (H.245 tunnelled)."`
	Text      string    `json:"text,omitempty" doc:"The message, of protocols that are text."`
	Data      []byte    `json:"data,omitempty" doc:"The message in base64, of others."`
}

// ErrNoLadder: a call that is not known, or ended too long ago.
var ErrNoLadder = errors.New("nothing is kept of such a call")

func (a *API) ladder() {
	const tag = "Calls"
	get := operation("call-ladder", http.MethodGet, "/calls/{id}/ladder", "Show the signalling of a call", tag, http.StatusNotFound)
	get.Description = "Also of calls that have ended, for an hour. Bounded: of long calls the first 100 and the last 300 messages."
	huma.Register(a.huma, get, func(_ context.Context, in *CallPath) (*struct{ Body Ladder }, error) {
		list, dropped, err := a.messages(in.ID)
		if err != nil {
			return nil, err
		}
		return &struct{ Body Ladder }{Ladder{views(list, messageView), dropped}}, nil
	})
	capture := operation("call-capture", http.MethodGet, "/calls/{id}/ladder.pcap", "The signalling of a call as a capture for Wireshark", tag, http.StatusNotFound)
	capture.Responses = map[string]*huma.Response{"200": {
		Description: "Exported PDUs (link type 252): each message with its dissector and its addresses.",
		Content:     map[string]*huma.MediaType{"application/vnd.tcpdump.pcap": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
	huma.Register(a.huma, capture, func(_ context.Context, in *CallPath) (*captureOutput, error) {
		list, _, err := a.messages(in.ID)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := trace.WritePcap(&b, list); err != nil {
			return nil, err
		}
		return &captureOutput{"application/vnd.tcpdump.pcap", `attachment; filename="call.pcap"`, b.Bytes()}, nil
	})
}

type captureOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (a *API) messages(id string) (list []trace.Message, dropped int, err error) {
	ok := false
	if a.Trace != nil {
		list, dropped, ok = a.Trace.Ladder(id)
	}
	if !ok {
		return nil, 0, a.problem(ErrNoLadder)
	}
	return list, dropped, nil
}

func messageView(m trace.Message) LadderMessage {
	v := LadderMessage{
		Time: m.Time.UTC(), Direction: "out", Protocol: string(m.Protocol), Transport: m.Transport,
		Local: place(m.Local), Remote: place(m.Remote), Summary: m.Summary, Within: m.Within,
	}
	if m.In {
		v.Direction = "in"
	}
	if m.Protocol == trace.SIP && utf8.Valid(m.Data) {
		v.Text = string(m.Data)
	} else {
		v.Data = m.Data
	}
	return v
}

func place(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

package sip

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/roomgate/roomgate/sip/bfcp"
	"github.com/roomgate/roomgate/sip/bfcp/link"
	"github.com/roomgate/roomgate/sip/edge"
	"github.com/roomgate/roomgate/trace"
)

// taps is who sees messages; nil when nobody does.
func (e *Endpoint) taps() func(edge.Record) {
	tap, keep := e.cfg.Tap, e.cfg.Trace
	if keep == nil {
		return tap
	}
	return func(r edge.Record) {
		if tap != nil {
			tap(r)
		}
		h := glance(r.Message)
		if key := traceKey(h.callID); h.callID != "" && keep.Wants(key, h.begins) {
			keep.Add(key, trace.Message{
				Time: r.Time, In: r.In, Protocol: trace.SIP, Transport: strings.ToLower(string(r.Transport)),
				Local: r.Local, Remote: r.Remote, Summary: h.summary, Data: trace.Mask(r.Message),
			}, h.begins)
		}
	}
}

func traceKey(callID string) string { return "sip " + callID }

// glimpse is what the ladder shows of a message.
type glimpse struct {
	callID, summary string
	begins          bool // an INVITE: a call may come of it
}

// glance reads it, without the care of a parser.
func glance(message []byte) (g glimpse) {
	head, _, _ := bytes.Cut(message, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	method := ""
	for _, line := range lines[1:] {
		name, v, _ := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "call-id", "i":
			g.callID = strings.TrimSpace(v)
		case "cseq":
			if f := strings.Fields(v); len(f) == 2 {
				method = f[1]
			}
		}
	}
	first := strings.SplitN(lines[0], " ", 3)
	switch {
	case len(first) < 3:
	case strings.HasPrefix(first[0], "SIP/"):
		g.summary = first[1] + " " + first[2] + " (" + method + ")"
	default:
		g.summary, g.begins = first[0], first[0] == "INVITE"
	}
	return g
}

// traceFloor keeps BFCP.
func (s *sessions) traceFloor(over link.Transport) func(bool, netip.AddrPort, []byte) {
	keep, call, local := s.cfg.Trace, s.cname, netip.AddrPortFrom(s.net.Local, 0)
	if keep == nil {
		return nil
	}
	transport := "tcp"
	switch over {
	case link.UDP:
		transport = "udp"
	case link.TLS:
		transport = "tls"
	}
	return func(received bool, remote netip.AddrPort, message []byte) {
		summary := "BFCP"
		if m, err := bfcp.Parse(message); err == nil {
			summary = m.Body.Primitive().String()
		}
		keep.AddTo(call, trace.Message{
			In: received, Protocol: trace.BFCP, Transport: transport,
			Local: local, Remote: remote, Summary: summary, Data: message,
		})
	}
}

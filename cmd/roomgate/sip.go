package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"strconv"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/edge"
	"github.com/roomgate/roomgate/sip/registrar"
)

// listenSIP binds the SIP stack.
func (n *node) listenSIP(c *config.Config) error {
	settings, err := sipConfig(c, n.log)
	if err != nil {
		return err
	}
	settings.Certificate = n.sipTLS.Get
	settings.DialTLS = &tls.Config{MinVersion: tls.VersionTLS12}
	settings.Tap = func(r edge.Record) { countSIP(n.metrics, r) }
	settings.OnRegistration = n.registrationChanged
	if n.sip, err = sip.New(settings); err != nil {
		return fmt.Errorf("sip: %w", err)
	}
	return nil
}

// countSIP counts a message by the first word or the status of its first line.
func countSIP(m *api.Metrics, r edge.Record) {
	first, rest, _ := bytes.Cut(r.Message, []byte{' '})
	status := 0
	if bytes.HasPrefix(first, []byte("SIP/")) && len(rest) >= 3 {
		status, _ = strconv.Atoi(string(rest[:3]))
	}
	m.SIPMessage(!r.In, string(first[:min(len(first), 32)]), status)
}

// registrations shows the registrar's bindings in the gateway's words.
func (n *node) registrations() []gateway.Registration {
	bindings := n.sip.Registrations()
	out := make([]gateway.Registration, 0, len(bindings))
	for _, b := range bindings {
		out = append(out, gateway.Registration{
			Protocol: call.SIP, Alias: b.Alias, Contact: b.Contact, Address: b.Address, Transport: b.Transport,
			UserAgent: b.UserAgent, Since: b.Since, Expires: b.Expires,
		})
	}
	return out
}

// registrationChanged tells the event stream.
func (n *node) registrationChanged(e registrar.Event) {
	kind := gateway.EventUnregistered
	switch e.Kind {
	case registrar.Registered:
		kind = gateway.EventRegistered
	case registrar.Refreshed:
		return
	}
	b := e.Binding
	n.gateway.Publish(gateway.Event{Kind: kind, Registration: &gateway.Registration{
		Protocol: call.SIP, Alias: b.Alias, Contact: b.Contact, Address: b.Flow.Remote.String(), Transport: b.Flow.Transport,
		UserAgent: b.UserAgent, Since: b.Since, Expires: b.Expires,
	}})
}

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"strconv"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory/binding"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/edge"
	"github.com/roomgate/roomgate/sip/registrar"
)

// listenSIP binds the SIP stack.
func (n *node) listenSIP(c *config.Config, ports *portpool.Pool) error {
	settings := sipConfig(c, ports, n.log)
	settings.Certificate = n.sipTLS.Get
	settings.DialTLS = &tls.Config{MinVersion: tls.VersionTLS12}
	settings.Tap = func(r edge.Record) { countSIP(n.metrics, r) }
	settings.Trace = n.trace
	settings.Conferences = conferences{n}
	settings.OnRegistration = n.registrationChanged
	settings.Directory = sipDirectory{n}
	settings.Trunks = n.trunks(c)
	settings.OnLine = n.lineChanged
	settings.OnForged = func(name, caller, called string) { n.guard.Forged(name, caller, called) }
	bindings := sipBindings{&binding.Book{DB: n.directory.DB, Protocol: call.SIP, Node: n.meeting.node}, n.nodes}
	if err := bindings.recover(context.Background()); err != nil {
		return fmt.Errorf("bindings: %w", err)
	}
	settings.Bindings = bindings
	endpoint, err := sip.New(settings)
	if err != nil {
		return fmt.Errorf("sip: %w", err)
	}
	n.sip = endpoint
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

// registrations shows the bindings of all stacks in the gateway's words.
func (n *node) registrations() []gateway.Registration {
	bindings := n.sip.Registrations()
	out := n.h323.registrations()
	for _, b := range bindings {
		out = append(out, gateway.Registration{
			Protocol: call.SIP, Alias: b.Alias, Contact: b.Contact, Address: b.Address, Transport: b.Transport,
			UserAgent: b.UserAgent, Since: b.Since, Expires: b.Expires,
		})
	}
	return out
}

// known reports whether a terminal of ours has an alias.
func (n *node) known(alias string) bool {
	if n.sip.Known(alias) || n.h323.known(alias) {
		return true
	}
	_, elsewhere := n.h323.elsewhere(alias)
	return elsewhere
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

package main

import (
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/usage"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/trunk"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/hunt"
)

// guardTrunks makes the guard of all trunks.
func (n *node) guardTrunks() *trunk.Guard {
	return trunk.New(trunk.Config{
		Trunks:   func() []directory.Trunk { return n.allTrunks(n.live.Current()) },
		Password: n.directory.TrunkPassword,
		Usage:    usage.Book{DB: n.directory.DB},
		Country:  func() string { return n.live.Current().DialPlan.Country },
		Refused:  n.trunkRefused,
		Log:      n.log.Named("trunks"),
	})
}

// allTrunks are those of the configuration, then those of the directory with other
// names.
func (n *node) allTrunks(c *config.Config) []directory.Trunk {
	return allTrunks(c, n.directory.Trunks())
}

func allTrunks(c *config.Config, more []directory.Trunk) []directory.Trunk {
	taken := map[string]bool{}
	out := make([]directory.Trunk, 0, len(c.Trunks))
	for _, t := range c.Trunks {
		out = append(out, directory.Trunk{
			Name: t.Name, Networks: t.CIDRs, Codecs: t.Codecs, Lobby: t.Lobby, Language: t.Language,
			TrustIdentity: t.TrustIdentity, Numbers: t.Numbers, MaxCalls: t.MaxCalls, MaxRate: float64(t.MaxRate),
		})
		taken[directory.Fold(t.Name)] = true
	}
	for _, t := range more {
		if !taken[directory.Fold(t.Name)] {
			out = append(out, t)
		}
	}
	return out
}

// trunks are all trunks in the words of the SIP stack, and the other nodes.
func (n *node) trunks(c *config.Config) []sip.Trunk {
	var list []sip.Trunk
	registers := n.registersTrunks()
	for _, t := range n.allTrunks(c) {
		if t.Disabled || len(t.Networks) == 0 && !t.Challenge && len(t.Targets) == 0 {
			continue
		}
		list = append(list, n.sipTrunk(t, c.DialPlan.Country, registers))
	}
	for _, peer := range n.nodes.Peers() {
		// One on this host is not told from others on it by its address.
		if at, err := netip.ParseAddrPort(peer.SIP); err == nil && !isLocal(at.Addr()) {
			list = append(list, sip.Trunk{Name: gateway.NodeTrunk + peer.Name, Networks: []netip.Prefix{netip.PrefixFrom(at.Addr(), at.Addr().BitLen())}})
		}
	}
	return list
}

// registersTrunks reports whether this node is the one that is registered with
// carriers, of those on the database: they have one contact for an account. It is the
// first by name of those that are there.
func (n *node) registersTrunks() bool {
	for _, peer := range n.nodes.Peers() {
		if peer.Name < n.meeting.node {
			return false
		}
	}
	return true
}

func (n *node) sipTrunk(t directory.Trunk, country string, registers bool) sip.Trunk {
	out := sip.Trunk{Name: t.Name, Networks: t.Networks, TrustIdentity: t.TrustIdentity, Owns: trunk.Owns(t, country)}
	password := ""
	if t.Username != "" {
		var err error
		if password, err = n.directory.TrunkPassword(t); err != nil {
			n.log.Error("a password cannot be opened", zap.String("trunk", t.Name), zap.Error(err))
			t.Register = false
		}
	}
	if t.Challenge {
		out.Challenge, out.Username, out.Password = true, t.Username, password
	}
	if len(t.Targets) == 0 {
		return out
	}
	line := outboundOf(t, password)
	line.Register = t.Register && registers
	out.Out = &line
	return out
}

// outboundOf is the way out of a trunk in the words of the SIP stack.
func outboundOf(t directory.Trunk, password string) sip.Outbound {
	line := sip.Outbound{
		Username: t.Username, Password: password, Domain: t.Domain, Register: t.Register,
		Expires: time.Duration(t.Expires) * time.Second, Probe: time.Duration(t.ProbeSeconds) * time.Second,
		Patience: time.Duration(t.PatienceSeconds) * time.Second,
	}
	for _, x := range t.Targets {
		line.Targets = append(line.Targets, hunt.Target(x))
	}
	return line
}

// trunkRefused tells the event stream of a call that a trunk does not take.
func (n *node) trunkRefused(r trunk.Refusal) {
	n.gateway.Publish(gateway.Event{
		Kind: gateway.EventTrunkRefused,
		Text: fmt.Sprintf("%s %s %s: number %q, caller %q: %s", r.Trunk, r.Direction, r.Reason, r.Number, r.Caller, r.Text),
	})
}

// lineChanged tells the event stream of targets and registrations that come and go.
func (n *node) lineChanged(e sip.LineEvent) {
	what, state := "registration", "down"
	if e.Target != "" {
		what = "target " + e.Target
	}
	kind := gateway.EventTrunkDown
	if e.Up {
		kind, state = gateway.EventTrunkUp, "up"
	}
	text := fmt.Sprintf("%s: %s is %s", e.Trunk, what, state)
	if e.Error != "" {
		text += ": " + e.Error
	}
	n.gateway.Publish(gateway.Event{Kind: kind, Text: text})
}

// lines are the ways out of the trunks as the API shows them.
func (n *node) lines() []api.TrunkLine {
	var out []api.TrunkLine
	for _, l := range n.sip.Lines() {
		line := api.TrunkLine{Trunk: l.Name}
		if r := l.Registration; r.State != sip.NotRegistering {
			line.Registration = &api.TrunkRegistration{State: string(r.State), Target: r.Target, Error: r.Error}
			if !r.Expires.IsZero() && r.State == sip.Registered {
				expires := r.Expires.UTC()
				line.Registration.ExpiresAt = &expires
			}
			if !r.Next.IsZero() {
				next := r.Next.UTC()
				line.Registration.NextAt = &next
			}
		}
		for _, t := range l.Targets {
			line.Targets = append(line.Targets, targetView(t))
		}
		out = append(out, line)
	}
	return out
}

func targetView(t hunt.State) api.TrunkTargetState {
	v := api.TrunkTargetState{
		Target: t.Target, Name: t.Name, Transport: t.Transport, State: "unknown", Error: t.Error,
		RTTMS: float64(t.RTT.Round(100*time.Microsecond)) / float64(time.Millisecond),
	}
	if t.At.IsValid() {
		v.Address = t.At.String()
	}
	switch {
	case t.Down:
		v.State = "down"
	case t.Known:
		v.State = "up"
	}
	if !t.Since.IsZero() {
		since := t.Since.UTC()
		v.Since = &since
	}
	return v
}

package main

import (
	"fmt"
	"net/netip"
	"strings"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/sip"
)

// settings are those of a configuration with what the directory has. A rule of
// the directory that cannot be used is left out: the others must go on.
func (n *node) settings(c *config.Config) (gateway.Settings, error) {
	var rules []directory.Rule
	for _, r := range n.directory.Rules() {
		if _, err := route.Compile([]route.Rule{r}, route.Options{}); err != nil {
			n.log.Error("a dial rule is left out", zap.String("rule", r.ID), zap.String("name", r.Name), zap.Error(err))
			continue
		}
		rules = append(rules, r)
	}
	s, err := gatewaySettings(c, rules)
	s.Policy = callPolicy(c.DialPlan.Policy, n.log)
	return s, err
}

// directoryChanged puts into force what somebody changed in the directory.
func (n *node) directoryChanged(kind directory.Kind) {
	switch kind {
	case directory.KindMeeting:
		n.gateway.Refresh()
	case directory.KindRule, directory.KindTrunk:
		n.tuning.Lock()
		defer n.tuning.Unlock()
		c := n.live.Current()
		settings, err := n.settings(c)
		if err == nil {
			err = n.sip.Reload(sipAccounts(c.Accounts), n.trunks(c), sipLimits(c.Limits))
		}
		if err != nil {
			n.log.Error("a change of the directory is not in force", zap.Error(err))
			return
		}
		n.gateway.Apply(settings)
	}
}

// trunks are those of the configuration, then those of the directory, then the
// other nodes.
func (n *node) trunks(c *config.Config) []sip.Trunk {
	list := sipTrunks(c.Trunks)
	for _, t := range n.directory.Trunks() {
		if !t.Disabled && len(t.Networks) > 0 {
			list = append(list, sip.Trunk{Name: t.Name, Networks: t.Networks})
		}
	}
	for _, peer := range n.nodes.Peers() {
		// One on this host is not told from others on it by its address.
		if at, err := netip.ParseAddrPort(peer.SIP); err == nil && !isLocal(at.Addr()) {
			list = append(list, sip.Trunk{Name: gateway.NodeTrunk + peer.Name, Networks: []netip.Prefix{netip.PrefixFrom(at.Addr(), at.Addr().BitLen())}})
		}
	}
	return list
}

// overTrunk says how a number is called over a trunk of the directory.
func (n *node) overTrunk(name, number string) (call.Protocol, call.Target, error) {
	for _, t := range n.directory.Trunks() {
		if directory.Fold(t.Name) != directory.Fold(name) || t.Disabled {
			continue
		}
		if len(t.Targets) == 0 {
			return "", call.Target{}, fmt.Errorf("the trunk %s has no target", t.Name)
		}
		password, err := n.directory.TrunkPassword(t)
		if err != nil {
			return "", call.Target{}, err
		}
		at := t.Targets[0]
		via := "sip:" + at.Address
		if at.Transport != "" {
			via += ";transport=" + strings.ToLower(at.Transport)
		}
		return call.SIP, call.Target{Address: "sip:" + number + "@" + at.Address, Via: via, Username: t.Username, Password: password}, nil
	}
	return "", call.Target{}, fmt.Errorf("there is no trunk %s", name)
}

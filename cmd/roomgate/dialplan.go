package main

import (
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
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
	s, err := gatewaySettings(c, n.directory.Trunks(), rules)
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

package main

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/config/certificate"
	"github.com/roomgate/roomgate/gateway"
)

// renewalCheck is how often the self-signed certificate is looked at.
const renewalCheck = 12 * time.Hour

// apply puts a new configuration into force: first everything that may fail,
// then everything else.
func (n *node) apply(_ context.Context, _, next *config.Config) error {
	ids, err := loadIdentities(next, time.Now())
	if err != nil {
		return err
	}
	hash, err := keyHash(next)
	if err != nil {
		return err
	}
	n.tuning.Lock()
	defer n.tuning.Unlock()
	settings, err := n.settings(next)
	if err != nil {
		return err
	}
	if err := n.sip.Reload(sipAccounts(next.Accounts), n.trunks(next), sipLimits(next.Limits)); err != nil {
		return err
	}
	n.h323.apply(next)
	n.sipTLS.Set(ids.sip)
	n.webTLS.Set(ids.web)
	n.keys.Set(hash)
	n.gateway.Apply(settings)
	n.level.SetLevel(levelOf(next.Log))
	return nil
}

// reloaded tells the event stream what became of a reload.
func (n *node) reloaded(o config.Outcome) {
	e := gateway.Event{Kind: gateway.EventConfigReloaded, Text: strings.Join(o.Changed, " ")}
	if o.Err != nil {
		e = gateway.Event{Kind: gateway.EventConfigRefused, Text: o.Err.Error()}
	}
	n.gateway.Publish(e)
}

// reload is the latest reload as the API shows it.
func (n *node) reload() api.Reload {
	o := n.live.Outcome()
	return api.Reload{At: o.At, Err: o.Err, NeedRestart: o.NeedRestart, Reloads: o.Reloads, Failures: o.Failures}
}

// renew replaces the self-signed certificate before it expires.
func (n *node) renew(ctx context.Context) error {
	tick := time.NewTicker(renewalCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		ids, err := loadIdentities(n.live.Current(), time.Now())
		if err != nil {
			n.log.Error("certificate not renewed", zap.Error(err))
			continue
		}
		n.sipTLS.Set(ids.sip)
		n.webTLS.Set(ids.web)
	}
}

// identities are the certificates of SIP and of the web.
type identities struct{ sip, web *tls.Certificate }

// loadIdentities reads the configured certificates, and the self-signed one
// where none is configured.
func loadIdentities(c *config.Config, now time.Time) (ids identities, err error) {
	load := func(cert, key string) (*tls.Certificate, error) {
		if cert != "" {
			return certificate.Load(cert, key, now)
		}
		names := certificate.HostNames()
		for _, network := range c.Networks {
			if network.Address.IsValid() {
				names = append(names, network.Address.String())
			}
		}
		if c.SIP.Domain != "" {
			names = append(names, c.SIP.Domain)
		}
		self, _, err := certificate.SelfSigned(c.DataDir, names, now)
		return self, err
	}
	if ids.sip, err = load(c.SIP.TLS.Cert, c.SIP.TLS.Key); err != nil {
		return ids, err
	}
	ids.web, err = load(c.HTTP.TLS.Cert, c.HTTP.TLS.Key)
	return ids, err
}

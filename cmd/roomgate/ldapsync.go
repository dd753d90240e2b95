package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/ldapsync"
)

// errNoSource is returned where no source of endpoints is configured.
var errNoSource = errors.New("ldap_sync.url is not set")

// ldapSource is where endpoints are taken over from.
func ldapSource(c config.LDAPSync) (s ldapsync.Source, err error) {
	if c.URL == "" {
		return s, errNoSource
	}
	s = ldapsync.Source{
		URL: c.URL, StartTLS: c.StartTLS, BindDN: c.BindDN, Password: c.Password, Base: c.Base, Schema: c.Schema, Filter: c.Filter,
		Agency: c.Agency, Delete: c.Delete, Attributes: ldapsync.Attributes(c.Attributes),
	}
	if c.CAFile != "" {
		if s.CA, err = os.ReadFile(c.CAFile); err != nil {
			return s, fmt.Errorf("ldap_sync.ca_file: %w", err)
		}
	}
	return s, nil
}

// syncDirectory takes endpoints over, for the API.
func (n *node) syncDirectory(ctx context.Context, dry, force bool) (ldapsync.Plan, error) {
	s, err := ldapSource(n.live.Current().LDAPSync)
	if err != nil {
		return ldapsync.Plan{}, err
	}
	p, err := ldapsync.Run(ctx, n.directory, s, dry, force)
	log := n.log.Named("ldap_sync")
	if err != nil {
		log.Warn("endpoints are not taken over", zap.Error(err))
		return p, err
	}
	if !dry {
		log.Info("endpoints are taken over", zap.Int("new", p.Count("create")), zap.Int("changed", p.Count("update")),
			zap.Int("deleted", p.Count("delete")), zap.Int("newly_missing", p.Count("mark")), zap.Int("missing", len(p.Missing)), zap.Int("faults", len(p.Faults)))
	}
	return p, nil
}

// syncRegularly takes endpoints over every ldap_sync.every, at one of several nodes.
func (n *node) syncRegularly(ctx context.Context) error {
	c := n.live.Current().LDAPSync
	if c.URL == "" || c.Every == 0 {
		return nil
	}
	turn := n.leases.Take("ldap sync")
	defer turn.Release()
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if turn.Held() {
			_, _ = n.syncDirectory(ctx, false, false) // it tells what is wrong itself
		}
	}
}

func syncCommand() *cobra.Command {
	var dry, force bool
	cmd := &cobra.Command{
		Use:     "sync",
		Short:   "Take endpoints over from the LDAP directory of ldap_sync",
		Example: "  roomgate directory sync --dry-run --config roomgate.yaml",
		Args:    cobra.NoArgs,
	}
	file := configFlag(cmd)
	cmd.Flags().BoolVarP(&dry, "dry-run", "n", false, "tell what would change, and change nothing")
	cmd.Flags().BoolVar(&force, "force", false, "believe a source that has lost many endpoints at once")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return onDirectory(cmd.Context(), *file, func(c *config.Config, d *directory.Directory) error {
			s, err := ldapSource(c.LDAPSync)
			if err != nil {
				return err
			}
			p, err := ldapsync.Run(cmd.Context(), d, s, dry, force)
			if err != nil {
				return err
			}
			printSync(cmd, p, dry)
			return nil
		})
	}
	return cmd
}

func printSync(cmd *cobra.Command, p ldapsync.Plan, dry bool) {
	out := cmd.OutOrStdout()
	for _, c := range p.Changes {
		if !dry {
			continue
		}
		fmt.Fprintf(out, "%s %s\n", c.Action, c.Name)
		for _, f := range c.Fields {
			if f.Name == "password" {
				fmt.Fprintln(out, "    password: another one")
				continue
			}
			fmt.Fprintf(out, "    %s: %q -> %q\n", f.Name, f.Before, f.After)
		}
	}
	for _, name := range p.Missing {
		fmt.Fprintf(out, "missing %s\n", name)
	}
	for _, f := range p.Faults {
		fmt.Fprintln(cmd.ErrOrStderr(), f)
	}
	verb := "taken over"
	if dry {
		verb = "would be taken over"
	}
	fmt.Fprintf(out, "%s: %d new, %d changed, %d as they were, %d deleted, %d missing, %d faults\n", verb,
		p.Count("create"), p.Count("update"), p.Unchanged, p.Count("delete"), len(p.Missing), len(p.Faults))
}

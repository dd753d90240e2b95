package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/sheet"
	"github.com/roomgate/roomgate/gateway/route"
)

func directoryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "directory",
		Short: "Import, export and take over endpoints, try the dial plan",
		Long:  "Work on the directory in the database of the configuration. A gateway that runs on it notices within a second.",
	}
	cmd.AddCommand(importCommand(), exportCommand(), syncCommand(), routeCommand(), resealCommand())
	return cmd
}

// onDirectory runs f with the directory of the configuration.
func onDirectory(ctx context.Context, file string, f func(*config.Config, *directory.Directory) error) error {
	c, err := config.Load(file)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	d, err := openDirectory(ctx, c, zap.NewNop())
	if err != nil {
		return err
	}
	return errors.Join(f(c, d), d.DB.Close())
}

func importCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Import endpoints from a table; - reads standard input",
		Long: "Import endpoints from a CSV table with a heading. All rows are taken, or, when there is an error, none.\n" +
			"Columns: " + strings.Join(sheet.Columns(), ", ") + ". Several values of a cell stand with | between them.",
		Example: "  roomgate directory import rooms.csv --dry-run --config roomgate.yaml",
		Args:    cobra.ExactArgs(1),
	}
	file := configFlag(cmd)
	cmd.Flags().BoolVarP(&dry, "dry-run", "n", false, "tell what would change, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in, err := open(args[0], cmd.InOrStdin())
		if err != nil {
			return err
		}
		defer in.Close()
		return onDirectory(cmd.Context(), *file, func(_ *config.Config, d *directory.Directory) error {
			return importTable(cmd, d, in, dry)
		})
	}
	return cmd
}

func open(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(name)
}

// errTable is returned when faults of the table have been printed.
var errTable = errors.New("nothing was imported")

// mostFaults are printed of a table.
const mostFaults = 100

func importTable(cmd *cobra.Command, d *directory.Directory, in io.Reader, dry bool) error {
	out := cmd.OutOrStdout()
	s, faults := sheet.Read(in)
	var p sheet.Plan
	if len(faults) == 0 {
		bar := newBar(cmd.ErrOrStderr(), s.Rows())
		p = s.Plan(d, "", bar.at)
		bar.end()
		faults = p.Faults
	}
	if len(faults) > 0 {
		for _, f := range faults[:min(len(faults), mostFaults)] {
			fmt.Fprintln(cmd.ErrOrStderr(), f)
		}
		return fmt.Errorf("%d errors: %w", len(faults), errTable)
	}
	created := 0
	for _, c := range p.Changes {
		if c.Action == sheet.Create {
			created++
		}
		if dry {
			printChange(out, c)
		}
	}
	if !dry {
		if err := p.Apply(cmd.Context(), d); err != nil {
			return err
		}
	}
	verb := "imported"
	if dry {
		verb = "would be imported"
	}
	fmt.Fprintf(out, "%s: %d new, %d changed, %d as they were\n", verb, created, len(p.Changes)-created, p.Unchanged)
	return nil
}

// printChange prints a row of a dry run as people read differences.
func printChange(out io.Writer, c sheet.Change) {
	if c.Action == sheet.Create {
		fmt.Fprintf(out, "+ row %d: %s\n", c.Row, c.Endpoint.Name)
		return
	}
	fmt.Fprintf(out, "~ row %d: %s\n", c.Row, c.Endpoint.Name)
	for _, f := range c.Fields {
		if f.Column == "password" {
			fmt.Fprintln(out, "    password: another one")
			continue
		}
		fmt.Fprintf(out, "    %s: %q -> %q\n", f.Column, f.Before, f.After)
	}
}

func exportCommand() *cobra.Command {
	var passwords bool
	cmd := &cobra.Command{
		Use:   "export FILE.csv",
		Short: "Export endpoints as a table; - writes standard output",
		Args:  cobra.ExactArgs(1),
	}
	file := configFlag(cmd)
	cmd.Flags().BoolVar(&passwords, "passwords", false, "with the passwords")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return onDirectory(cmd.Context(), *file, func(_ *config.Config, d *directory.Directory) error {
			page, err := d.Endpoints(directory.Query{})
			if err != nil {
				return err
			}
			var password func(directory.Endpoint) (string, error)
			if passwords {
				password = d.Password
			}
			if args[0] == "-" {
				return sheet.Write(cmd.OutOrStdout(), page.Endpoints, password)
			}
			f, err := os.OpenFile(args[0], os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
			if err != nil {
				return err
			}
			if err := errors.Join(sheet.Write(f, page.Endpoints, password), f.Close()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "exported: %d\n", len(page.Endpoints))
			return nil
		})
	}
	return cmd
}

func resealCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reseal",
		Short: "Encrypt all passwords with the first secret key",
		Long:  "After a new key was put before the others of secret_key: encrypt with it what was encrypted with those. Then they can be taken away.",
		Args:  cobra.NoArgs,
	}
	file := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return onDirectory(cmd.Context(), *file, func(_ *config.Config, d *directory.Directory) error {
			n, err := d.Reseal(cmd.Context())
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "encrypted anew: %d\n", n)
			}
			return err
		})
	}
	return cmd
}

func routeCommand() *cobra.Command {
	var info call.Info
	var protocol, source, at string
	cmd := &cobra.Command{
		Use:     "route DIALLED",
		Short:   "Tell where a call would go, and what each dial rule says to it",
		Example: "  roomgate directory route '024 3823 1234' --caller room-a --source 10.1.2.3 --config roomgate.yaml",
		Args:    cobra.ExactArgs(1),
	}
	file := configFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&info.Remote.Alias, "caller", "", "alias of the caller; with an endpoint of the directory its permissions hold")
	f.StringVar(&info.Remote.Trunk, "trunk", "", "trunk that the call comes from")
	f.StringVar(&protocol, "protocol", "sip", "sip or h323")
	f.StringVar(&source, "source", "127.0.0.1", "address that the call comes from")
	f.StringVar(&at, "at", "", "moment, such as 2026-01-31T23:00:00+07:00; default now")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		info.Called, info.Protocol, info.Direction = args[0], call.Protocol(protocol), call.In
		info.Remote.Registered = info.Remote.Alias != ""
		from, err := netip.ParseAddr(source)
		if err != nil {
			return fmt.Errorf("--source: %w", err)
		}
		info.Remote.Address = netip.AddrPortFrom(from, 0)
		moment := time.Now()
		if at != "" {
			if moment, err = time.Parse(time.RFC3339, at); err != nil {
				return fmt.Errorf("--at: %w", err)
			}
		}
		return onDirectory(cmd.Context(), *file, func(c *config.Config, d *directory.Directory) error {
			settings, err := gatewaySettings(c, d.Trunks(), d.Rules())
			if err != nil {
				return err
			}
			decision, steps := settings.Rules.Explain(info, onPaper{c, d}, moment)
			printRoute(cmd.OutOrStdout(), decision, steps)
			return nil
		})
	}
	return cmd
}

func printRoute(out io.Writer, d route.Decision, steps []route.Step) {
	for _, s := range steps {
		mark := " "
		if s.Matched {
			mark = "*"
		}
		name := s.Name
		if name != "" {
			name = " " + name
		}
		fmt.Fprintf(out, "%s rule %d%s: %s\n", mark, s.Rule, name, s.Why)
	}
	to := ""
	switch {
	case d.Reject != "":
		to = "refused, " + string(d.Reject)
	case d.Lobby:
		to = "the lobby"
	case d.Trunk != "":
		to = fmt.Sprintf("%s over the trunk %s", d.Number, d.Trunk)
	case d.Endpoint != "":
		to = "the terminal " + d.Endpoint
	default:
		to = "the meeting " + d.Meeting
	}
	fmt.Fprintf(out, "=> %s (%s)\n", to, d.Why)
}

// onPaper is the world as configuration and directory have it, without a gateway
// that runs.
type onPaper struct {
	c *config.Config
	d *directory.Directory
}

var _ route.World = onPaper{}

// MeetingExists implements route.World.
func (o onPaper) MeetingExists(alias string) bool {
	m, ok := o.d.Meeting(alias)
	return ok && m.Alias == alias
}

// MayCreateMeeting implements route.World.
func (o onPaper) MayCreateMeeting(alias string) bool {
	return o.c.Meetings.AutoCreate && directory.IsMeetingAlias(alias)
}

// TerminalExists implements route.World.
func (o onPaper) TerminalExists(alias string) bool {
	for _, a := range o.c.Accounts {
		for _, name := range append([]string{a.Username}, a.Aliases...) {
			if name == alias {
				return true
			}
		}
	}
	_, ok := o.d.ByAlias(alias)
	return ok
}

// Stranger implements route.World.
func (o onPaper) Stranger(info call.Info) bool { return !info.Remote.Registered }

// Permitted implements route.World.
func (o onPaper) Permitted(info call.Info, what directory.Permission) bool {
	e, ok := o.d.ByAlias(info.Remote.Alias)
	return !ok || !info.Remote.Registered || e.May(what)
}

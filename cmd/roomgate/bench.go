package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/roomgate/roomgate/bench"
)

// errNotMeasured makes the exit code 1 after a report that has gaps.
var errNotMeasured = errors.New("not everything could be measured")

func benchCommand() *cobra.Command {
	var o bench.Options
	var asJSON bool
	var relay string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure speed and memory, as ratios to baselines of the same run",
		Long: "Start this program as a gateway with an SFU on free ports of the loopback, put calls on it and measure.\n" +
			"Scenarios: " + strings.Join(bench.Names(), ", ") + ".",
		Example: "  roomgate bench --quick\n  roomgate bench --only calls --calls 50 --json",
		Args:    cobra.NoArgs,
	}
	f := cmd.Flags()
	f.BoolVar(&o.Quick, "quick", false, "shorter windows, fewer steps: under two minutes")
	f.StringSliceVar(&o.Only, "only", nil, "scenarios to run; default: all")
	f.IntSliceVar(&o.Calls, "calls", nil, "numbers of calls at once; default: 20,50,100")
	f.DurationVar(&o.Window, "window", 0, "how long each figure is measured; default: 10s, 5s with --quick")
	f.StringVar(&o.Protocol, "protocol", "sip", "of the calls: sip or h323")
	f.BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	f.StringVar(&relay, "relay", "", "be the bare relay that the gateway is compared with")
	_ = f.MarkHidden("relay") // the flag exists
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		if relay != "" {
			return bench.Relay(ctx, relay, cmd.OutOrStdout())
		}
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program: %w", err)
		}
		o.Binary, o.Progress = self, cmd.ErrOrStderr()
		report, err := bench.Run(ctx, o)
		if err != nil {
			return err
		}
		if asJSON {
			err = report.JSON(cmd.OutOrStdout())
		} else {
			err = report.Table(cmd.OutOrStdout())
		}
		if err == nil && len(report.Failures) > 0 {
			err = errNotMeasured
		}
		return err
	}
	return cmd
}

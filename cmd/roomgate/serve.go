package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/roomgate/roomgate/config"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: "Run the gateway. SIGHUP, or a change of the configuration file, reloads what can be reloaded without touching calls.\n" +
			"SIGTERM takes no new calls and stops when the last one has ended, or drain_timeout has passed; a second SIGTERM stops at once.",
		Args: cobra.NoArgs,
	}
	file := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := config.Load(*file)
		if err != nil {
			return fmt.Errorf("configuration:\n%w", err)
		}
		signals := make(chan os.Signal, 4)
		signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
		defer signal.Stop(signals)

		n, err := newNode(cmd.Context(), c, *file, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		n.greeting.print(cmd.OutOrStdout())
		return n.run(cmd.Context(), signals)
	}
	return cmd
}

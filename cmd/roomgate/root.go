package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// root is the command line.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "roomgate",
		Short:         "Rooms and phones in WebRTC meetings",
		SilenceErrors: true, // main prints them
		SilenceUsage:  true,
	}
	cmd.CompletionOptions.HiddenDefaultCmd = true
	cmd.AddCommand(serveCommand(), checkCommand(), terminalCommand(), sfuCommand(), benchCommand(), directoryCommand(), versionCommand())
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "roomgate %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}

// configFlag adds --config to a command.
func configFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("config", "c", "", "configuration file (YAML); without one, defaults and ROOMGATE_* variables")
}

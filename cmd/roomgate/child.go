package main

import (
	"github.com/spf13/cobra"

	"github.com/roomgate/roomgate/meeting/embedded/server"
)

// sfuCommand is the embedded meeting server's process; serve starts it.
func sfuCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "sfu",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return server.Main(cmd.Context(), cmd.InOrStdin())
		},
	}
}

// Command sfu is the embedded server's process alone, for tests: building it
// is quicker than linking the server into every test binary.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/roomgate/roomgate/meeting/embedded/server"
)

func main() {
	if err := server.Main(context.Background(), os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

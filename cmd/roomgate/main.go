// Command roomgate connects SIP rooms and phones to WebRTC meetings.
package main

import (
	"context"
	"fmt"
	"os"
)

// version is set by the linker.
var version = "unknown"

func main() {
	if err := root().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "roomgate:", err)
		os.Exit(1)
	}
}

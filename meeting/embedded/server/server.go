// Package server is the embedded SFU's own process: it reads its configuration
// from standard input, runs the LiveKit server linked into this binary, and
// ends when standard input closes, that is, with the gateway.
package server

import (
	"context"
	"io"
)

// Main serves until in closes or ctx ends. Logs go to log, one JSON object a
// line.
func Main(ctx context.Context, in io.Reader, log io.Writer) error { panic("incomplete") }

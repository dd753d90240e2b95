// Package server is the embedded SFU's own process: it reads its settings from
// standard input, runs the LiveKit server linked into this binary, and ends
// when standard input closes, that is, with the gateway.
package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/livekit/livekit-server/pkg/config"
	"github.com/livekit/livekit-server/pkg/routing"
	"github.com/livekit/livekit-server/pkg/service"
	"github.com/livekit/livekit-server/pkg/telemetry/prometheus"

	"github.com/roomgate/roomgate/meeting/embedded"
)

// stopTimeout bounds the server's own end, after which the process just exits.
const stopTimeout = 500 * time.Millisecond

// Main serves until in closes or ctx ends. The server logs to standard error,
// one JSON object a line. Main is for a process of its own: the server keeps
// goroutines and process-wide state after it stops.
func Main(ctx context.Context, in io.Reader) error {
	input := bufio.NewReader(in)
	line, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("sfu: settings: %w", err)
	}
	var settings embedded.Settings
	if err := json.Unmarshal(line, &settings); err != nil {
		return fmt.Errorf("sfu: settings: %w", err)
	}
	srv, err := build(settings)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	go func() {
		// The gateway writes nothing more: its end closes the pipe.
		_, _ = io.Copy(io.Discard, input)
		stop()
	}()
	ended := make(chan error, 1)
	go func() { ended <- srv.Start() }()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("sfu: %w", err)
		}
		return nil
	case <-ctx.Done():
		// Everybody in a room is told; whoever holds that up loses his process.
		go srv.Stop(true)
		select {
		case <-ended:
		case <-time.After(stopTimeout):
		}
		return nil
	}
}

// build wires the server as its own command does.
func build(s embedded.Settings) (*service.LivekitServer, error) {
	text, err := configuration(s)
	if err != nil {
		return nil, err
	}
	conf, err := config.NewConfig(text, true, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	config.InitLoggerFromConfig(&conf.Logging)
	if err := conf.ValidateKeys(); err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	node, err := routing.NewLocalNode(conf)
	if err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	if err := prometheus.Init(string(node.NodeID()), node.NodeType()); err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	srv, err := service.InitializeServer(conf, node)
	if err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	return srv, nil
}

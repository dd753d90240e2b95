package main

import (
	"context"
	"os"
	"syscall"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// run serves until a signal ends it, or a part fails.
func (n *node) run(ctx context.Context, signals <-chan os.Signal) error {
	defer n.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	calls, endCalls := context.WithCancel(ctx)
	defer endCalls()
	events := n.gateway.Events(ctx, 0)
	untold := n.gateway.Events(context.Background(), 0) // ends with the gateway

	group.Go(func() error {
		defer stop() // the rest serves as long as there are calls
		return n.gateway.Run(calls)
	})
	group.Go(func() error { return n.h323.serveZone(calls) })
	group.Go(func() error { return n.h323.join(calls, n.live.Current().H323.Register) })
	group.Go(func() error { return n.web.run(ctx) })
	group.Go(func() error { return n.phoneBook.serve(ctx) })
	group.Go(func() error { return n.syncRegularly(ctx) })
	group.Go(func() error { return n.directory.Run(ctx) })
	group.Go(func() error { return n.recordProgress(ctx) })
	group.Go(func() error { return n.nodes.Run(ctx) })
	group.Go(func() error { return n.leases.Run(ctx) })
	group.Go(func() error { return n.hooks.Run(ctx) })
	group.Go(func() error { return n.guard.Run(calls) })
	group.Go(func() error {
		n.metrics.Run(events)
		return nil
	})
	group.Go(func() error {
		n.tellWebhooks(untold)
		return nil
	})
	group.Go(func() error { return n.renew(ctx) })
	group.Go(func() error {
		if err := n.live.Run(ctx); err != nil {
			n.log.Error("changes of the configuration file are no longer followed; SIGHUP still reloads", zap.Error(err))
		}
		return nil
	})
	group.Go(func() error {
		n.obey(ctx, signals, endCalls)
		return nil
	})
	n.log.Info("ready", zap.String("version", version))
	keeping, endKeeping := context.WithCancel(context.Background())
	kept := make(chan struct{})
	go func() { // longer than everything that ends calls
		defer close(kept)
		_ = n.records.Run(keeping) // always nil
	}()
	err := group.Wait()
	endKeeping()
	<-kept
	n.log.Info("closed", zap.Error(err))
	return err
}

// obey acts on signals until ctx ends.
func (n *node) obey(ctx context.Context, signals <-chan os.Signal, endCalls context.CancelFunc) {
	draining, hurry := context.WithCancel(ctx)
	defer hurry()
	drained := make(chan struct{})
	asked := false
	for {
		select {
		case <-ctx.Done():
			if asked {
				<-drained
			}
			return
		case s := <-signals:
			switch {
			case s == syscall.SIGHUP:
				_ = n.live.Reload(ctx) // it tells what is wrong itself
			case asked:
				n.log.Warn("stopping at once")
				hurry()
			default:
				asked = true
				go func() {
					defer close(drained)
					n.drain(draining)
					endCalls()
				}()
			}
		}
	}
}

// drain waits for the last call, for drain_timeout at most.
func (n *node) drain(ctx context.Context) {
	limit := n.live.Current().DrainTimeout
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	n.log.Info("draining: no new calls; a second signal stops at once",
		zap.Int("calls", len(n.gateway.Calls())), zap.Duration("at_most", limit))
	n.sip.Drain()
	n.h323.drain()
	n.gateway.Drain(ctx)
}

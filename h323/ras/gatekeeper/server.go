package gatekeeper

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/roomgate/roomgate/h323/ras/socket"
)

// Server puts sockets and time around a Gatekeeper.
type Server struct {
	*Gatekeeper
	sockets *socket.Set
}

// Listen binds addresses for RAS and, when discovery is wanted, the group that terminals
// search in. Config.Send is set to the sockets'; Serve has to follow, or Close.
func Listen(c Config, addresses []string, discovery bool) (*Server, error) {
	sockets, err := socket.Open(addresses, discovery)
	if err != nil {
		return nil, err
	}
	c.Send = sockets.Send
	g, err := New(c)
	if err != nil {
		return nil, errors.Join(err, sockets.Close())
	}
	for _, warning := range sockets.Warnings {
		g.log.Warn("no discovery by multicast", zap.Error(warning))
	}
	return &Server{g, sockets}, nil
}

// Addresses are those of RAS.
func (s *Server) Addresses() []netip.AddrPort { return s.sockets.Addresses() }

const (
	tickEvery = 250 * time.Millisecond
	saveEvery = time.Second
)

// Serve works until ctx ends; then it tells the endpoints nothing, since they shall
// register again when we are back, and keeps what has to be kept.
func (s *Server) Serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.sockets.Serve(ctx, s.Receive) })
	group.Go(func() error {
		every(ctx, tickEvery, s.Tick)
		return nil
	})
	group.Go(func() error {
		every(ctx, saveEvery, func() { s.Save(ctx) })
		s.Save(context.WithoutCancel(ctx))
		return nil
	})
	return group.Wait()
}

// Close is for a Server that never served.
func (s *Server) Close() error { return s.sockets.Close() }

func every(ctx context.Context, d time.Duration, f func()) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			f()
		}
	}
}

// Save writes what changed to the store; what it does not take is tried again the next
// time.
func (g *Gatekeeper) Save(ctx context.Context) {
	g.mu.Lock()
	save, deleted := g.table.takeChanges()
	g.mu.Unlock()
	if len(save) > 0 {
		if err := g.c.Store.Save(ctx, save); err != nil {
			g.log.Warn("registrations not kept", zap.Error(err))
			g.again(save, nil)
		}
	}
	if len(deleted) > 0 {
		if err := g.c.Store.Delete(ctx, deleted); err != nil {
			g.log.Warn("registrations not forgotten", zap.Error(err))
			g.again(nil, deleted)
		}
	}
}

// again notes what a store did not take.
func (g *Gatekeeper) again(save []Registration, deleted []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range save {
		if g.table.byID[r.ID] != nil {
			g.table.changed[r.ID] = true
		}
	}
	for _, id := range deleted {
		g.table.changed[id] = false
	}
}

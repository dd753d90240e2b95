package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Pauses before a dead child is started again, doubled each time; a child that
// lived for settled starts over at the shortest.
const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 10 * time.Second
	settled       = 30 * time.Second
)

// errChildEnded is why a start failed when the child died before it served.
var errChildEnded = errors.New("child ended")

// Server is a supervised SFU.
type Server struct {
	config Config
	log    *zap.Logger

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}

	pid      atomic.Int64
	restarts atomic.Int64
	served   atomic.Bool // a child has served: Start has returned
	mu       sync.Mutex
	ready    chan struct{} // closed while the child serves
}

// Start runs the child and waits until it serves.
func Start(ctx context.Context, c Config) (*Server, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, log: c.Logger.Named("sfu"), done: make(chan struct{}), ready: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	first := make(chan error, 1)
	go s.run(first)
	ctx, stop := context.WithTimeout(ctx, c.StartTimeout)
	defer stop()
	select {
	case err = <-first:
	case <-ctx.Done():
		err = fmt.Errorf("embedded sfu did not start: %w", ctx.Err())
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// URL is where the server's signalling is reached from this host (ws://...).
func (s *Server) URL() string {
	host := s.config.Bind[0]
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "ws://" + net.JoinHostPort(host, strconv.Itoa(s.config.Port))
}

// Credentials sign tokens for the server.
func (s *Server) Credentials() (key, secret string) { return s.config.APIKey, s.config.APISecret }

// Media is where the server's media port is reached from this host, whatever
// address it advertises.
func (s *Server) Media() []netip.AddrPort {
	return []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(s.config.UDPPort))}
}

// PID is the process id of the child, 0 while it is being restarted.
func (s *Server) PID() int { return int(s.pid.Load()) }

// Restarts counts how often the child had to be started again.
func (s *Server) Restarts() int { return int(s.restarts.Load()) }

// Ready is closed once the child serves; a new channel stands in its place
// while it is being restarted.
func (s *Server) Ready() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// Close ends the child and waits for it.
func (s *Server) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// run starts the child again and again until Close.
func (s *Server) run(first chan<- error) {
	defer close(s.done)
	pause := shortestPause
	for {
		began := time.Now()
		err := s.runChild(first)
		if s.ctx.Err() != nil {
			s.log.Info("closed")
			return
		}
		if !s.served.Load() {
			first <- err // Start gives up and closes
			<-s.ctx.Done()
			return
		}
		if time.Since(began) > settled {
			pause = shortestPause
		}
		s.restarts.Add(1)
		s.log.Error("sfu ended, starting it again", zap.Error(err), zap.Duration("pause", pause))
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// runChild runs one child until it ends, hangs, or the server is closed.
func (s *Server) runChild(first chan<- error) error {
	child, err := spawn(s.config, s.log)
	if err != nil {
		return err
	}
	s.pid.Store(int64(child.pid()))
	defer s.pid.Store(0)
	probe := &probe{url: "http" + s.URL()[len("ws"):] + "/"}
	defer probe.close()
	if err := probe.await(s.ctx, child.ended, s.config.StartTimeout); err != nil {
		return errors.Join(err, child.kill())
	}
	s.log.Info("sfu serves", zap.Int("pid", child.pid()), zap.String("url", s.URL()))
	s.setReady()
	defer s.unsetReady()
	if !s.served.Swap(true) {
		first <- nil
	}
	err = probe.watch(s.ctx, child.ended)
	if s.ctx.Err() != nil {
		return child.end(2 * time.Second)
	}
	return errors.Join(err, child.kill())
}

func (s *Server) setReady() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ready)
}

func (s *Server) unsetReady() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = make(chan struct{})
}

package embedded

import (
	"context"
	"net/netip"
)

// Server is a supervised SFU.
type Server struct{}

// Start runs the child and waits until it serves.
func Start(ctx context.Context, c Config) (*Server, error) { panic("incomplete") }

// URL is where the server's signalling is reached from this host (ws://...).
func (s *Server) URL() string { panic("incomplete") }

// Credentials sign tokens for the server.
func (s *Server) Credentials() (key, secret string) { panic("incomplete") }

// Media is where the server's media port is reached from this host.
func (s *Server) Media() []netip.AddrPort { panic("incomplete") }

// PID is the process id of the child, 0 while it is being restarted.
func (s *Server) PID() int { panic("incomplete") }

// Restarts counts how often the child had to be started again.
func (s *Server) Restarts() int { panic("incomplete") }

// Close ends the child and waits for it.
func (s *Server) Close() error { panic("incomplete") }

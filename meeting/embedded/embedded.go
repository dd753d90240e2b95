// Package embedded runs the LiveKit server that comes with the gateway: the
// same binary as a supervised child process, so that a panic in the server
// cannot take calls down. See package server for the child's side.
package embedded

import (
	"net/netip"
	"time"

	"go.uber.org/zap"
)

// Config says how the child serves.
type Config struct {
	// Command is the child's command line; empty means this binary with the
	// argument "sfu".
	Command []string
	// Env is added to the child's environment, which holds nothing else of
	// ours but PATH.
	Env []string
	// Bind lists the addresses the signalling port binds to; default
	// 127.0.0.1 and ::1 (browsers come through the gateway's own origin).
	Bind []string
	// Port is the signalling port (TCP), default 7880; TCPPort takes media
	// over TCP, default 7881, negative for none; UDPPort takes media, default
	// 7882. Port and UDPPort may be -1 to let a free port be chosen once.
	Port, TCPPort, UDPPort int
	// NodeIP lists the addresses browsers send media to, IPv4 and IPv6 each at
	// most once. Empty means the address of the default route, or 127.0.0.1.
	NodeIP []netip.Addr
	// STUN lists servers handed to browsers, host:port. Empty means none.
	STUN []string
	// APIKey and APISecret; both random per start when empty.
	APIKey, APISecret string
	// Codecs lists MIME types rooms may use; default Opus, G.711 and H.264.
	Codecs []string
	// RemoteUnmute lets moderators unmute.
	RemoteUnmute bool
	// NoAutoCreate refuses rooms that were not created through the service.
	NoAutoCreate bool
	// EmptyTimeout and DepartureTimeout close rooms nobody joined, or
	// everybody left. Defaults 60 s and 20 s.
	EmptyTimeout, DepartureTimeout time.Duration
	// Redis is host:port of a Redis server when several nodes share rooms.
	Redis string
	// StartTimeout bounds the wait for the first answer. Default 15 s.
	StartTimeout time.Duration
	// LogLevel of the child (debug, info, warn, error); default warn, because
	// below that its lines name participants.
	LogLevel string
	Logger   *zap.Logger
}

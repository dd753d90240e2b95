package embedded

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"go.uber.org/zap"
)

// Settings is what the child is told, as one JSON object on its standard
// input: it carries secrets, which a command line or an environment would show
// to every user of the machine.
type Settings struct {
	Bind             []string      `json:"bind"`
	Port             int           `json:"port"`
	TCPPort          int           `json:"tcp_port"` // 0 = none
	UDPPort          int           `json:"udp_port"`
	NodeIP           []netip.Addr  `json:"node_ip"`
	STUN             []string      `json:"stun"`
	APIKey           string        `json:"api_key"`
	APISecret        string        `json:"api_secret"`
	Codecs           []string      `json:"codecs"`
	RemoteUnmute     bool          `json:"remote_unmute"`
	AutoCreate       bool          `json:"auto_create"`
	EmptyTimeout     time.Duration `json:"empty_timeout"`
	DepartureTimeout time.Duration `json:"departure_timeout"`
	Redis            string        `json:"redis,omitempty"`
	LogLevel         string        `json:"log_level"`
}

// defaultCodecs need no transcoding at most terminals.
var defaultCodecs = []string{"audio/opus", "audio/PCMU", "audio/PCMA", "video/H264"}

// withDefaults fills in what was left open.
func (c Config) withDefaults() (Config, error) {
	if len(c.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return c, fmt.Errorf("embedded sfu: %w", err)
		}
		c.Command = []string{self, "sfu"}
	}
	if len(c.Bind) == 0 {
		c.Bind = loopback()
	}
	if len(c.NodeIP) == 0 {
		c.NodeIP = []netip.Addr{outwardAddress()}
	}
	if err := oneOfEach(c.NodeIP); err != nil {
		return c, err
	}
	if err := c.choosePorts(); err != nil {
		return c, err
	}
	if c.APIKey == "" {
		c.APIKey = "rg" + rand.Text()[:10]
	}
	if c.APISecret == "" {
		c.APISecret = secret()
	}
	if len(c.Codecs) == 0 {
		c.Codecs = defaultCodecs
	}
	if c.EmptyTimeout == 0 {
		c.EmptyTimeout = time.Minute
	}
	if c.DepartureTimeout == 0 {
		c.DepartureTimeout = 20 * time.Second
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = 15 * time.Second
	}
	if c.LogLevel == "" {
		c.LogLevel = "warn"
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	return c, nil
}

// settings is the configuration as the child reads it.
func (c Config) settings() Settings {
	s := Settings{
		Bind: c.Bind, Port: c.Port, TCPPort: max(c.TCPPort, 0), UDPPort: c.UDPPort, NodeIP: c.NodeIP, STUN: c.STUN,
		APIKey: c.APIKey, APISecret: c.APISecret, Codecs: c.Codecs, RemoteUnmute: c.RemoteUnmute, AutoCreate: !c.NoAutoCreate,
		EmptyTimeout: c.EmptyTimeout, DepartureTimeout: c.DepartureTimeout, Redis: c.Redis, LogLevel: c.LogLevel,
	}
	if len(s.STUN) == 0 {
		// The server hands public STUN servers to browsers unless it knows
		// others. Its own media port ignores the question, and nothing leaves
		// for the internet.
		s.STUN = []string{netip.AddrPortFrom(c.NodeIP[0], uint16(c.UDPPort)).String()}
	}
	return s
}

// oneOfEach reports addresses the server cannot take.
func oneOfEach(addresses []netip.Addr) error {
	var v4, v6 int
	for _, a := range addresses {
		switch {
		case !a.IsValid() || a.IsUnspecified():
			return fmt.Errorf("embedded sfu: node address %q cannot be advertised", a)
		case a.Unmap().Is4():
			v4++
		default:
			v6++
		}
	}
	if v4 > 1 || v6 > 1 {
		return errors.New("embedded sfu: at most one IPv4 and one IPv6 node address")
	}
	return nil
}

// choosePorts replaces 0 by the default ports and -1 by free ones.
func (c *Config) choosePorts() error {
	if c.TCPPort == 0 {
		c.TCPPort = 7881
	}
	switch c.Port {
	case 0:
		c.Port = 7880
	case -1:
		l, err := net.Listen("tcp", net.JoinHostPort(c.Bind[0], "0"))
		if err != nil {
			return fmt.Errorf("embedded sfu: %w", err)
		}
		c.Port = l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
	}
	switch c.UDPPort {
	case 0:
		c.UDPPort = 7882
	case -1:
		p, err := net.ListenPacket("udp", ":0")
		if err != nil {
			return fmt.Errorf("embedded sfu: %w", err)
		}
		c.UDPPort = p.LocalAddr().(*net.UDPAddr).Port
		_ = p.Close()
	}
	return nil
}

// loopback lists the loopback addresses this host has.
func loopback() []string {
	hosts := []string{"127.0.0.1"}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = l.Close()
		hosts = append(hosts, "::1")
	}
	return hosts
}

// outwardAddress is the address the default route starts from, or loopback on
// a host without one. Nothing is sent.
func outwardAddress() netip.Addr {
	for _, far := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		conn, err := net.Dial("udp", far)
		if err != nil {
			continue
		}
		local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
		_ = conn.Close()
		return local
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// secret has 256 bits; the server refuses secrets below 32 characters.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])
}

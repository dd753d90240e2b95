package server

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/roomgate/roomgate/meeting/embedded"
)

// The server's configuration file, as far as we set it. Unknown keys fail.
type (
	file struct {
		Port     int               `yaml:"port"`
		Bind     []string          `yaml:"bind_addresses"`
		Keys     map[string]string `yaml:"keys"`
		RTC      rtc               `yaml:"rtc"`
		Room     room              `yaml:"room"`
		Redis    *redis            `yaml:"redis,omitempty"`
		Logging  logging           `yaml:"logging"`
		Selector selector          `yaml:"node_selector"`
	}
	rtc struct {
		UDPPort       int           `yaml:"udp_port"`
		TCPPort       int           `yaml:"tcp_port"`
		NodeIP        string        `yaml:"node_ip"`
		UseExternalIP bool          `yaml:"use_external_ip"`
		Loopback      bool          `yaml:"enable_loopback_candidate"`
		STUN          []string      `yaml:"stun_servers"`
		IPs           *ips          `yaml:"ips,omitempty"`
		PrflxWait     time.Duration `yaml:"prflx_acceptance_min_wait"`
		Throttle      throttle      `yaml:"pli_throttle"`
	}
	ips struct {
		Includes []string `yaml:"includes"`
	}
	throttle struct {
		Low    time.Duration `yaml:"low_quality"`
		Medium time.Duration `yaml:"mid_quality"`
		High   time.Duration `yaml:"high_quality"`
	}
	room struct {
		AutoCreate       bool    `yaml:"auto_create"`
		Codecs           []codec `yaml:"enabled_codecs"`
		EmptyTimeout     int     `yaml:"empty_timeout"`
		DepartureTimeout int     `yaml:"departure_timeout"`
		RemoteUnmute     bool    `yaml:"enable_remote_unmute"`
	}
	codec struct {
		MIME string `yaml:"mime"`
	}
	redis struct {
		Address string `yaml:"address"`
	}
	logging struct {
		JSON      bool   `yaml:"json"`
		Level     string `yaml:"level"`
		PionLevel string `yaml:"pion_level"`
	}
	// selector lifts the limits above which a node takes no rooms: the gateway
	// has its own admission, and its node is the only one.
	selector struct {
		Kind string `yaml:"kind"`
	}
)

// configuration writes the server's YAML for the settings.
func configuration(s embedded.Settings) (string, error) {
	f := file{
		Port: s.Port, Bind: s.Bind, Keys: map[string]string{s.APIKey: s.APISecret},
		RTC: rtc{
			UDPPort: s.UDPPort, TCPPort: s.TCPPort, NodeIP: nodeIP(s.NodeIP), Loopback: true, STUN: s.STUN,
			// Zero would keep the one second that peer-reflexive pairs wait.
			PrflxWait: time.Millisecond,
			// Whoever subscribes waits for a keyframe at most so long, though
			// another one was asked for just before. Slow terminals are spared
			// by the gateway.
			Throttle: throttle{Low: 150 * time.Millisecond, Medium: 250 * time.Millisecond, High: 250 * time.Millisecond},
		},
		Room: room{
			AutoCreate: s.AutoCreate, EmptyTimeout: seconds(s.EmptyTimeout), DepartureTimeout: seconds(s.DepartureTimeout),
			RemoteUnmute: s.RemoteUnmute,
		},
		Logging:  logging{JSON: true, Level: s.LogLevel, PionLevel: "error"},
		Selector: selector{Kind: "any"},
	}
	for _, mime := range s.Codecs {
		f.Room.Codecs = append(f.Room.Codecs, codec{mime})
	}
	if s.Redis != "" {
		f.Redis = &redis{s.Redis}
	}
	if allLoopback(s.NodeIP) {
		f.RTC.IPs = &ips{Includes: []string{"127.0.0.0/8", "::1/128"}}
	}
	text, err := yaml.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("sfu: configuration: %w", err)
	}
	return string(text), nil
}

func nodeIP(addresses []netip.Addr) string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a.Unmap().String()
	}
	return strings.Join(texts, ",")
}

func allLoopback(addresses []netip.Addr) bool {
	for _, a := range addresses {
		if !a.IsLoopback() {
			return false
		}
	}
	return true
}

// seconds rounds up: zero would mean the server's default.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

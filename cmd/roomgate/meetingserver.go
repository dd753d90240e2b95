package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/media/udp"
	"github.com/roomgate/roomgate/meeting/embedded"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// attrNode marks our own legs in a meeting, so that we do not receive them.
const attrNode = "roomgate.node"

// meetingServer is the SFU and our client of it.
type meetingServer struct {
	sfu
	node     string
	embedded *embedded.Server // nil: the SFU is elsewhere
}

// startMeetingServer starts the embedded SFU, or reaches for the one that is
// configured. An SFU elsewhere may come later.
func startMeetingServer(ctx context.Context, c *config.Config, readers *udp.Readers, log *zap.Logger) (*meetingServer, error) {
	node, err := nodeName(c.DataDir)
	if err != nil {
		return nil, err
	}
	m := &meetingServer{node: node}
	client := livekit.Config{
		URL: c.SFU.URL, APIKey: c.SFU.APIKey, APISecret: c.SFU.APISecret,
		Node: node, Local: m.ours, Readers: readers, Logger: log,
	}
	if c.SFU.Embedded {
		m.embedded, err = embedded.Start(ctx, embeddedConfig(c, log))
		if err != nil {
			return nil, err
		}
		client.URL, client.Media = m.embedded.URL(), m.embedded.Media
		client.APIKey, client.APISecret = m.embedded.Credentials()
	}
	if m.client, err = livekit.New(client); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func embeddedConfig(c *config.Config, log *zap.Logger) embedded.Config {
	out := embedded.Config{
		Port: c.SFU.Ports.Signalling, TCPPort: c.SFU.Ports.TCP, UDPPort: c.SFU.Ports.UDP,
		APIKey: c.SFU.APIKey, APISecret: c.SFU.APISecret,
		NodeIP: newNetworks(c.Networks).advertised(), Logger: log,
	}
	if out.TCPPort == 0 {
		out.TCPPort = -1 // none
	}
	if c.SFU.Address.IsValid() {
		out.NodeIP = []netip.Addr{c.SFU.Address}
	}
	return out
}

// ours reports a participant that this node publishes.
func (m *meetingServer) ours(_ string, attributes map[string]string) bool {
	return attributes[attrNode] == m.node
}

// Join implements bridge.SFU; it marks the leg as this node's.
func (m *meetingServer) Join(ctx context.Context, room string, who call.Participant, receive bool, events func(bridge.Event)) (bridge.Seat, error) {
	attributes := map[string]string{attrNode: m.node}
	for k, v := range who.Attributes {
		attributes[k] = v
	}
	who.Attributes = attributes
	return m.sfu.Join(ctx, room, who, receive, events)
}

// proxied is where the embedded SFU's WebSocket is; nil when browsers reach
// their SFU themselves.
func (m *meetingServer) proxied() func() *url.URL {
	if m.embedded == nil {
		return nil
	}
	return func() *url.URL {
		u, err := url.Parse(m.embedded.URL())
		if err != nil {
			return nil
		}
		u.Scheme = "http"
		return u
	}
}

// close leaves every meeting and ends the embedded SFU.
func (m *meetingServer) close() {
	if m.client != nil {
		_ = m.client.Close() // always nil
	}
	if m.embedded != nil {
		_ = m.embedded.Close() // always nil
	}
}

// nodeName tells this node from others at one SFU, and is the same after a
// restart.
func nodeName(dir string) (string, error) {
	file := filepath.Join(dir, "node")
	text, err := os.ReadFile(file)
	if name := strings.TrimSpace(string(text)); err == nil && name != "" {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("name of this node: %w", err)
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	name := hex.EncodeToString(b[:])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("name of this node: %w", err)
	}
	if err := os.WriteFile(file, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("name of this node: %w", err)
	}
	return name, nil
}

// healthy asks an SFU elsewhere whether it is there, for check.
func healthy(ctx context.Context, c config.SFU) error {
	u, err := url.Parse(c.URL)
	if err != nil {
		return err
	}
	u.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	if u.Scheme == "" {
		u.Scheme = "http"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answers %s", resp.Status)
	}
	return nil
}

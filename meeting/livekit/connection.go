package livekit

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v3"
)

// Timing of the media paths. A path counts as broken after the client's
// DeadAfter; the server's receiver reports arrive every second, so that our
// own checks are rarely sent.
const (
	keepalive       = 1200 * time.Millisecond
	failedAfter     = time.Second
	dtlsRetransmit  = 100 * time.Millisecond
	gatheringBudget = 2 * time.Second
	receiveMTU      = 1500
)

// connection is one peer connection, and the one UDP socket under it.
type connection struct {
	session   *session
	pc        *webrtc.PeerConnection
	network   *network
	connected chan struct{}
	once      sync.Once

	mu sync.Mutex
	// early holds candidates until the remote description they belong to is
	// in: addresses of the SFU it does not advertise, and those it sent
	// faster than the description was applied.
	early   []webrtc.ICECandidateInit
	started bool
}

// newConnection opens a connection with these codecs and stages. What comes is offered to the
// shortcut first, where there is one.
func newConnection(s *session, engine *webrtc.MediaEngine, stages *interceptor.Registry, short *shortcut) (*connection, error) {
	c := &connection{session: s, connected: make(chan struct{})}
	if media := s.link.client.config.Media; media != nil {
		c.early = unadvertised(media())
	}
	settings := s.settings()
	network, err := s.link.client.nets.network()
	if err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	settings.SetNet(network)
	if short != nil && network.readers != nil {
		network.first = short.take
		settings.SetDTLSKeyLogWriter(short)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(stages), webrtc.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	c.pc, c.network = pc, network
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			c.once.Do(func() { close(c.connected) })
		}
	})
	pc.OnICEConnectionStateChange(s.stateChanged)
	return c, nil
}

// settings keep to one address, no names, no servers.
func (s *session) settings() webrtc.SettingEngine {
	config := s.link.client.config
	var e webrtc.SettingEngine
	e.LoggerFactory = silentLoggers{}
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICETimeouts(config.DeadAfter, failedAfter, keepalive)
	e.SetDTLSRetransmissionInterval(dtlsRetransmit)
	e.SetReceiveMTU(receiveMTU)
	e.SetIncludeLoopbackCandidate(true)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	e.DisableActiveTCP(true)
	if config.Interface == nil && config.IP == nil {
		if own := s.signal.address(); own != nil {
			e.SetIPFilter(own.Equal)
		}
		return e
	}
	if config.Interface != nil {
		e.SetInterfaceFilter(config.Interface)
	}
	if config.IP != nil {
		e.SetIPFilter(config.IP)
	}
	return e
}

// unadvertised are candidates for addresses of the SFU we know by ourselves.
func unadvertised(addresses []netip.AddrPort) []webrtc.ICECandidateInit {
	mid := "0"
	candidates := make([]webrtc.ICECandidateInit, len(addresses))
	for i, a := range addresses {
		candidates[i] = webrtc.ICECandidateInit{SDPMid: &mid, Candidate: fmt.Sprintf(
			"candidate:%d 1 udp %d %s %d typ host", 9000+i, 2130706431-i, a.Addr(), a.Port())}
	}
	return candidates
}

// remoteSet lets candidates in, once the remote description is.
func (c *connection) remoteSet() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = true
	for _, candidate := range c.early {
		_ = c.pc.AddICECandidate(candidate)
	}
	c.early = nil
}

// add takes a candidate of the SFU. One that does not parse is ignored: the
// others may do.
func (c *connection) add(candidate webrtc.ICECandidateInit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started {
		_ = c.pc.AddICECandidate(candidate)
	} else if len(c.early) < 100 {
		c.early = append(c.early, candidate)
	}
}

// close ends the connection and waits for its goroutines.
func (c *connection) close() {
	_ = c.pc.GracefulClose()
	c.network.close()
}

// parseCandidate reads the JSON that travels in a TrickleRequest.
func parseCandidate(text string) (webrtc.ICECandidateInit, error) {
	var candidate webrtc.ICECandidateInit
	if err := json.Unmarshal([]byte(text), &candidate); err != nil {
		return candidate, fmt.Errorf("candidate: %w", err)
	}
	return candidate, nil
}

// The header extensions we send: the audio level of RFC 6464, and the names of a video in two
// sizes, of RFC 9143 and RFC 8852.
var (
	levelExtension = webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}
	midExtension   = webrtc.RTPHeaderExtensionCapability{URI: sdp.SDESMidURI}
	ridExtension   = webrtc.RTPHeaderExtensionCapability{URI: sdp.SDESRTPStreamIDURI}
)

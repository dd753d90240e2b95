package h460

import (
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// KeepAliveInterval is how often keep-alives are to come; firewalls forget a way after
// half a minute.
const KeepAliveInterval = 19 * time.Second

// Payload types of keep-alives that we send.
const (
	keepAliveType  = 126
	keepAliveType2 = 125 // where media has the former
)

// Local is where a role's media is received.
type Local struct {
	RTP, RTCP netip.AddrPort
	// MultiplexID is wanted before each datagram; nil where nothing is multiplexed.
	MultiplexID *uint32
}

// Remote is what the far side told about a role.
type Remote struct {
	// SendID is wanted before each datagram that we send; nil for none.
	SendID *uint32
	// RTP and RTCP are where a server wants multiplexed media; invalid otherwise.
	RTP, RTCP netip.AddrPort
	// KeepAlive is where a server wants our keep-alives; invalid for none.
	KeepAlive   netip.AddrPort
	PayloadType uint8
	Interval    time.Duration
}

// Media is the traversal of one call's media. It implements control.Traversal. It is for
// the goroutine of the control session.
type Media struct {
	server bool
	local  func(media.Role) (Local, error)

	enabled bool
	far     MediaFeature
	remote  [media.Camera + 1]Remote
}

var _ control.Traversal = (*Media)(nil)

// NewMedia makes the traversal of a call; nothing is said of it before Enable. local
// tells where a role is received.
func NewMedia(server bool, local func(media.Role) (Local, error)) *Media {
	return &Media{server: server, local: local}
}

// Enable begins the traversal, once the far side's SETUP or answer has shown that it
// knows of it. Two sides of the same kind do without.
func (m *Media) Enable(far MediaFeature) {
	m.far = far
	m.enabled = far.Server != m.server
}

// Enabled tells whether media travels by H.460.19.
func (m *Media) Enabled() bool { return m.enabled }

// Serves tells whether the far side is behind a firewall, and we are not.
func (m *Media) Serves() bool { return m.enabled && m.server }

// Multiplexes tells whether the far side can send to multiplexed sockets.
func (m *Media) Multiplexes() bool { return m.enabled && m.far.Multiplexes }

// Remote is what is known about a role.
func (m *Media) Remote(role media.Role) Remote { return m.remote[role] }

// Offer implements control.Traversal: a server tells where keep-alives go to.
func (m *Media) Offer(c control.Channel) []h245.GenericMessage {
	if !m.enabled {
		return nil
	}
	local, err := m.local(c.Role)
	if err != nil {
		return nil // the channel is refused for the same reason
	}
	p := multiplexed(local)
	if m.server {
		interval := uint32(KeepAliveInterval / time.Second)
		p.KeepAliveChannel, p.KeepAliveInterval = h245.AddressOf(local.RTP), &interval
	}
	return wrap(p)
}

// Answer implements control.Traversal: a client tells the payload type of its
// keep-alives.
func (m *Media) Answer(c control.Channel, theirs []h245.GenericMessage) []h245.GenericMessage {
	if !m.enabled {
		return nil
	}
	m.learn(c, theirs)
	local, err := m.local(c.Role)
	if err != nil {
		return nil
	}
	p := multiplexed(local)
	if !m.server {
		p.KeepAlivePayloadType = &m.remote[c.Role].PayloadType
	}
	return wrap(p)
}

// Acknowledged implements control.Traversal.
func (m *Media) Acknowledged(c control.Channel, theirs []h245.GenericMessage) {
	if m.enabled {
		m.learn(c, theirs)
	}
}

// learn keeps what the far side told of a role. Parameters that cannot be read are as
// good as none.
func (m *Media) learn(c control.Channel, theirs []h245.GenericMessage) {
	r := &m.remote[c.Role]
	r.PayloadType = keepAliveType
	if c.PayloadType == keepAliveType { // a VCS would take them for the same
		r.PayloadType = keepAliveType2
	}
	p, err := ReadParameters(theirs)
	if p == nil || err != nil {
		return
	}
	if p.MultiplexID != nil {
		r.SendID = p.MultiplexID
	}
	if m.server {
		return
	}
	rtp, rtcp := p.MultiplexedMediaChannel.Unicast(), p.MultiplexedMediaControlChannel.Unicast()
	if p.MultiplexID != nil && rtp.IsValid() {
		r.RTP = rtp
	}
	if p.MultiplexID != nil && rtcp.IsValid() {
		r.RTCP = rtcp
	}
	if at := p.KeepAliveChannel.Unicast(); at.IsValid() {
		r.KeepAlive, r.Interval = at, KeepAliveInterval
		if p.KeepAliveInterval != nil {
			r.Interval = min(time.Duration(*p.KeepAliveInterval), 3600) * time.Second
		}
	}
}

// multiplexed are the parameters of multiplexed media.
func multiplexed(l Local) *TraversalParameters {
	if l.MultiplexID == nil {
		return new(TraversalParameters)
	}
	return &TraversalParameters{
		MultiplexedMediaChannel: h245.AddressOf(l.RTP), MultiplexedMediaControlChannel: h245.AddressOf(l.RTCP),
		MultiplexID: l.MultiplexID,
	}
}

// wrap leaves out parameters that say nothing.
func wrap(p *TraversalParameters) []h245.GenericMessage {
	if *p == (TraversalParameters{}) {
		return nil
	}
	m, err := p.Message()
	if err != nil {
		return nil // cannot be: all that goes in was checked
	}
	return []h245.GenericMessage{m}
}

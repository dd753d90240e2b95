package h323

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/local"
	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/rtpconn"
)

// sessions are the RTP sessions of a leg. The leg's goroutine opens and applies;
// get may be called from anywhere.
type sessions struct {
	rtpconn.Bundle
	cfg        *Config
	net        local.Network
	signalling netip.Addr
	cname      string
	onEvent    func(media.Role, rtpconn.Event)
	onKeyframe func(media.Role)
	onBitrate  func(media.Role, int)
	traversal  *h460.Media // owned by the leg's goroutine

	keys [media.Camera + 1]keys // owned by the leg's goroutine
}

// local opens the session of a role and tells where it receives. It serves
// control.Config.Local.
func (s *sessions) local(role media.Role) (control.Transport, error) {
	c, err := s.ensure(role)
	if err != nil {
		return control.Transport{}, err
	}
	return control.Transport{
		RTP:  netip.AddrPortFrom(s.net.Advertised, c.LocalRTP().Port()),
		RTCP: netip.AddrPortFrom(s.net.Advertised, c.LocalRTCP().Port()),
	}, nil
}

// ensure opens the session of a role.
func (s *sessions) ensure(role media.Role) (*rtpconn.Session, error) {
	c, err := s.Open(role, func() (*rtpconn.Session, error) {
		c := s.config(role)
		conn, err := rtpconn.New(c)
		if errors.Is(err, rtpconn.ErrMuxFull) {
			c.Mux = nil
			conn, err = rtpconn.New(c)
		}
		return conn, err
	})
	if err != nil {
		return nil, fmt.Errorf("media of %s: %w", role, err)
	}
	return c, nil
}

// config is what the session of a role is made with.
func (s *sessions) config(role media.Role) rtpconn.Config {
	dscp := s.net.AudioDSCP
	if role != media.Audio {
		dscp = s.net.VideoDSCP
	}
	latching, _ := rtpconn.ParseLatching(string(s.cfg.Latching))
	if s.traversal.Serves() && latching == rtpconn.LatchOff {
		latching = rtpconn.LatchAuto // nothing of the far side is where it says
	}
	c := rtpconn.Config{
		Mux: s.mux(), Pool: s.cfg.Ports, Local: s.net.Local, Interface: s.net.Interface, DSCP: dscp,
		Role: role, Latching: latching, Timeout: s.cfg.MediaTimeout, CNAME: s.cname,
		Logger:  s.cfg.Log,
		OnEvent: func(ev rtpconn.Event) { s.onEvent(role, ev) },
		Impair:  s.cfg.Impair,
	}
	if role != media.Audio {
		c.KeyframeFallback = func() { s.onKeyframe(role) }
		c.BitrateFallback = func(bps int) { s.onBitrate(role, bps) }
	}
	return c
}

// apply puts what stands into force, and closes what nothing stands for.
func (s *sessions) apply(list []control.Medium, held bool) error {
	var errs []error
	var stands [media.Camera + 1]bool
	for i := range list {
		m := &list[i]
		stands[m.Stream.Role] = true
		c, err := s.ensure(m.Stream.Role)
		if err == nil {
			err = c.Apply(s.params(m, held))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("media of %s: %w", m.Stream.Role, err))
		}
	}
	for role, ok := range stands {
		if !ok {
			s.silence(media.Role(role))
		}
	}
	return errors.Join(errs...)
}

// face says whom the sessions are for; those that are open stay as they are.
func (s *sessions) face(net local.Network, signalling netip.Addr) {
	s.net, s.signalling = net, signalling
}

// silence stops a medium without channels. Its ports stay: a channel that is
// opened again, or is being opened now, uses them.
func (s *sessions) silence(role media.Role) {
	if c := s.Get(role); c != nil {
		// Nothing in it can be refused.
		_ = c.Apply(rtpconn.Params{Direction: media.Inactive, Held: true})
	}
}

// params turns what stands of a role into the parameters of its session. H.323 has
// no profile with feedback (RFC 4585), but what comes of it is understood.
func (s *sessions) params(m *control.Medium, held bool) rtpconn.Params {
	p := rtpconn.Params{
		Remote: m.RTP, RemoteRTCP: m.RTCP, Signalling: s.signalling,
		Direction: m.Stream.Direction, Held: held,
		Receive: make(map[uint8]media.Format, len(m.Receive)),
		Send:    m.Stream.Send, MaxSend: m.Stream.MaxSend, FlowControl: m.Held,
	}
	for _, f := range m.Receive {
		p.Receive[f.PayloadType] = f
		eitherLaw(p.Receive, f)
	}
	if h := s.keys[m.Stream.Role].protect(m); h != nil {
		p.Security.H235 = h
		for pt := range h.Receive {
			if _, ok := p.Receive[pt]; !ok && len(m.Receive) > 0 {
				p.Receive[pt] = m.Receive[0] // under the key before
			}
		}
	}
	s.pass(m.Stream.Role, &p)
	if ev := m.RecvEvents; ev.ClockRate != 0 {
		p.ReceiveEvents = map[uint8]uint32{ev.PayloadType: ev.ClockRate}
	}
	if ev := m.SendEvents; ev.ClockRate != 0 {
		p.SendEvents = rtpconn.EventFormat{PayloadType: ev.PayloadType, ClockRate: ev.ClockRate}
	}
	return p
}

// eitherLaw takes both laws of G.711 on a channel of one. Asterisk's ooh323 sends the
// law that it receives, whichever its own channel was opened for; we can take
// either, and their payload types tell them apart (RFC 3551 §6).
func eitherLaw(receive map[uint8]media.Format, f media.Format) {
	const pcmu, pcma = 0, 8
	switch {
	case f.Codec.Is(string(media.PCMU)):
		f.Codec, f.PayloadType = media.PCMA, pcma
	case f.Codec.Is(string(media.PCMA)):
		f.Codec, f.PayloadType = media.PCMU, pcmu
	default:
		return
	}
	if _, taken := receive[f.PayloadType]; !taken {
		receive[f.PayloadType] = f
	}
}

// mediaCause reads a failure to set media up.
func mediaCause(err error) call.Cause {
	switch {
	case errors.Is(err, control.ErrEncryption):
		return call.Cause{Code: call.EncryptionRequired, Text: err.Error()}
	case errors.Is(err, control.ErrCapabilities), errors.Is(err, call.ErrNoCommonMedia):
		return call.Cause{Code: call.IncompatibleMedia, Text: err.Error()}
	case errors.Is(err, portpool.ErrExhausted):
		return call.Cause{Code: call.Congestion, Text: err.Error(), RetryAfter: 10}
	}
	return call.Cause{Code: call.Failure, Text: err.Error()}
}

package sip

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/face"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/rtpconn"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
	"github.com/roomgate/roomgate/sip/bfcp"
	"github.com/roomgate/roomgate/sip/bfcp/link"
	"github.com/roomgate/roomgate/sip/offer"
)

// sessions are the RTP sessions of a leg and what was negotiated for them.
// The leg's goroutine negotiates; get may be called from anywhere.
type sessions struct {
	rtpconn.Bundle
	cfg        *Config
	net        Network
	signalling netip.Addr
	secure     bool // signalling is TLS
	encryption offer.Policy
	cname      string
	onEvent    func(media.Role, rtpconn.Event)
	onKeyframe func()
	onFloor    func(bfcp.Event)

	state   *offer.State // what stands
	offered *offer.State // an offer of ours without an answer
	local   *offer.Local // what the last exchange was made with
	last    *offer.Result
	id      uint64
	floor   *link.Link // of floor control; nil: none
	cameras *face.Cameras
	numbers floorNumbers
}

// ensure opens the session of a role.
func (s *sessions) ensure(role media.Role) error {
	_, err := s.Open(role, func() (*rtpconn.Session, error) {
		dscp := s.net.AudioDSCP
		if role != media.Audio {
			dscp = s.net.VideoDSCP
		}
		latching, _ := rtpconn.ParseLatching(string(s.cfg.Latching))
		c := rtpconn.Config{
			Pool: s.cfg.Ports, Local: s.net.Local, Interface: s.net.Interface, DSCP: dscp,
			Role: role, Latching: latching, Timeout: s.cfg.MediaTimeout, CNAME: s.cname,
			Logger:  s.cfg.Log,
			OnEvent: func(ev rtpconn.Event) { s.onEvent(role, ev) },
			Impair:  s.cfg.Impair,
		}
		if role != media.Audio {
			c.KeyframeFallback = s.onKeyframe
		}
		return rtpconn.New(c)
	})
	if err != nil {
		return fmt.Errorf("media of %s: %w", role, err)
	}
	return nil
}

// prepare describes our side with the ports of the roles wanted.
func (s *sessions) prepare(can media.Capabilities, roles []media.Role) (*offer.Local, error) {
	fingerprint, err := secure.LocalFingerprint()
	if err != nil {
		return nil, err
	}
	if s.id == 0 {
		var b [8]byte
		rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		s.id = binary.BigEndian.Uint64(b[:]) >> 2
	}
	asked := s.encryption
	if can.Encryption != "" {
		asked, _ = offer.ParsePolicy(can.Encryption)
	}
	l := &offer.Local{
		Capabilities: can, Address: s.net.Advertised, ID: s.id, Version: s.id,
		Encryption: max(s.encryption, asked), Secure: s.secure, Rand: rand.Reader,
		Fingerprint: offer.Fingerprint{Hash: fingerprint.Hash, Value: fingerprint.Value},
	}
	for _, role := range roles {
		if err := s.ensure(role); err != nil {
			return nil, err
		}
		c := s.Get(role)
		l.Transport[role] = offer.Transport{RTP: c.LocalRTP().Port(), RTCP: c.LocalRTCP().Port()}
	}
	return l, nil
}

// wanted are the roles can has codecs for.
func wanted(can media.Capabilities) []media.Role {
	var roles []media.Role
	for role, formats := range [][]media.Format{can.Audio, can.Video, can.Content} {
		if len(formats) > 0 {
			roles = append(roles, media.Role(role))
		}
	}
	if can.Camera {
		roles = append(roles, media.Camera)
	}
	return roles
}

// offer makes a body that offers can.
func (s *sessions) offer(can media.Capabilities) ([]byte, error) {
	local, err := s.prepare(can, wanted(can))
	if err != nil {
		return nil, err
	}
	if len(can.Content) > 0 {
		transport := string(s.cfg.Floor.transport())
		if s.floored() {
			transport = "" // as it is
		}
		if err := s.describeFloor(local, transport); err != nil {
			return nil, err
		}
	}
	local.Extend = true
	body, offered, err := offer.Offer(local, s.state)
	if err != nil {
		return nil, err
	}
	s.offered, s.local = offered, local
	return body, nil
}

// answer answers an offer, and puts the outcome into force.
func (s *sessions) answer(remote *offer.Description, can media.Capabilities) ([]byte, error) {
	local, err := s.prepare(can, offeredRoles(remote, can))
	if err != nil {
		return nil, err
	}
	if transport := offeredFloor(remote, can); transport != "" {
		if err := s.describeFloor(local, transport); err != nil {
			return nil, err
		}
	}
	body, result, err := offer.Answer(remote, local, s.state)
	if err != nil {
		return nil, err
	}
	s.local = local
	return body, s.apply(result, true)
}

// offeredRoles are the wanted roles that the offer may have a line for: no
// ports are opened for the others.
func offeredRoles(remote *offer.Description, can media.Capabilities) []media.Role {
	audio, video, camera := false, 0, false
	for _, line := range remote.Cameras() {
		camera = camera || line.Port != 0
	}
	for _, section := range remote.Sections {
		switch strings.ToLower(section.Kind) {
		case "audio":
			audio = audio || section.Port != 0
		case "video":
			if section.Port != 0 {
				video++
			}
		}
	}
	var roles []media.Role
	for _, role := range wanted(can) {
		switch role {
		case media.Audio:
			if audio {
				roles = append(roles, role)
			}
		case media.Main:
			if video > 0 {
				roles = append(roles, role)
			}
		case media.Content:
			if video > 1 {
				roles = append(roles, role)
			}
		case media.Camera:
			if camera {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// complete takes the answer to our offer.
func (s *sessions) complete(answer *offer.Description) error {
	if s.offered == nil {
		return offer.ErrNotOffered
	}
	result, err := offer.Complete(s.offered, answer, s.local)
	if err != nil {
		return err
	}
	if len(result.Media) == 0 {
		return offer.ErrNoCommonMedia
	}
	s.offered = nil
	return s.apply(result, true)
}

// preview hears the SDP of a 1xx. The offer stays open: another branch may
// answer it too.
func (s *sessions) preview(answer *offer.Description) error {
	if s.offered == nil {
		return offer.ErrNotOffered
	}
	result, err := offer.Complete(s.offered, answer, s.local)
	if err != nil {
		return err
	}
	if len(result.Media) == 0 {
		return offer.ErrNoCommonMedia
	}
	return s.apply(result, false)
}

// settlePreview lets further exchanges start from what was heard last.
func (s *sessions) settlePreview() { s.state = s.last.State }

// keepPreview makes what was heard last the answer.
func (s *sessions) keepPreview() {
	if s.last != nil {
		s.state, s.offered = s.last.State, nil
	}
	s.sweep()
}

// rollback forgets an offer that was refused.
func (s *sessions) rollback() {
	if s.offered != nil {
		s.state, s.offered = s.offered.Rollback(), nil
	}
}

// apply puts a result into force and, when it is final, closes what it has no
// use for.
func (s *sessions) apply(result *offer.Result, final bool) error {
	var errs []error
	for role := range media.Camera + 1 {
		m, c := result.Medium(role), s.Get(role)
		if m == nil || c == nil {
			continue
		}
		if err := c.Apply(params(m, result.Held, s.signalling)); err != nil {
			errs = append(errs, fmt.Errorf("media of %s: %w", role, err))
		}
	}
	errs = append(errs, s.applyFloor(result))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.last = result
	s.followCamera(result)
	if final {
		s.state = result.State
		s.sweep()
	}
	return nil
}

// followCamera keeps the conversation about cameras on what was agreed for it.
func (s *sessions) followCamera(result *offer.Result) {
	m, conn := result.Medium(media.Camera), s.Get(media.Camera)
	if m == nil || conn == nil || !m.Stream.Direction.Sends() {
		s.cameras.Follow(nil)
		return
	}
	s.cameras.Follow(conn)
}

// sweep closes the sessions that nothing was agreed for.
func (s *sessions) sweep() {
	for role := range media.Camera + 1 {
		if s.last == nil || s.last.Medium(role) == nil {
			s.Drop(role)
		}
	}
	if s.last == nil || s.last.Floor == nil {
		s.dropFloor()
	}
}

// close ends all media and waits.
func (s *sessions) close() {
	s.dropFloor()
	s.cameras.Close()
	s.Close()
}

// params turns an agreed medium into the parameters of its session.
func params(m *offer.Medium, held bool, signalling netip.Addr) rtpconn.Params {
	p := rtpconn.Params{
		Remote: m.RTP, RemoteRTCP: m.RTCP, Signalling: signalling, Mux: m.Mux,
		Direction: m.Stream.Direction, Held: held,
		Receive: make(map[uint8]media.Format, len(m.Receive)),
		Send:    m.Stream.Send, MaxSend: m.Stream.MaxSend,
		Feedback: rtpconn.Feedback{
			AVPF: m.Profile == "RTP/AVPF" || m.Profile == "RTP/SAVPF" || m.Profile == "UDP/TLS/RTP/SAVPF",
			NACK: m.Feedback.NACK, PLI: m.Feedback.PLI, FIR: m.Feedback.FIR,
			TMMBR: m.Feedback.TMMBR, REMB: m.Feedback.REMB,
		},
	}
	for _, f := range m.Receive {
		if !f.Codec.Is(string(media.TelephoneEvent)) {
			p.Receive[f.PayloadType] = f
			continue
		}
		if p.ReceiveEvents == nil {
			p.ReceiveEvents = make(map[uint8]uint32)
		}
		p.ReceiveEvents[f.PayloadType] = f.ClockRate
	}
	if ev := m.RecvEvents; ev.ClockRate != 0 {
		if p.ReceiveEvents == nil {
			p.ReceiveEvents = make(map[uint8]uint32)
		}
		p.ReceiveEvents[ev.PayloadType] = ev.ClockRate
	}
	if ev := m.SendEvents; ev.ClockRate != 0 {
		p.SendEvents = rtpconn.EventFormat{PayloadType: ev.PayloadType, ClockRate: ev.ClockRate}
	}
	if m.SRTP != nil {
		p.Security.Send, p.Security.Receive = key(m.SRTP.Out), key(m.SRTP.In)
	}
	if m.DTLS != nil {
		d := &rtpconn.DTLS{Client: m.DTLS.Active}
		for _, f := range m.DTLS.Fingerprints {
			d.Fingerprints = append(d.Fingerprints, secure.Fingerprint{Hash: f.Hash, Value: f.Value})
		}
		p.Security.DTLS = d
	}
	return p
}

func key(c offer.Crypto) *secure.Key {
	if len(c.Keys) == 0 {
		return &secure.Key{Suite: secure.Suite(c.Suite)}
	}
	k := c.Keys[0]
	master := append(append(make([]byte, 0, len(k.Key)+len(k.Salt)), k.Key...), k.Salt...)
	return &secure.Key{Suite: secure.Suite(c.Suite), Master: master, MKI: k.MKI}
}

// agreement is the outcome in the words of call.Info.
func (s *sessions) agreement() face.Agreement {
	if s.last == nil {
		return face.Agreement{Encryption: "none"}
	}
	a := face.Agreement{Encryption: s.last.Encryption(), Held: s.last.Held}
	for _, m := range s.last.Media {
		if m.Stream.Role == media.Camera {
			continue
		}
		a.Streams = append(a.Streams, m.Stream)
		if m.Stream.Role == media.Main {
			a.MaxVideo = m.Stream.MaxSend
		}
	}
	if a.Encryption == "dtls-srtp" {
		a.Encryption = "srtp" // the word of call.Info
	}
	return a
}

// mediaCause reads a failed negotiation.
func mediaCause(err error) call.Cause {
	var required *offer.EncryptionRequiredError
	switch {
	case errors.As(err, &required):
		return call.Cause{Code: call.EncryptionRequired, Text: err.Error()}
	case errors.Is(err, offer.ErrNoCommonMedia), errors.Is(err, offer.ErrUnusable):
		return call.Cause{Code: call.IncompatibleMedia, Text: err.Error()}
	case errors.Is(err, offer.ErrNoSDP):
		return call.Cause{Code: call.NotSupported, Text: err.Error()}
	case errors.Is(err, portpool.ErrExhausted):
		return call.Cause{Code: call.Congestion, Text: err.Error(), RetryAfter: 10}
	}
	return call.Cause{Code: call.Failure, Text: err.Error()}
}

package control

import (
	"errors"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// ErrFastStart is returned for an answer that fits no offer.
var ErrFastStart = errors.New("control: the answer to fast start fits no offer")

// fastStart holds what a caller offered in SETUP, until it is answered.
type fastStart struct {
	offers []*outgoing // what we would send; what we would receive needs no memory
}

// maxFastOffers bounds what is offered, and what is read of an offer, in channels.
const (
	maxFastOffers = 30
	maxFastRead   = 256
)

// OfferFastStart gives the channels for the fastStart of SETUP, in our order of preference:
// for each format one that we send and one that we receive (H.323 clause 8.1.7.1). It
// is empty where media is to be encrypted: the keys come later.
func (s *Session) OfferFastStart() []*h245.OpenLogicalChannel {
	if s.encryption == require || s.encryption == prefer && s.cfg.Security != nil || s.started {
		return nil
	}
	s.fast.offers = nil
	var list []*h245.OpenLogicalChannel
	for _, role := range []media.Role{media.Audio, media.Main} {
		t, err := s.cfg.Local(role)
		if err != nil {
			continue
		}
		for _, f := range formatsOf(&s.can, role) {
			c := s.fastOffer(role, f)
			if _, ok := dataType(c.stream()); !ok || len(list)+2 > maxFastOffers {
				continue
			}
			s.fast.offers = append(s.fast.offers, c)
			list = append(list, s.fastReceive(c, t), s.describe(c, t))
		}
	}
	return list
}

// secured reports whether both sides know a secret.
func (s *Session) secured() bool {
	return s.cfg.Security != nil && len(s.cfg.Security.Algorithms()) > 0
}

func (s *Session) fastOffer(role media.Role, f media.Format) *outgoing {
	bps := 0
	if role == media.Main {
		bps = s.can.MaxVideo
	}
	f.PayloadType = payloadType(f)
	return &outgoing{number: s.channels.allocate(), role: role, session: s.session(role), format: f, bps: bps, state: open, limit: unlimited, fast: true}
}

// fastReceive offers to receive.
func (s *Session) fastReceive(c *outgoing, t Transport) *h245.OpenLogicalChannel {
	data, _ := dataType(c.stream())
	params := h2250(c.session, c.format)
	params.MediaChannel, params.MediaControlChannel = h245.AddressOf(t.RTP), h245.AddressOf(t.RTCP)
	return reverseOnly(s.channels.allocate(), data, params)
}

// reverseOnly is a channel that carries nothing forward: so the caller speaks of what the
// called side sends.
func reverseOnly(number uint16, data h245.DataType, params *h245.H2250LogicalChannelParameters) *h245.OpenLogicalChannel {
	return &h245.OpenLogicalChannel{
		ForwardLogicalChannelNumber: number,
		ForwardLogicalChannelParameters: h245.ForwardLogicalChannelParameters{
			DataType: h245.DataType{NullData: true}, MultiplexParameters: h245.ForwardMultiplexParameters{None: true},
		},
		ReverseLogicalChannelParameters: &h245.ReverseLogicalChannelParameters{
			DataType: data, MultiplexParameters: &h245.ReverseMultiplexParameters{H2250LogicalChannelParameters: params},
		},
	}
}

// AnswerFastStart chooses among the channels that a caller offers, the first acceptable of
// each session and direction, and gives those for the fastStart of our answer. With none
// it gives nil: fastConnectRefused is due.
func (s *Session) AnswerFastStart(now time.Time, offers []*h245.OpenLogicalChannel) []*h245.OpenLogicalChannel {
	var list []*h245.OpenLogicalChannel
	if s.started || len(offers) > maxFastRead || s.encryption == require || s.encryption == prefer && s.secured() {
		return nil
	}
	s.do(now, func() {
		for _, o := range offers {
			if o == nil {
				continue
			}
			answer := s.answerReceive(o)
			if answer == nil {
				answer = s.answerSend(o)
			}
			if answer != nil {
				list = append(list, answer)
			}
		}
		if len(list) > 0 {
			s.changed()
		}
	})
	return list
}

// answerReceive accepts what the caller offers to send.
func (s *Session) answerReceive(o *h245.OpenLogicalChannel) *h245.OpenLogicalChannel {
	p, ok := readForward(o)
	if !ok || p.encrypted {
		return nil
	}
	c, cause := s.judge(&p)
	if cause != nil || c.role == media.Content || s.channels.latest(c.role) != nil {
		return nil
	}
	t, err := s.cfg.Local(c.role)
	if err != nil {
		return nil
	}
	s.channels.receiving[c.number] = c
	params := h2250(c.session, c.format)
	params.MediaChannel, params.MediaControlChannel = h245.AddressOf(t.RTP), h245.AddressOf(t.RTCP)
	return &h245.OpenLogicalChannel{
		ForwardLogicalChannelNumber: c.number,
		ForwardLogicalChannelParameters: h245.ForwardLogicalChannelParameters{
			DataType:            o.ForwardLogicalChannelParameters.DataType,
			MultiplexParameters: h245.ForwardMultiplexParameters{H2250LogicalChannelParameters: params},
		},
		GenericInformation: s.traverseReceive(c, o),
	}
}

// traverseReceive and traverseSend are H.460.19 in fast start, where the answer to an
// offer is a proposal and its acknowledgement in one.
func (s *Session) traverseReceive(c *incoming, o *h245.OpenLogicalChannel) []h245.GenericMessage {
	if s.cfg.Traversal == nil {
		return nil
	}
	return s.cfg.Traversal.Answer(c.channel(), o.GenericInformation)
}

func (s *Session) traverseSend(c *outgoing, o *h245.OpenLogicalChannel) []h245.GenericMessage {
	if s.cfg.Traversal == nil {
		return nil
	}
	s.cfg.Traversal.Acknowledged(c.channel(), o.GenericInformation)
	return s.cfg.Traversal.Offer(c.channel())
}

// answerSend accepts what the caller offers to receive; the channel gets a number of ours.
func (s *Session) answerSend(o *h245.OpenLogicalChannel) *h245.OpenLogicalChannel {
	p, ok := readReverse(o)
	if !ok || p.encrypted || p.multicast || !p.rtp.IsValid() && !s.traverses() || !o.ForwardLogicalChannelParameters.DataType.NullData {
		return nil
	}
	role, _, ok := s.place(&p)
	if !ok || role == media.Content || s.channels.sending[role] != nil {
		return nil
	}
	format, bps, ok := s.sendable(role, &p)
	if !ok {
		return nil
	}
	t, err := s.cfg.Local(role)
	if err != nil {
		return nil
	}
	c := &outgoing{
		number: s.channels.allocate(), role: role, session: s.adoptSession(role, p.session), format: format, bps: bps,
		state: open, rtp: p.rtp, rtcp: p.rtcp, limit: unlimited, fast: true,
	}
	s.channels.sending[role] = c
	params := h2250(c.session, c.format)
	params.MediaControlChannel = h245.AddressOf(t.RTCP)
	answer := reverseOnly(c.number, o.ReverseLogicalChannelParameters.DataType, params)
	answer.GenericInformation = s.traverseSend(c, o)
	return answer
}

// AcceptFastStart takes the called side's answer to OfferFastStart. An answer that comes
// again changes nothing.
func (s *Session) AcceptFastStart(now time.Time, answers []*h245.OpenLogicalChannel) error {
	if len(s.fast.offers) == 0 || len(answers) > maxFastRead {
		return ErrFastStart
	}
	taken := 0
	s.do(now, func() {
		for _, o := range answers {
			if o != nil && (s.takeSend(o) || s.takeReceive(o)) {
				taken++
			}
		}
		if taken > 0 {
			s.fast.offers = nil
			s.changed()
		}
	})
	if taken == 0 {
		return ErrFastStart
	}
	return nil
}

// RefuseFastStart forgets what was offered: fastConnectRefused came, or an answer without
// any word of it.
func (s *Session) RefuseFastStart() { s.fast.offers = nil }

// takeSend takes the answer to an offer to send: found by its number, or, from those who
// number anew, by its format.
func (s *Session) takeSend(o *h245.OpenLogicalChannel) bool {
	p, ok := readForward(o)
	if !ok || !p.rtp.IsValid() && !s.traverses() || len(p.entries) == 0 {
		return false
	}
	var offered *outgoing
	for _, c := range s.fast.offers {
		if !c.format.Encodes(p.entries[0].format) || c.format.Bitrate != p.entries[0].format.Bitrate {
			continue
		}
		if offered == nil || c.number == p.number {
			offered = c
		}
	}
	if offered == nil || s.channels.sending[offered.role] != nil {
		return false
	}
	offered.number, offered.rtp, offered.rtcp = p.number, p.rtp, p.rtcp
	if p.session != 0 {
		offered.session = p.session
	}
	offered.format.Ptime = packetLength(p.entries[0].format.Ptime)
	s.channels.sending[offered.role] = offered
	s.traverseSend(offered, o)
	return true
}

// takeReceive takes the answer to an offer to receive.
func (s *Session) takeReceive(o *h245.OpenLogicalChannel) bool {
	p, ok := readReverse(o)
	if !ok {
		return false
	}
	c, cause := s.judge(&p)
	if cause != nil || s.channels.latest(c.role) != nil {
		return false
	}
	s.channels.receiving[c.number] = c
	s.traverseReceive(c, o)
	return true
}

package control

import (
	"slices"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// asked takes openLogicalChannel: a channel within our capabilities is accepted, whatever
// the far side announced about itself.
func (s *Session) asked(o *h245.OpenLogicalChannel) {
	c, reply, cause := s.accept(o)
	if cause != nil {
		s.sendResponse(&h245.ResponseMessage{OpenLogicalChannelReject: &h245.OpenLogicalChannelReject{
			ForwardLogicalChannelNumber: o.ForwardLogicalChannelNumber, Cause: *cause,
		}})
		return
	}
	s.sendResponse(&h245.ResponseMessage{OpenLogicalChannelAck: reply})
	s.channels.outdate(c)
	s.channels.receiving[c.number] = c
	if s.allowance(c) > 0 {
		s.sendLimit(c)
	}
	if c.role == media.Content {
		s.contentOpened()
	}
	s.changed()
}

type rejectCause = h245.OpenLogicalChannelRejectCause

// accept decides about a channel, and makes its acknowledgement.
func (s *Session) accept(o *h245.OpenLogicalChannel) (*incoming, *h245.OpenLogicalChannelAck, *rejectCause) {
	p, ok := readForward(o)
	if !ok {
		return nil, nil, &rejectCause{DataTypeALCombinationNotSupported: true}
	}
	c, cause := s.judge(&p)
	if cause != nil {
		return nil, nil, cause
	}
	t, err := s.cfg.Local(c.role)
	if err != nil {
		return nil, nil, &rejectCause{DataTypeNotAvailable: true}
	}
	ack := &h245.OpenLogicalChannelAck{ForwardLogicalChannelNumber: c.number}
	params := &h245.H2250LogicalChannelAckParameters{
		SessionID:           ptr(c.session),
		MediaChannel:        h245.AddressOf(t.RTP),
		MediaControlChannel: h245.AddressOf(t.RTCP),
		FlowControlToZero:   ptr(false),
	}
	if c.format.PayloadType >= firstDynamic {
		params.DynamicRTPPayloadType = ptr(c.format.PayloadType)
	}
	ack.ForwardMultiplexAckParameters = &h245.ForwardMultiplexAckParameters{H2250LogicalChannelAckParameters: params}
	if cause := s.exchangeKey(c, o, ack); cause != nil {
		return nil, nil, cause
	}
	if o.ReverseLogicalChannelParameters != nil {
		if cause := s.acceptReverse(c, o, ack, t); cause != nil {
			return nil, nil, cause
		}
	}
	if s.cfg.Traversal != nil {
		ack.GenericInformation = s.cfg.Traversal.Answer(c.channel(), o.GenericInformation)
	}
	return c, ack, nil
}

// judge holds a proposal against our capabilities.
func (s *Session) judge(p *proposal) (*incoming, *rejectCause) {
	known := len(p.entries) > 0
	switch {
	case p.multicast:
		return nil, &rejectCause{MulticastChannelNotAllowed: true}
	case !known && p.data.NonStandard != nil, !known && p.data.Other != nil:
		return nil, &rejectCause{UnknownDataType: true}
	case !known:
		return nil, &rejectCause{DataTypeNotSupported: true}
	case p.encrypted && (s.cfg.Security == nil || p.algorithm == "" || !slices.Contains(s.cfg.Security.Algorithms(), p.algorithm)),
		!p.encrypted && s.encryption == require:
		return nil, &rejectCause{SecurityDenied: true}
	}
	if _, again := s.channels.receiving[p.number]; !again && len(s.channels.receiving) >= maxReceiving {
		return nil, &rejectCause{InsufficientBandwidth: true}
	}
	role, e, ok := s.place(p)
	if !ok {
		return nil, &rejectCause{DataTypeNotSupported: true}
	}
	if p.encrypted && e.format.PayloadType < firstDynamic {
		e.format.PayloadType = encryptedType // it tells the keys apart, too
	}
	s.channels.arrived++
	return &incoming{
		number: p.number, role: role, session: s.adoptSession(role, p.session), format: e.format, bps: e.bps,
		algorithm: p.algorithm, rtcp: p.rtcp, order: s.channels.arrived, epoch: s.channels.epoch,
	}, nil
}

// place finds the role of a proposal, and the entry of it that we can receive. Content is
// told by its role in H.239, or, from those who do not say it, by being a second video in
// a session of its own.
func (s *Session) place(p *proposal) (media.Role, entry, bool) {
	for _, e := range p.entries {
		role := e.role
		if role == media.Main && p.session != sessionVideo && p.session != 0 && len(s.can.Content) > 0 && s.otherMain(p) {
			role = media.Content
		}
		for _, ours := range formatsOf(&s.can, role) {
			if receives(ours, e.format) {
				return role, e, true
			}
		}
	}
	return 0, entry{}, false
}

// otherMain reports a first video in another session than that of the proposal.
func (s *Session) otherMain(p *proposal) bool {
	for _, c := range s.channels.receiving {
		if c.role == media.Main && c.session != p.session && c.number != p.number {
			return true
		}
	}
	return false
}

// receives reports whether a format of ours takes a stream of theirs. Levels are not held
// against them: terminals open larger channels than they fill.
func receives(ours, theirs media.Format) bool {
	_, ok := suits(ours, theirs)
	if ours.Codec == media.H264 && ok {
		return decodes(ours.H264.ProfileLevelID, theirs.H264.ProfileLevelID)
	}
	return ok && ours.Codec == theirs.Codec
}

// adoptSession gives the session of a channel that came without one (session 0): as the
// master we number it.
func (s *Session) adoptSession(role media.Role, asked uint8) uint8 {
	if asked != 0 {
		return asked
	}
	switch role {
	case media.Audio:
		return sessionAudio
	case media.Main:
		return sessionVideo
	}
	return numbered(role)
}

// exchangeKey gives or takes the key of an encrypted channel: the master makes it.
func (s *Session) exchangeKey(c *incoming, o *h245.OpenLogicalChannel, ack *h245.OpenLogicalChannelAck) *rejectCause {
	if c.algorithm == "" {
		return nil
	}
	if s.determination.status == isMaster {
		key, sync, err := s.cfg.Security.NewKey(c.algorithm, c.format.PayloadType)
		if err != nil {
			return &rejectCause{SecurityDenied: true}
		}
		c.key, ack.EncryptionSync = key, sync
		return nil
	}
	if !s.readKey(&c.key, c.algorithm, o.EncryptionSync) {
		return &rejectCause{SecurityDenied: true}
	}
	return nil
}

// acceptReverse accepts the reverse direction of a channel: we send what they ask for. With
// a channel of ours on the way the master's wish counts (H.245 clause C.4.1.3).
func (s *Session) acceptReverse(c *incoming, o *h245.OpenLogicalChannel, ack *h245.OpenLogicalChannelAck, t Transport) *rejectCause {
	p, ok := readReverse(o)
	if !ok {
		return &rejectCause{UnsuitableReverseParameters: true}
	}
	mine := s.channels.sending[c.role]
	switch {
	case s.encryption == require && !p.encrypted, p.encrypted:
		return &rejectCause{UnsuitableReverseParameters: true}
	case mine != nil && mine.state == open && mine.partner != c.number:
		return &rejectCause{UnsuitableReverseParameters: true}
	case mine != nil && mine.state == opening && s.determination.status == isMaster:
		return &rejectCause{MasterSlaveConflict: true}
	}
	format, bps, ok := s.sendable(c.role, &p)
	if !ok {
		return &rejectCause{UnsuitableReverseParameters: true}
	}
	if mine != nil && mine.partner == 0 {
		s.closeSending(c.role)
	}
	back := &outgoing{
		number: s.channels.allocate(), role: c.role, session: c.session, format: format, bps: bps,
		state: open, partner: c.number, rtp: p.rtp, rtcp: p.rtcp, limit: unlimited,
	}
	s.channels.sending[c.role] = back
	params := h2250(c.session, format)
	params.MediaControlChannel = h245.AddressOf(t.RTCP)
	ack.ReverseLogicalChannelParameters = &h245.AckReverseLogicalChannelParameters{
		ReverseLogicalChannelNumber: back.number,
		MultiplexParameters:         &h245.AckReverseMultiplexParameters{H2250LogicalChannelParameters: params},
	}
	return nil
}

// sendable finds the format in which we can send what a proposal asks for.
func (s *Session) sendable(role media.Role, p *proposal) (media.Format, int, bool) {
	for _, e := range p.entries {
		for _, ours := range formatsOf(&s.can, role) {
			if _, ok := suits(ours, e.format); ok && ours.Codec == e.format.Codec {
				f := e.format
				f.Channels, f.Opus = ours.Channels, ours.Opus
				return f, e.bps, true
			}
		}
	}
	return media.Format{}, 0, false
}

// leave takes closeLogicalChannel. Closing what does not exist is confirmed, too.
func (s *Session) leave(m *h245.CloseLogicalChannel) {
	s.sendResponse(&h245.ResponseMessage{CloseLogicalChannelAck: &h245.CloseLogicalChannelAck{
		ForwardLogicalChannelNumber: m.ForwardLogicalChannelNumber,
	}})
	s.forget(m.ForwardLogicalChannelNumber)
}

// forget drops a channel of theirs with its reverse direction.
func (s *Session) forget(number uint16) {
	c := s.channels.receiving[number]
	if c == nil {
		return
	}
	delete(s.channels.receiving, number)
	if back := s.channels.sending[c.role]; back != nil && back.partner == number {
		s.channels.remove(back)
	}
	if c.role == media.Content && s.channels.latest(media.Content) == nil {
		s.contentClosed()
	}
	s.changed()
}

// expel asks the far side to close the channels that our capabilities no longer cover.
func (s *Session) expel() {
	for number, c := range s.channels.receiving {
		if !slices.ContainsFunc(formatsOf(&s.can, c.role), func(f media.Format) bool { return receives(f, c.format) }) {
			s.requestClose(number)
		}
	}
}

// requestClose asks the far side to close one of its channels.
func (s *Session) requestClose(number uint16) {
	s.sendRequest(&h245.RequestMessage{RequestChannelClose: &h245.RequestChannelClose{
		ForwardLogicalChannelNumber: number, Reason: &h245.RequestChannelCloseReason{Normal: true},
	}})
}

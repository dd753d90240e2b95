package control

import (
	"slices"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// reconcile opens, replaces and closes our channels until they are what both sides can do
// and want.
func (s *Session) reconcile() {
	if s.ended || !s.established || s.paused {
		return
	}
	wanted := s.wanted()
	chosen := s.choose(wanted)
	for role, p := range chosen {
		s.steer(media.Role(role), p)
	}
	if s.encryption == require && chosen[media.Audio] == nil && wanted[media.Audio] && s.plainOnly() {
		s.fail(ErrEncryption)
	}
}

// wanted are the roles in which we send. Content is sent by who holds the token.
func (s *Session) wanted() (w [roles]bool) {
	for role := range w {
		w[role] = len(formatsOf(&s.can, media.Role(role))) > 0 && !s.channels.silenced[role]
	}
	w[media.Content] = w[media.Content] && s.token.state == tokenOurs
	return w
}

// plainOnly reports that sound could be sent if it were not for the encryption.
func (s *Session) plainOnly() bool {
	for _, ours := range s.can.Audio {
		for _, theirs := range s.remote.entries {
			if _, ok := suits(ours, theirs.format); ok && theirs.role == media.Audio {
				return len(s.channels.refused) == 0
			}
		}
	}
	return false
}

// steer brings the channel of a role to what was chosen; nil: to nothing.
func (s *Session) steer(role media.Role, p *pick) {
	c := s.channels.sending[role]
	switch {
	case p == nil:
		if c != nil && c.partner == 0 {
			s.closeSending(role)
		}
	case c == nil:
		if !s.leaving(role) && s.channels.pending[role] == nil {
			s.openSending(p, 0)
		}
	case c.partner != 0, c.carries(p), c.state == opening, s.channels.pending[role] != nil, s.keeps(c):
	case s.remote.replaces:
		s.openSending(p, c.number)
	default:
		s.closeSending(role) // the new one follows when this is gone
	}
}

// keeps reports whether a channel of fast start may stay although something better could be
// sent: a change in the first second is heard.
func (s *Session) keeps(c *outgoing) bool {
	return c.fast && c.algorithm == "" && s.channels.wanted[c.role] == nil && slices.ContainsFunc(s.candidates(c.role), func(p pick) bool {
		return p.format.Encodes(c.format) && p.format.Bitrate == c.format.Bitrate && p.algorithm == ""
	})
}

// carries reports whether a channel is what was chosen.
func (c *outgoing) carries(p *pick) bool {
	return c.format.Encodes(p.format) && c.format.Bitrate == p.format.Bitrate && c.algorithm == p.algorithm &&
		c.format.H264.ProfileLevelID>>16 == p.format.H264.ProfileLevelID>>16 &&
		c.format.H264.PacketizationMode == p.format.H264.PacketizationMode
}

// leaving reports whether a channel of a role is still being closed.
func (s *Session) leaving(role media.Role) bool {
	for _, c := range s.channels.leaving {
		if c.role == role {
			return true
		}
	}
	return false
}

// openSending opens a channel, in place of another if replaces is not zero.
func (s *Session) openSending(p *pick, replaces uint16) {
	t, err := s.cfg.Local(p.role)
	if err != nil {
		s.channels.refused[p.entry.key()] = true
		return
	}
	c := &outgoing{
		number: s.number(p.role), role: p.role, session: s.session(p.role), from: p.entry.key(),
		format: p.format, bps: s.withinRate(p.role, p.entry.bps), algorithm: p.algorithm,
		state: opening, deadline: s.wait(), replaces: replaces, limit: unlimited,
	}
	if c.algorithm != "" && c.format.PayloadType < firstDynamic {
		c.format.PayloadType = encryptedType
	}
	if e := s.remote.events; c.role == media.Audio && e.ClockRate != 0 && c.format.PayloadType == e.PayloadType {
		c.format.PayloadType = nextType(e.PayloadType) // theirs means keys
	}
	o := s.describe(c, t)
	if c.algorithm != "" && s.determination.status == isMaster {
		key, sync, err := s.cfg.Security.NewKey(c.algorithm, c.format.PayloadType)
		if err != nil {
			s.channels.refused[p.entry.key()] = true
			return
		}
		c.key, o.EncryptionSync = key, sync
	}
	if replaces != 0 {
		s.channels.pending[p.role] = c
	} else {
		s.channels.sending[p.role] = c
	}
	s.sendRequest(&h245.RequestMessage{OpenLogicalChannel: o})
}

// number is that of a new channel: the one that our request for the token named, or a fresh
// one.
func (s *Session) number(role media.Role) uint16 {
	if n := s.token.channel; role == media.Content && n != 0 && s.channels.find(n) == nil && s.channels.leaving[n] == nil {
		return n
	}
	return s.channels.allocate()
}

// encryptedType is the dynamic payload type of an encrypted stream whose codec has a static
// one. It differs from those we propose for others.
const encryptedType = 120

// session is the RTP session of a role. That of content, or of cameras, is numbered by the master: a slave
// says 0 until it knows (H.245 clause C.4.1.1).
func (s *Session) session(role media.Role) uint8 {
	switch role {
	case media.Audio:
		return sessionAudio
	case media.Main:
		return sessionVideo
	}
	if c := s.channels.latest(role); c != nil && c.session != 0 {
		return c.session
	}
	if s.determination.status == isMaster {
		return numbered(role)
	}
	return 0
}

// numbered is the session that we give a role as the master.
func numbered(role media.Role) uint8 {
	if role == media.Camera {
		return sessionCamera
	}
	return sessionOthers
}

// acknowledged takes openLogicalChannelAck.
func (s *Session) acknowledged(m *h245.OpenLogicalChannelAck) {
	c := s.channels.find(m.ForwardLogicalChannelNumber)
	if c == nil || c.state != opening || c.partner != 0 {
		return
	}
	if p := m.ForwardMultiplexAckParameters; p != nil && p.H2250LogicalChannelAckParameters != nil {
		c.take(p.H2250LogicalChannelAckParameters)
	}
	if s.cfg.Traversal != nil {
		s.cfg.Traversal.Acknowledged(c.channel(), m.GenericInformation)
	}
	if c.algorithm != "" && c.key == nil {
		if !s.readKey(&c.key, c.algorithm, m.EncryptionSync) {
			s.channels.refused[c.from] = true
			s.discard(c)
			return
		}
		c.format.PayloadType = c.key.Synch
	}
	c.state, c.deadline = open, time.Time{}
	if s.channels.pending[c.role] == c {
		s.channels.pending[c.role] = nil
		if old := s.channels.sending[c.role]; old != nil {
			s.discard(old)
		}
		s.channels.sending[c.role] = c
	}
	if c.role == media.Content {
		s.indicateActive(c, true)
	}
	s.changed()
}

// take reads where to send.
func (c *outgoing) take(p *h245.H2250LogicalChannelAckParameters) {
	c.rtp, c.rtcp = p.MediaChannel.Unicast(), p.MediaControlChannel.Unicast()
	if p.SessionID != nil {
		c.session = *p.SessionID
	}
	if p.DynamicRTPPayloadType != nil && c.format.PayloadType >= firstDynamic {
		c.format.PayloadType = *p.DynamicRTPPayloadType
	}
	if p.FlowControlToZero != nil && *p.FlowControlToZero {
		c.limit = 0
	}
}

// readKey takes the key of a channel from what the master sent.
func (s *Session) readKey(key **Key, algorithm per.OID, sync *h245.EncryptionSync) bool {
	if sync == nil || s.cfg.Security == nil {
		return false
	}
	k, err := s.cfg.Security.ReadKey(algorithm, sync)
	if err != nil {
		return false
	}
	*key = k
	return true
}

// rejected takes openLogicalChannelReject: the next best is tried.
func (s *Session) rejected(m *h245.OpenLogicalChannelReject) {
	c := s.channels.find(m.ForwardLogicalChannelNumber)
	if c == nil || c.state != opening {
		return
	}
	s.channels.remove(c)
	if m.Cause.MasterSlaveConflict {
		s.yield(c)
		return
	}
	if m.Cause.ReplacementForRejected || c.replaces != 0 {
		s.remote.replaces = false // close first, then open
		return
	}
	s.channels.refused[c.from] = true
}

// yield follows the master in a conflict: we send what it sends, where it takes that
// (H.245 clause C.4.1.3).
func (s *Session) yield(c *outgoing) {
	theirs := s.channels.latest(c.role)
	if theirs == nil || theirs.format.Encodes(c.format) {
		s.channels.refused[c.from] = true
		return
	}
	s.channels.wanted[c.role] = &wish{theirs.format}
}

// closeSending closes the channels of a role.
func (s *Session) closeSending(role media.Role) {
	for _, c := range []*outgoing{s.channels.pending[role], s.channels.sending[role]} {
		if c != nil {
			s.discard(c)
		}
	}
}

// discard closes one of our channels. The reverse direction of a channel of theirs is
// closed by asking them.
func (s *Session) discard(c *outgoing) {
	s.channels.remove(c)
	s.changed()
	if c.partner != 0 {
		s.requestClose(c.partner)
		return
	}
	c.state, c.deadline = closing, s.wait()
	if len(s.channels.leaving) < maxLeaving {
		s.channels.leaving[c.number] = c
	}
	s.sendRequest(&h245.RequestMessage{CloseLogicalChannel: &h245.CloseLogicalChannel{
		ForwardLogicalChannelNumber: c.number,
		Source:                      h245.CloseLogicalChannelSource{Lcse: true},
		Reason:                      &h245.CloseLogicalChannelReason{Unknown: true},
	}})
}

// closed takes closeLogicalChannelAck.
func (s *Session) closed(m *h245.CloseLogicalChannelAck) {
	if c := s.channels.leaving[m.ForwardLogicalChannelNumber]; c != nil {
		s.channels.remove(c)
	}
}

// askedToClose takes requestChannelClose for a channel of ours. It is closed; unless the far
// side wants it reopened, nothing more is sent in the role until it says otherwise by a new
// capability set or requestMode.
func (s *Session) askedToClose(m *h245.RequestChannelClose) {
	c := s.channels.find(m.ForwardLogicalChannelNumber)
	if c == nil {
		s.sendResponse(&h245.ResponseMessage{RequestChannelCloseReject: &h245.RequestChannelCloseReject{
			ForwardLogicalChannelNumber: m.ForwardLogicalChannelNumber,
			Cause:                       h245.RequestChannelCloseRejectCause{Unspecified: true},
		}})
		return
	}
	s.sendResponse(&h245.ResponseMessage{RequestChannelCloseAck: &h245.RequestChannelCloseAck{
		ForwardLogicalChannelNumber: m.ForwardLogicalChannelNumber,
	}})
	s.discard(c)
	switch {
	case m.Reason != nil && m.Reason.Reopen, !s.takes(c): // another one follows
	case c.role == media.Content:
		s.returnToken()
	default:
		s.channels.silenced[c.role] = true
	}
}

// takes reports whether the far side still announces that it takes what a channel carries.
func (s *Session) takes(c *outgoing) bool {
	return s.remote != nil && slices.ContainsFunc(s.candidates(c.role), func(p pick) bool { return p.entry.key() == c.from })
}

// tickChannels handles the expiry of T103: a channel that is not answered is closed and
// its format not tried again; one that is not confirmed closed is gone.
func (s *Session) tickChannels() {
	var late []*outgoing
	s.channels.each(func(c *outgoing) {
		if s.due(c.deadline) {
			late = append(late, c)
		}
	})
	for _, c := range late {
		if c.state == closing {
			s.channels.remove(c)
			continue
		}
		s.channels.refused[c.from] = true
		s.discard(c)
	}
}

package control

import (
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// RequestKeyframe asks for a fresh picture (videoFastUpdatePicture). Whoever calls it
// limits the rate.
func (s *Session) RequestKeyframe(now time.Time, role media.Role) {
	s.do(now, func() {
		if c := s.channels.latest(role); c != nil && role != media.Audio {
			s.sendCommand(&h245.CommandMessage{MiscellaneousCommand: &h245.MiscellaneousCommand{
				LogicalChannelNumber: c.number, Type: h245.MiscellaneousCommandType{VideoFastUpdatePicture: true},
			}})
		}
	})
}

// LimitReceive bounds what the far side sends in a role (flowControlCommand), in bit/s; zero
// lifts the bound. It holds for channels to come, too.
func (s *Session) LimitReceive(now time.Time, role media.Role, bps int) {
	s.do(now, func() {
		if int(role) >= roles || s.channels.limits[role] == bps {
			return
		}
		s.channels.limits[role] = bps
		if c := s.channels.latest(role); c != nil {
			s.sendLimit(c)
		}
	})
}

// allowance is what a channel of theirs has to be held to: what was asked for, and what we
// announced where they opened more than that. Zero: as it was opened.
func (s *Session) allowance(c *incoming) int {
	most := 0
	switch c.role {
	case media.Main:
		most = s.can.MaxVideo
	case media.Content:
		most = s.can.MaxContent
	}
	asked := s.channels.limits[c.role]
	switch {
	case most == 0 || c.bps <= most && asked == 0:
		return asked
	case asked == 0:
		return most
	}
	return min(asked, most)
}

// maxRate is the greatest maximumBitRate of flowControlCommand.
const maxRate = 1<<24 - 1

func (s *Session) sendLimit(c *incoming) {
	restriction := h245.FlowControlCommandRestriction{NoRestriction: true}
	if bps := s.allowance(c); bps > 0 {
		restriction = h245.FlowControlCommandRestriction{MaximumBitRate: ptr(uint32(units(bps, 0, maxRate)))}
	}
	s.sendCommand(&h245.CommandMessage{FlowControlCommand: &h245.FlowControlCommand{
		Scope: h245.FlowControlCommandScope{LogicalChannelNumber: &c.number}, Restriction: restriction,
	}})
}

// Mute tells the far side whether our channel of a role carries anything.
func (s *Session) Mute(now time.Time, role media.Role, muted bool) {
	s.do(now, func() {
		if int(role) >= roles {
			return
		}
		if c := s.channels.sending[role]; c != nil && c.state == open && c.muted != muted {
			c.muted = muted
			s.indicateActive(c, !muted)
		}
	})
}

func (s *Session) indicateActive(c *outgoing, active bool) {
	s.sendIndication(&h245.IndicationMessage{MiscellaneousIndication: &h245.MiscellaneousIndication{
		LogicalChannelNumber: c.number,
		Type:                 h245.MiscellaneousIndicationType{LogicalChannelActive: active, LogicalChannelInactive: !active},
	}})
}

// flowControl obeys the far side's bound: of one channel, or of all together, in which case
// pictures get what sound leaves.
func (s *Session) flowControl(m *h245.FlowControlCommand) {
	limit := unlimited
	if m.Restriction.MaximumBitRate != nil {
		limit = int(*m.Restriction.MaximumBitRate) * bitRateUnit
	}
	if n := m.Scope.LogicalChannelNumber; n != nil {
		if c := s.channels.find(*n); c != nil {
			s.limit(c, limit)
		}
		return
	}
	if limit > 0 && s.channels.sending[media.Audio] != nil {
		limit = max(limit-audioRate, bitRateUnit)
	}
	for _, role := range []media.Role{media.Main, media.Content} {
		if c := s.channels.sending[role]; c != nil {
			s.limit(c, limit)
		}
	}
}

// audioRate is what sound takes of a bound for all.
const audioRate = 64000

func (s *Session) limit(c *outgoing, bps int) {
	if c.limit != bps {
		c.limit = bps
		s.changed()
	}
}

// rateRequest grants a new rate for a channel of ours (logicalChannelRateRequest).
func (s *Session) rateRequest(m *h245.LogicalChannelRateRequest) {
	c := s.channels.find(m.LogicalChannelNumber)
	if c == nil {
		s.sendResponse(&h245.ResponseMessage{LogicalChannelRateReject: &h245.LogicalChannelRateReject{
			SequenceNumber: m.SequenceNumber, LogicalChannelNumber: m.LogicalChannelNumber,
			RejectReason: h245.LogicalChannelRateRejectReason{UndefinedReason: true},
		}})
		return
	}
	s.limit(c, int(min(m.MaximumBitRate, maxRate))*bitRateUnit)
	s.sendResponse(&h245.ResponseMessage{LogicalChannelRateAcknowledge: &h245.LogicalChannelRateAcknowledge{
		SequenceNumber: m.SequenceNumber, LogicalChannelNumber: m.LogicalChannelNumber, MaximumBitRate: m.MaximumBitRate,
	}})
}

// miscellaneous handles commands about a channel: ours, unless the far side ends its freeze
// or changes a key.
func (s *Session) miscellaneous(m *h245.MiscellaneousCommand) {
	t := &m.Type
	c := s.channels.find(m.LogicalChannelNumber)
	switch {
	case t.VideoFastUpdatePicture, t.VideoFastUpdateGOB != nil, t.VideoFastUpdateMB != nil,
		t.LostPicture != nil, t.LostPartialPicture != nil, t.RecoveryReferencePicture != nil, t.VideoBadMBs != nil:
		s.keyframe(c)
	case t.VideoFreezePicture:
		if c := s.channels.receiving[m.LogicalChannelNumber]; c != nil && c.role != media.Audio {
			s.emit(Frozen{c.role})
		}
	case t.EncryptionUpdate != nil, t.EncryptionUpdateCommand != nil, t.EncryptionUpdateRequest != nil:
		s.updateKey(m)
	}
}

// keyframe asks our source for a fresh picture. Peers that name a channel we do not know
// mean the only one there is.
func (s *Session) keyframe(c *outgoing) {
	if c == nil {
		c = s.channels.sending[media.Main]
	}
	if c != nil && c.role != media.Audio {
		s.emit(KeyframeRequested{c.role})
	}
}

// told handles what is said about a channel of theirs.
func (s *Session) told(m *h245.MiscellaneousIndication) {
	c := s.channels.receiving[m.LogicalChannelNumber]
	active, inactive := m.Type.LogicalChannelActive, m.Type.LogicalChannelInactive
	if c == nil || !active && !inactive || c.muted == inactive {
		return
	}
	c.muted = inactive
	s.emit(Muted{Role: c.role, Muted: inactive})
}

// refuseLoop refuses to loop media back: this is no test equipment.
func (s *Session) refuseLoop(m *h245.MaintenanceLoopRequest) {
	s.sendResponse(&h245.ResponseMessage{MaintenanceLoopReject: &h245.MaintenanceLoopReject{
		Type: h245.MaintenanceLoopRejectType{
			SystemLoop: m.Type.SystemLoop || m.Type.Other != nil, MediaLoop: m.Type.MediaLoop, LogicalChannelLoop: m.Type.LogicalChannelLoop,
		},
		Cause: h245.MaintenanceLoopRejectCause{CanNotPerformLoop: true},
	}})
}

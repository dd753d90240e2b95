package control

import "github.com/roomgate/roomgate/h323/h245"

// updateKey handles a change of the key of a channel (H.235.6 clause 8.6): the master sends
// new ones, by itself or when the slave asks.
func (s *Session) updateKey(m *h245.MiscellaneousCommand) {
	if s.cfg.Security == nil {
		return
	}
	sync := m.Type.EncryptionUpdate
	if u := m.Type.EncryptionUpdateCommand; u != nil {
		sync = &u.EncryptionSync
	}
	out, in := s.channels.find(m.LogicalChannelNumber), s.channels.receiving[m.LogicalChannelNumber]
	if m.Direction != nil { // numbers of both sides may be the same
		ours := m.Direction.MasterToSlave == (s.determination.status == isMaster)
		if ours {
			in = nil
		} else {
			out = nil
		}
	}
	if s.determination.status == isMaster {
		if m.Type.EncryptionUpdateRequest != nil {
			s.renewKey(out, in, m.Direction)
		}
		return
	}
	switch {
	case sync == nil:
		return
	case out != nil && out.algorithm != "":
		if s.readKey(&out.key, out.algorithm, sync) {
			out.format.PayloadType = out.key.Synch
		}
	case in != nil && in.algorithm != "":
		if s.readKey(&in.key, in.algorithm, sync) {
			in.format.PayloadType = in.key.Synch
		}
	default:
		return
	}
	if m.Type.EncryptionUpdateCommand != nil {
		s.sendKeyCommand(m.LogicalChannelNumber, m.Direction, h245.MiscellaneousCommandType{
			EncryptionUpdateAck: &h245.MiscellaneousCommandTypeEncryptionUpdateAck{SynchFlag: sync.SynchFlag},
		})
	}
	s.changed()
}

// renewKey makes a new key under the next payload type, so that either side can tell the
// packets of both apart.
func (s *Session) renewKey(out *outgoing, in *incoming, direction *h245.EncryptionUpdateDirection) {
	switch {
	case out != nil && out.key != nil:
		synch := nextType(out.key.Synch)
		if key, sync, err := s.cfg.Security.NewKey(out.algorithm, synch); err == nil {
			out.key, out.format.PayloadType = key, synch
			s.sendKeyCommand(out.number, direction, h245.MiscellaneousCommandType{EncryptionUpdate: sync})
		}
	case in != nil && in.key != nil:
		synch := nextType(in.key.Synch)
		if key, sync, err := s.cfg.Security.NewKey(in.algorithm, synch); err == nil {
			in.key, in.format.PayloadType = key, synch
			s.sendKeyCommand(in.number, direction, h245.MiscellaneousCommandType{EncryptionUpdate: sync})
		}
	}
	s.changed()
}

func (s *Session) sendKeyCommand(channel uint16, direction *h245.EncryptionUpdateDirection, t h245.MiscellaneousCommandType) {
	s.sendCommand(&h245.CommandMessage{MiscellaneousCommand: &h245.MiscellaneousCommand{
		LogicalChannelNumber: channel, Type: t, Direction: direction,
	}})
}

// nextType is the dynamic payload type after one.
func nextType(pt uint8) uint8 {
	if pt < firstDynamic || pt >= 127 {
		return firstDynamic
	}
	return pt + 1
}

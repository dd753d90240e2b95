package control

import (
	"bytes"
	"testing"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// TestKeyUpdate changes the key of a channel by request of the slave, and by command.
func TestKeyUpdate(t *testing.T) {
	security := func() *fakeSecurity { return &fakeSecurity{algorithms: []per.OID{aes128}} }
	p := newPair(t, Config{Capabilities: everything(), Encryption: "require", Security: security(), TerminalType: 200},
		Config{Capabilities: everything(), Encryption: "require", Security: security()}).start()
	towards := func(toMaster bool) *h245.EncryptionUpdateDirection {
		return &h245.EncryptionUpdateDirection{SlaveToMaster: toMaster, MasterToSlave: !toMaster}
	}
	for _, toMaster := range []bool{true, false} {
		from, to := p.a, p.b
		if toMaster {
			from, to = p.b, p.a
		}
		before := from.Medium(media.Audio)
		p.a.hears(p.now, &h245.CommandMessage{MiscellaneousCommand: &h245.MiscellaneousCommand{
			LogicalChannelNumber: before.SendChannel.Number, Direction: towards(toMaster),
			Type: h245.MiscellaneousCommandType{EncryptionUpdateRequest: &h245.EncryptionUpdateRequest{}}}})
		p.settle()
		after, there := from.Medium(media.Audio), to.Medium(media.Audio)
		if bytes.Equal(after.SendKey.Key, before.SendKey.Key) || !bytes.Equal(after.SendKey.Key, there.RecvKey.Key) ||
			after.Stream.Send.PayloadType != there.Stream.Recv.PayloadType || after.Stream.Send.PayloadType == before.Stream.Send.PayloadType {
			t.Errorf("to the master %v: before %+v, after %+v and %+v", toMaster, before.SendKey, after.SendKey, there.RecvKey)
		}
	}
	b := p.b.Medium(media.Main)
	p.b.hears(p.now, &h245.CommandMessage{MiscellaneousCommand: &h245.MiscellaneousCommand{
		LogicalChannelNumber: b.RecvChannel.Number, Direction: towards(false),
		Type: h245.MiscellaneousCommandType{EncryptionUpdateCommand: &h245.MiscellaneousCommandTypeEncryptionUpdateCommand{
			EncryptionSync: h245.EncryptionSync{SynchFlag: 111, H235Key: []byte("new")}}}}})
	if got := p.b.Medium(media.Main); string(got.RecvKey.Key) != "new" || got.Stream.Recv.PayloadType != 111 {
		t.Errorf("%+v", got.RecvKey)
	}
	if m := p.b.out[len(p.b.out)-1]; m.Command == nil || m.Command.MiscellaneousCommand.Type.EncryptionUpdateAck == nil {
		t.Errorf("%+v", m)
	}
}

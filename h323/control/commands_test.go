package control

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// picture is a call in which both send pictures and sound.
func picture(t *testing.T) *pair {
	return newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
}

func TestKeyframes(t *testing.T) {
	p := picture(t)
	p.a.RequestKeyframe(p.now, media.Main)
	p.a.RequestKeyframe(p.now, media.Audio)
	p.a.RequestKeyframe(p.now, media.Content)
	p.settle()
	if n := count[KeyframeRequested](p.b); n != 1 {
		t.Errorf("%d requests", n)
	}
	number := p.b.Medium(media.Main).SendChannel.Number
	reference := h245.PictureReference{PictureNumber: ptr(uint16(3))}
	for i, c := range []h245.MiscellaneousCommandType{
		{VideoFastUpdatePicture: true},
		{VideoFastUpdateGOB: &h245.MiscellaneousCommandTypeVideoFastUpdateGOB{FirstGOB: 1, NumberOfGOBs: 2}},
		{VideoFastUpdateMB: &h245.MiscellaneousCommandTypeVideoFastUpdateMB{FirstMB: ptr(uint16(1)), NumberOfMBs: 9}},
		{LostPicture: []h245.PictureReference{reference}},
		{LostPartialPicture: &h245.MiscellaneousCommandTypeLostPartialPicture{PictureReference: reference, FirstMB: 1, NumberOfMBs: 2}},
		{RecoveryReferencePicture: []h245.PictureReference{reference}},
		{VideoBadMBs: &h245.MiscellaneousCommandTypeVideoBadMBs{FirstMB: 1, NumberOfMBs: 1}},
	} {
		before := count[KeyframeRequested](p.b)
		p.b.hears(p.now, &h245.CommandMessage{MiscellaneousCommand: &h245.MiscellaneousCommand{LogicalChannelNumber: number, Type: c}})
		if e, _ := last[KeyframeRequested](p.b); count[KeyframeRequested](p.b) != before+1 || e.Role != media.Main {
			t.Errorf("form %d: not a request", i)
		}
	}
	before := count[KeyframeRequested](p.b)
	for _, c := range []h245.MiscellaneousCommandType{{EqualiseDelay: true}, {VideoTemporalSpatialTradeOff: ptr(uint8(3))}, {MultipointModeCommand: true}} {
		p.b.hears(p.now, &h245.CommandMessage{MiscellaneousCommand: &h245.MiscellaneousCommand{LogicalChannelNumber: number, Type: c}})
	}
	if count[KeyframeRequested](p.b) != before {
		t.Error("other commands ask for pictures")
	}
	p.b.hears(p.now, &h245.CommandMessage{MiscellaneousCommand: &h245.MiscellaneousCommand{LogicalChannelNumber: p.b.Medium(media.Main).RecvChannel.Number, Type: h245.MiscellaneousCommandType{VideoFreezePicture: true}}})
	if e, ok := last[Frozen](p.b); !ok || e.Role != media.Main {
		t.Errorf("%+v %v", e, ok)
	}
}

func TestFlowControl(t *testing.T) {
	p := picture(t)
	bound := func() int {
		m := p.b.Medium(media.Main)
		if m.Stream.MaxSend != 2_000_000 {
			t.Errorf("flow control changed what was agreed: %d", m.Stream.MaxSend)
		}
		if m.Held > 0 {
			return min(m.Stream.MaxSend, m.Held)
		}
		return m.Stream.MaxSend
	}
	for _, c := range []struct{ limit, want int }{{512_000, 512_000}, {9_000_000, 2_000_000}, {0, 2_000_000}, {64_000, 64_000}} {
		p.a.LimitReceive(p.now, media.Main, c.limit)
		p.settle()
		if bound() != c.want {
			t.Errorf("asked for %d, may send %d", c.limit, bound())
		}
		if held := p.b.Medium(media.Main).Held; held != min(c.limit, 2_000_000) {
			t.Errorf("asked for %d, held to %d", c.limit, held)
		}
	}
	p.a.LimitReceive(p.now, media.Main, 64_000)
	if len(p.a.out) != 0 {
		t.Error("the same bound is told again")
	}
	// Nothing at all, then without a bound.
	number := p.b.Medium(media.Main).SendChannel.Number
	command := func(scope h245.FlowControlCommandScope, r h245.FlowControlCommandRestriction) *h245.CommandMessage {
		return &h245.CommandMessage{FlowControlCommand: &h245.FlowControlCommand{Scope: scope, Restriction: r}}
	}
	one, all := h245.FlowControlCommandScope{LogicalChannelNumber: &number}, h245.FlowControlCommandScope{WholeMultiplex: true}
	p.b.hears(p.now, command(one, h245.FlowControlCommandRestriction{MaximumBitRate: ptr(uint32(0))}))
	if d := p.b.Medium(media.Main).Stream.Direction; d != media.RecvOnly {
		t.Errorf("flow control to zero: %s", d)
	}
	p.b.hears(p.now, command(one, h245.FlowControlCommandRestriction{NoRestriction: true}))
	if d := p.b.Medium(media.Main).Stream.Direction; d != media.SendRecv || bound() != 2_000_000 {
		t.Errorf("without: %s, %d", d, bound())
	}
	p.b.hears(p.now, command(all, h245.FlowControlCommandRestriction{MaximumBitRate: ptr(uint32(3840))}))
	if bound() != 384_000-audioRate {
		t.Errorf("of all together: %d", bound())
	}
	p.b.hears(p.now, &h245.RequestMessage{LogicalChannelRateRequest: &h245.LogicalChannelRateRequest{SequenceNumber: 1, LogicalChannelNumber: number, MaximumBitRate: 2560}})
	if bound() != 256_000 {
		t.Errorf("by a request: %d", bound())
	}
	p.b.hears(p.now, &h245.RequestMessage{LogicalChannelRateRequest: &h245.LogicalChannelRateRequest{SequenceNumber: 2, LogicalChannelNumber: 4711, MaximumBitRate: 2560}})
	if r := p.b.response(); r.LogicalChannelRateReject == nil {
		t.Errorf("%+v", r)
	}
}

// TestOpenedTooFast: a channel that may carry more than we announced is accepted, and held to
// that.
func TestOpenedTooFast(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	told := func() (bps int) {
		for _, m := range s.sent {
			if m.Command != nil && m.Command.FlowControlCommand != nil {
				bps = -1
				if r := m.Command.FlowControlCommand.Restriction.MaximumBitRate; r != nil {
					bps = int(*r) * bitRateUnit
				}
			}
		}
		return bps
	}
	e := videoOf(media.H264)
	s.hears(now, asks(openOf(4, 2, e)))
	if got := told(); got != 0 {
		t.Errorf("within our capability: %d", got)
	}
	e.bps = 6_000_000
	s.hears(now, asks(openOf(5, 2, e)))
	if got := told(); got != 2_000_000 {
		t.Errorf("beyond it: %d", got)
	}
	s.LimitReceive(now, media.Main, 3_000_000)
	s.LimitReceive(now, media.Main, 500_000)
	if got := told(); got != 500_000 {
		t.Errorf("asked for less: %d", got)
	}
	s.LimitReceive(now, media.Main, 0)
	if got := told(); got != 2_000_000 {
		t.Errorf("without a bound: %d", got)
	}
}

// TestFlowControlToZero: an acknowledgement may hold the channel until a command frees it.
func TestFlowControlToZero(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	ack := ackOf(s.opened(media.Main))
	ack.OpenLogicalChannelAck.ForwardMultiplexAckParameters.H2250LogicalChannelAckParameters.FlowControlToZero = ptr(true)
	s.hears(now, ack)
	if m := s.Medium(media.Main); m == nil || m.Stream.Direction != media.Inactive {
		t.Fatalf("%+v", m)
	}
	s.hears(now, &h245.CommandMessage{FlowControlCommand: &h245.FlowControlCommand{
		Scope:       h245.FlowControlCommandScope{LogicalChannelNumber: &ack.OpenLogicalChannelAck.ForwardLogicalChannelNumber},
		Restriction: h245.FlowControlCommandRestriction{MaximumBitRate: ptr(uint32(5120))}}})
	if m := s.Medium(media.Main); m.Stream.Direction != media.SendOnly || m.Held != 512_000 {
		t.Errorf("%+v", m)
	}
}

func TestMute(t *testing.T) {
	p := picture(t)
	p.a.Mute(p.now, media.Audio, true)
	p.a.Mute(p.now, media.Audio, true)
	p.settle()
	if e, ok := last[Muted](p.b); !ok || !e.Muted || e.Role != media.Audio || count[Muted](p.b) != 1 || !p.b.Medium(media.Audio).Muted {
		t.Errorf("%+v, %d times", e, count[Muted](p.b))
	}
	p.a.Mute(p.now, media.Audio, false)
	p.settle()
	if e, _ := last[Muted](p.b); e.Muted || p.b.Medium(media.Audio).Muted {
		t.Errorf("%+v", e)
	}
}

func TestRoundTrip(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything(), KeepAlive: 10 * time.Second}, Config{Capabilities: everything()}).start()
	p.pass(35 * time.Second)
	if n := count[RoundTrip](p.a); n != 3 || count[Silent](p.a) != 0 {
		t.Errorf("%d answers, %d times silent", n, count[Silent](p.a))
	}
	p.b.lose = func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Response != nil && m.Response.RoundTripDelayResponse != nil
	}
	p.pass(20 * time.Second)
	if n := count[Silent](p.a); n != 1 {
		t.Errorf("%d times silent", n)
	}
	p.b.Ping(p.now)
	p.now = p.now.Add(70 * time.Millisecond)
	for _, m := range p.b.out {
		p.a.Receive(p.now, m)
	}
	p.b.out = nil
	p.settle()
	if r, _ := last[RoundTrip](p.b); r.Delay != 70*time.Millisecond {
		t.Errorf("%+v", r)
	}
}

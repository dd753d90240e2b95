package control

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// TestVendors holds what products do in H.245 that is not by the book, each as a test.
func TestVendors(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(t *testing.T)
	}{
		{"Polycom: keeps the connection alive by userInput", keepsAliveByUserInput},
		{"Polycom RMX: indications of its own", nonStandardIndications},
		{"Tandberg: a channel without a session is acknowledged with 32 or more", sessionFromAck},
		{"Tandberg: opens content with session 0 as a slave", sessionForSlave},
		{"Huawei VP9650: opens less than it announces", opensLess},
		{"Yealink: content in whatever session", looseSessions},
		{"LifeSize: another session and another number for either direction of H.239", sessionsDiffer},
		{"Avaya XT5000: H.239 inside multiplePayloadStream", contentInMultiplePayload},
		{"Asterisk: stumbles over QoS capabilities", noQoS},
		{"Asterisk: terminal type of a gateway", sameTerminalType},
		{"H323Plus: several messages at once, capabilities before the determination", interleaved},
		{"odd: RTP on an odd port, no RTCP", oddPorts},
		{"odd: the acknowledgement names address or port zero", nowhere},
		{"odd: the acknowledgement dictates the payload type", dictatedType},
		{"odd: receiveAndTransmit capabilities", receiveAndTransmit},
		{"old: no packetization told, single NAL units it is", oldPacketization},
	} {
		t.Run(c.name, c.play)
	}
}

func keepsAliveByUserInput(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	sent, told := len(s.sent), len(s.events)
	for range 3 {
		s.hears(now, &h245.IndicationMessage{UserInput: &h245.UserInputIndication{Alphanumeric: ptr("")}})
	}
	if len(s.sent) != sent || len(s.events) != told {
		t.Errorf("sent %d, told %d", len(s.sent)-sent, len(s.events)-told)
	}
}

func nonStandardIndications(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	sent := len(s.sent)
	s.hears(now, &h245.IndicationMessage{NonStandard: &h245.NonStandardMessage{NonStandardData: h245.NonStandardParameter{
		NonStandardIdentifier: h245.NonStandardIdentifier{H221NonStandard: &h245.NonStandardIdentifierH221NonStandard{T35CountryCode: 181}}, Data: []byte{1}}}})
	if len(s.sent) != sent || count[Failed](s) != 0 {
		t.Errorf("answered %+v", s.sent[len(s.sent)-1])
	}
}

// granted opens our content channel, up to its acknowledgement.
func granted(t *testing.T, s *side, now time.Time) *h245.OpenLogicalChannel {
	t.Helper()
	if err := s.RequestToken(now); err != nil {
		t.Fatal(err)
	}
	s.hears(now, &h245.ResponseMessage{GenericResponse: h239Message(presentResponse, logical(h239Acknowledge), unsignedMin(h239Terminal, 0), unsignedMin(h239Channel, 1))})
	return s.opened(media.Content)
}

func sessionFromAck(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), false)
	o := granted(t, s, now)
	if got := o.ForwardLogicalChannelParameters.MultiplexParameters.H2250LogicalChannelParameters.SessionID; got != 0 {
		t.Errorf("asked for session %d", got)
	}
	ack := ackOf(o)
	ack.OpenLogicalChannelAck.ForwardMultiplexAckParameters.H2250LogicalChannelAckParameters.SessionID = ptr(uint8(35))
	s.hears(now, ack)
	if m := s.Medium(media.Content); m == nil || m.SendChannel.Session != 35 {
		t.Errorf("%+v", m)
	}
}

func sessionForSlave(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	e := videoOf(media.H264)
	e.role = media.Content
	s.hears(now, asks(openOf(9, 0, e)))
	p := s.response().OpenLogicalChannelAck.ForwardMultiplexAckParameters.H2250LogicalChannelAckParameters
	if *p.SessionID != sessionOthers || s.Medium(media.Content).RecvChannel.Session != sessionOthers {
		t.Errorf("numbered %d", *p.SessionID)
	}
}

func opensLess(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	e := videoOf(media.H264)
	e.format.H264, e.bps = media.H264Format{ProfileLevelID: 0x42e016, MaxFS: 1584 / unitFS * unitFS}, 384_000
	s.hears(now, asks(openOf(4, 2, e)))
	if m := s.Medium(media.Main); m == nil || m.Stream.Recv.H264.ProfileLevelID != 0x42e016 {
		t.Errorf("%+v", m)
	}
}

func looseSessions(t *testing.T) {
	for _, session := range []uint8{0, 2, 3, 10, 32} {
		s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
		s.hears(now, asks(openOf(4, 2, videoOf(media.H264))))
		e := videoOf(media.H264)
		e.role = media.Content
		s.hears(now, asks(openOf(5, session, e)))
		if s.Medium(media.Main) == nil || s.Medium(media.Content) == nil {
			t.Errorf("session %d: %+v", session, s.Media())
		}
	}
	// And a second video without a word of H.239, told by its session alone.
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	s.hears(now, asks(openOf(4, 2, videoOf(media.H264))))
	s.hears(now, asks(openOf(5, 3, videoOf(media.H264))))
	if s.Medium(media.Content) == nil {
		t.Errorf("%+v", s.Media())
	}
}

func sessionsDiffer(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	s.hears(now, ackOf(granted(t, s, now)))
	e := videoOf(media.H264)
	e.role = media.Content
	s.hears(now, asks(openOf(77, 34, e)))
	m := s.Medium(media.Content)
	if m == nil || m.RecvChannel.Number != 77 || m.RecvChannel.Session != 34 {
		t.Errorf("%+v", m)
	}
}

func contentInMultiplePayload(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	e := videoOf(media.H264)
	e.role = media.Content
	o := openOf(9, 32, e)
	f := &o.ForwardLogicalChannelParameters
	f.DataType = h245.DataType{MultiplePayloadStream: &h245.MultiplePayloadStream{Elements: []h245.MultiplePayloadStreamElement{
		{DataType: h245.DataType{NullData: true}},
		{DataType: f.DataType, PayloadType: ptr(uint8(109))},
	}}}
	params := f.MultiplexParameters.H2250LogicalChannelParameters
	params.DynamicRTPPayloadType = nil
	s.hears(now, asks(o))
	if m := s.Medium(media.Content); m == nil || m.Stream.Recv.Codec != media.H264 || m.Stream.Recv.PayloadType != 109 {
		t.Errorf("%+v, answered %+v", m, s.response())
	}
}

func noQoS(t *testing.T) {
	s, _ := ready(t, Config{Capabilities: everything()}, everything(), true)
	for _, m := range s.sent {
		if m.Request == nil {
			continue
		}
		if o := m.Request.OpenLogicalChannel; o != nil && o.ForwardLogicalChannelParameters.MultiplexParameters.H2250LogicalChannelParameters.TransportCapability != nil {
			t.Error("in a channel")
		}
		if c := m.Request.TerminalCapabilitySet; c != nil && c.MultiplexCapability.H2250Capability.TransportCapability != nil {
			t.Error("in the capabilities")
		}
	}
	for _, o := range newSide(t, "caller", 1, Config{Capabilities: everything()}).OfferFastStart() {
		if p := o.ForwardLogicalChannelParameters.MultiplexParameters.H2250LogicalChannelParameters; p != nil && p.TransportCapability != nil {
			t.Error("in fast start")
		}
	}
}

func sameTerminalType(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything(), TerminalType: 60}).start()
	a, _ := p.a.Master()
	if b, known := p.b.Master(); !known || a == b {
		t.Errorf("masters %v, %v", a, b)
	}
}

func interleaved(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()})
	p.a.Start(p.now)
	for i := len(p.a.out) - 1; i >= 0; i-- { // in reverse
		p.b.Receive(p.now, overWire(t, p.a.out[i]))
	}
	p.a.out = nil
	p.settle()
	if len(p.a.Media()) != 2 || len(p.b.Media()) != 2 {
		t.Errorf("%+v", p.a.Media())
	}
}

func oddPorts(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	ack := ackOf(s.opened(media.Audio))
	p := ack.OpenLogicalChannelAck.ForwardMultiplexAckParameters.H2250LogicalChannelAckParameters
	p.MediaChannel, p.MediaControlChannel = h245.AddressOf(addr("198.51.100.1:7777")), nil
	s.hears(now, ack)
	if m := s.Medium(media.Audio); m == nil || m.RTP != addr("198.51.100.1:7777") || m.RTCP.IsValid() || m.Stream.Direction != media.SendOnly {
		t.Errorf("%+v", m)
	}
}

func nowhere(t *testing.T) {
	for _, where := range []string{"0.0.0.0:5000", "198.51.100.1:0"} {
		s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
		ack := ackOf(s.opened(media.Audio))
		ack.OpenLogicalChannelAck.ForwardMultiplexAckParameters.H2250LogicalChannelAckParameters.MediaChannel = h245.AddressOf(addr(where))
		s.hears(now, ack)
		if m := s.Medium(media.Audio); m == nil || m.RTP.IsValid() || m.Stream.Direction != media.Inactive {
			t.Errorf("%s: %+v", where, m)
		}
	}
}

func dictatedType(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	ack := ackOf(s.opened(media.Main))
	ack.OpenLogicalChannelAck.ForwardMultiplexAckParameters.H2250LogicalChannelAckParameters.DynamicRTPPayloadType = ptr(uint8(109))
	s.hears(now, ack)
	if m := s.Medium(media.Main); m == nil || m.Stream.Send.PayloadType != 109 {
		t.Errorf("%+v", m)
	}
}

func receiveAndTransmit(t *testing.T) {
	s := newSide(t, "ours", 1, Config{Capabilities: everything()})
	audio, _ := audioCapability(format(media.G722))
	d, _ := dataType(videoOf(media.H264))
	r, cause := readSet(&h245.TerminalCapabilitySet{MultiplexCapability: multiplexCapability(everything()),
		CapabilityTable: []h245.CapabilityTableEntry{
			{CapabilityTableEntryNumber: 1, Capability: &h245.Capability{ReceiveAndTransmitAudioCapability: audio}},
			{CapabilityTableEntryNumber: 2, Capability: &h245.Capability{ReceiveAndTransmitVideoCapability: d.VideoData}},
			{CapabilityTableEntryNumber: 3, Capability: &h245.Capability{TransmitAudioCapability: audio}},
		}}, nil)
	if cause != nil || len(r.entries) != 2 {
		t.Fatalf("%+v %+v", r, cause)
	}
	s.remote = r
	if chosen := s.choose([roles]bool{true, true, false}); chosen[media.Audio] == nil || chosen[media.Main] == nil {
		t.Errorf("%+v", chosen)
	}
}

func oldPacketization(t *testing.T) {
	s := newSide(t, "ours", 1, Config{Capabilities: everything()})
	multiplex := multiplexCapability(everything())
	multiplex.H2250Capability.MediaPacketizationCapability.RTPPayloadType = nil
	r, _ := readSet(&h245.TerminalCapabilitySet{MultiplexCapability: multiplex, CapabilityTable: []h245.CapabilityTableEntry{videoEntry(1, media.Main)}}, nil)
	s.remote = r
	chosen := s.choose([roles]bool{false, true, false})[media.Main]
	if chosen == nil || chosen.format.H264.PacketizationMode != 0 || chosen.mode.oid != oidH264Single {
		t.Errorf("%+v", chosen)
	}
}

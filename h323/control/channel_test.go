package control

import (
	"slices"
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// ready is a session that knows its peer's capabilities and is master or slave; the peer is
// played by the test.
func ready(t *testing.T, cfg Config, peer media.Capabilities, master bool) (*side, time.Time) {
	t.Helper()
	if cfg.TerminalType = 50; master {
		cfg.TerminalType = 200
	}
	p := newPair(t, cfg, Config{Capabilities: peer, TerminalType: 100})
	p.a.lose = func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Request != nil && m.Request.OpenLogicalChannel != nil
	}
	p.b.lose = p.a.lose
	p.start()
	if is, known := p.a.Master(); !known || is != master {
		t.Fatalf("master: %v %v", is, known)
	}
	p.a.lose = nil
	return p.a, p.now
}

// hears gives the session a request, a response or a command.
func (s *side) hears(now time.Time, m any) {
	s.t.Helper()
	var w h245.MultimediaSystemControlMessage
	switch m := m.(type) {
	case *h245.RequestMessage:
		w.Request = m
	case *h245.ResponseMessage:
		w.Response = m
	case *h245.CommandMessage:
		w.Command = m
	case *h245.IndicationMessage:
		w.Indication = m
	default:
		s.t.Fatalf("%T is no message", m)
	}
	s.Receive(now, overWire(s.t, &w))
}

// opened finds the last openLogicalChannel that was sent for a role.
func (s *side) opened(role media.Role) (found *h245.OpenLogicalChannel) {
	for _, m := range s.sent {
		if m.Request == nil || m.Request.OpenLogicalChannel == nil {
			continue
		}
		if p, ok := readForward(m.Request.OpenLogicalChannel); ok && len(p.entries) > 0 && p.entries[0].role == role {
			found = m.Request.OpenLogicalChannel
		}
	}
	return found
}

// response finds the last response that was sent.
func (s *side) response() (found *h245.ResponseMessage) {
	for _, m := range s.sent {
		if m.Response != nil {
			found = m.Response
		}
	}
	return found
}

// ackOf acknowledges a channel.
func ackOf(o *h245.OpenLogicalChannel) *h245.ResponseMessage {
	return &h245.ResponseMessage{OpenLogicalChannelAck: &h245.OpenLogicalChannelAck{
		ForwardLogicalChannelNumber: o.ForwardLogicalChannelNumber,
		ForwardMultiplexAckParameters: &h245.ForwardMultiplexAckParameters{H2250LogicalChannelAckParameters: &h245.H2250LogicalChannelAckParameters{
			MediaChannel: h245.AddressOf(addr("198.51.100.1:7000")), MediaControlChannel: h245.AddressOf(addr("198.51.100.1:7001")),
		}},
	}}
}

// openOf asks for a channel.
func openOf(number uint16, session uint8, e entry) *h245.OpenLogicalChannel {
	d, _ := dataType(e)
	params := h2250(session, e.format)
	params.MediaControlChannel = h245.AddressOf(addr("198.51.100.1:7003"))
	return &h245.OpenLogicalChannel{
		ForwardLogicalChannelNumber: number,
		ForwardLogicalChannelParameters: h245.ForwardLogicalChannelParameters{
			DataType: d, MultiplexParameters: h245.ForwardMultiplexParameters{H2250LogicalChannelParameters: params},
		},
	}
}

// withReverse makes a channel bidirectional.
func withReverse(o *h245.OpenLogicalChannel, e entry) *h245.OpenLogicalChannel {
	d, _ := dataType(e)
	params := h2250(o.ForwardLogicalChannelParameters.MultiplexParameters.H2250LogicalChannelParameters.SessionID, e.format)
	params.MediaChannel = h245.AddressOf(addr("198.51.100.1:7010"))
	o.ReverseLogicalChannelParameters = &h245.ReverseLogicalChannelParameters{
		DataType: d, MultiplexParameters: &h245.ReverseMultiplexParameters{H2250LogicalChannelParameters: params},
	}
	return o
}

func asks(o *h245.OpenLogicalChannel) *h245.RequestMessage {
	return &h245.RequestMessage{OpenLogicalChannel: o}
}

func audioOf(c media.Codec) entry { return entry{role: media.Audio, format: format(c)} }

func videoOf(c media.Codec) entry { return entry{role: media.Main, format: format(c), bps: 1_000_000} }

func TestRefusals(t *testing.T) {
	multicast := openOf(1, 1, audioOf(media.PCMA))
	multicast.ForwardLogicalChannelParameters.MultiplexParameters.H2250LogicalChannelParameters.MediaChannel =
		&h245.TransportAddress{MulticastAddress: &h245.MulticastAddress{IPAddress: &h245.MulticastAddressIPAddress{}}}
	nonStandard := openOf(1, 1, audioOf(media.PCMA))
	nonStandard.ForwardLogicalChannelParameters.DataType = h245.DataType{NonStandard: &h245.NonStandardParameter{
		NonStandardIdentifier: h245.NonStandardIdentifier{Object: ptr(oidOpus)}}}
	data := openOf(1, 3, audioOf(media.PCMA))
	data.ForwardLogicalChannelParameters.DataType = h245.DataType{Data: &h245.DataApplicationCapability{
		Application: h245.DataApplicationCapabilityApplication{DsvdControl: true}}}
	atm := openOf(1, 1, audioOf(media.PCMA))
	atm.ForwardLogicalChannelParameters.MultiplexParameters = h245.ForwardMultiplexParameters{None: true}
	encrypted := openOf(1, 1, audioOf(media.PCMA))
	encrypted.ForwardLogicalChannelParameters.DataType = protect(encrypted.ForwardLogicalChannelParameters.DataType, aes128)
	high := videoOf(media.H264)
	high.format.H264.ProfileLevelID = 0x64001f
	for _, c := range []struct {
		name   string
		open   *h245.OpenLogicalChannel
		refuse bool // no ports
		want   rejectCause
	}{
		{"multicast", multicast, false, rejectCause{MulticastChannelNotAllowed: true}},
		{"a data type of its own", nonStandard, false, rejectCause{UnknownDataType: true}},
		{"data", data, false, rejectCause{DataTypeNotSupported: true}},
		{"not over RTP", atm, false, rejectCause{DataTypeALCombinationNotSupported: true}},
		{"a codec that we have not", openOf(1, 2, videoOf(media.H263)), false, rejectCause{DataTypeNotSupported: true}},
		{"a profile that we have not", openOf(1, 2, high), false, rejectCause{DataTypeNotSupported: true}},
		{"encrypted without keys", encrypted, false, rejectCause{SecurityDenied: true}},
		{"no ports", openOf(1, 1, audioOf(media.PCMA)), true, rejectCause{DataTypeNotAvailable: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
			s.refuse[media.Audio] = c.refuse
			s.hears(now, asks(c.open))
			r := s.response()
			if r == nil || r.OpenLogicalChannelReject == nil || r.OpenLogicalChannelReject.Cause != c.want {
				t.Errorf("answered %+v", r)
			}
			if s.Medium(media.Audio) != nil {
				t.Error("something stands")
			}
		})
	}
}

// TestAccepted opens channels as products do it.
func TestAccepted(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	s.hears(now, asks(openOf(7, 1, audioOf(media.PCMU))))
	m := s.Medium(media.Audio)
	if m == nil || m.Stream.Recv.Codec != media.PCMU || m.Stream.Recv.PayloadType != 0 || m.RecvChannel.Number != 7 || m.RTCP != addr("198.51.100.1:7003") {
		t.Fatalf("%+v", m)
	}
	ack := s.response().OpenLogicalChannelAck
	got := ack.ForwardMultiplexAckParameters.H2250LogicalChannelAckParameters
	if got.MediaChannel.Unicast() != s.local[media.Audio].RTP || got.MediaControlChannel.Unicast() != s.local[media.Audio].RTCP || *got.SessionID != 1 {
		t.Errorf("%+v", got)
	}
	// The same number again, with another codec: the peer began anew.
	s.hears(now, asks(openOf(7, 1, audioOf(media.PCMA))))
	if m = s.Medium(media.Audio); m.Stream.Recv.Codec != media.PCMA || len(m.Receive) != 1 {
		t.Errorf("%+v", m)
	}
	// One that replaces it: both may come until the old one is closed.
	next := openOf(8, 1, audioOf(media.G722))
	next.ForwardLogicalChannelParameters.ReplacementFor = ptr(uint16(7))
	s.hears(now, asks(next))
	if m = s.Medium(media.Audio); m.Stream.Recv.Codec != media.G722 || len(m.Receive) != 2 {
		t.Errorf("%+v", m)
	}
	s.hears(now, &h245.RequestMessage{CloseLogicalChannel: &h245.CloseLogicalChannel{ForwardLogicalChannelNumber: 7, Source: h245.CloseLogicalChannelSource{User: true}}})
	if m = s.Medium(media.Audio); len(m.Receive) != 1 || s.response().CloseLogicalChannelAck == nil {
		t.Errorf("%+v", m)
	}
	// Closing what is not there is confirmed.
	s.hears(now, &h245.RequestMessage{CloseLogicalChannel: &h245.CloseLogicalChannel{ForwardLogicalChannelNumber: 999, Source: h245.CloseLogicalChannelSource{User: true}}})
	if r := s.response(); r.CloseLogicalChannelAck == nil || r.CloseLogicalChannelAck.ForwardLogicalChannelNumber != 999 {
		t.Errorf("%+v", r)
	}
	// No more than a few at once.
	for n := range uint16(50) {
		s.hears(now, asks(openOf(100+n, 1, audioOf(media.PCMA))))
	}
	if len(s.channels.receiving) != maxReceiving {
		t.Errorf("%d channels", len(s.channels.receiving))
	}
}

func TestReverse(t *testing.T) {
	open := func() *h245.OpenLogicalChannel {
		return withReverse(openOf(5, 1, audioOf(media.PCMA)), audioOf(media.PCMA))
	}
	t.Run("master, ours on the way", func(t *testing.T) {
		s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
		s.hears(now, asks(open()))
		if r := s.response().OpenLogicalChannelReject; r == nil || !r.Cause.MasterSlaveConflict {
			t.Errorf("%+v", s.response())
		}
	})
	t.Run("slave, ours on the way", func(t *testing.T) {
		s, now := ready(t, Config{Capabilities: everything()}, everything(), false)
		s.hears(now, asks(open()))
		r := s.response().OpenLogicalChannelAck
		if r == nil || r.ReverseLogicalChannelParameters == nil {
			t.Fatalf("%+v", s.response())
		}
		m := s.Medium(media.Audio)
		if m.Stream.Direction != media.SendRecv || m.Stream.Send.Codec != media.PCMA || m.RTP != addr("198.51.100.1:7010") ||
			m.SendChannel.Number != r.ReverseLogicalChannelParameters.ReverseLogicalChannelNumber {
			t.Errorf("%+v", m)
		}
		s.hears(now, &h245.RequestMessage{CloseLogicalChannel: &h245.CloseLogicalChannel{ForwardLogicalChannelNumber: 5, Source: h245.CloseLogicalChannelSource{User: true}}})
		if m := s.Medium(media.Audio); m != nil {
			t.Errorf("after closing: %+v", m)
		}
	})
	t.Run("ours stands", func(t *testing.T) {
		s, now := ready(t, Config{Capabilities: everything()}, everything(), false)
		s.hears(now, ackOf(s.opened(media.Audio)))
		s.hears(now, asks(open()))
		if r := s.response().OpenLogicalChannelReject; r == nil || !r.Cause.UnsuitableReverseParameters {
			t.Errorf("%+v", s.response())
		}
	})
	t.Run("nothing of ours", func(t *testing.T) {
		can := everything()
		can.Audio = formats(media.PCMA)
		s := newSide(t, "ours", 1, Config{Capabilities: can})
		now := time.Unix(1000, 0)
		s.hears(now, asks(withReverse(openOf(5, 1, audioOf(media.PCMA)), audioOf(media.G722))))
		if r := s.response().OpenLogicalChannelReject; r == nil || !r.Cause.UnsuitableReverseParameters {
			t.Errorf("%+v", s.response())
		}
	})
}

// TestConflict: as slaves we follow the codec of the master.
func TestConflict(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), false)
	s.hears(now, asks(openOf(5, 1, audioOf(media.PCMU))))
	first := s.opened(media.Audio)
	s.hears(now, &h245.ResponseMessage{OpenLogicalChannelReject: &h245.OpenLogicalChannelReject{
		ForwardLogicalChannelNumber: first.ForwardLogicalChannelNumber, Cause: rejectCause{MasterSlaveConflict: true}}})
	next := s.opened(media.Audio)
	if next == first || next.ForwardLogicalChannelParameters.DataType.AudioData.G711Ulaw64k == nil {
		t.Errorf("then asks for %+v", next.ForwardLogicalChannelParameters.DataType.AudioData)
	}
}

// TestNextBest: what is refused is not asked for again; the next best is.
func TestNextBest(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	var codecs []media.Codec
	for range 6 {
		o := s.opened(media.Audio)
		p, _ := readForward(o)
		codecs = append(codecs, p.entries[0].format.Codec)
		s.hears(now, &h245.ResponseMessage{OpenLogicalChannelReject: &h245.OpenLogicalChannelReject{
			ForwardLogicalChannelNumber: o.ForwardLogicalChannelNumber, Cause: rejectCause{DataTypeNotAvailable: true}}})
	}
	want := []media.Codec{media.Opus, media.G722, media.PCMA, media.PCMU, media.PCMU, media.PCMU}
	if !slices.Equal(codecs, want) {
		t.Errorf("asked for %v", codecs)
	}
}

// TestNoAnswer: a channel that is not answered is closed after T103, and the next best asked
// for.
func TestNoAnswer(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	first := s.opened(media.Audio).ForwardLogicalChannelNumber
	now = now.Add(2 * defaultTimeout)
	s.Tick(now)
	if !slices.ContainsFunc(s.sent, func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Request != nil && m.Request.CloseLogicalChannel != nil && m.Request.CloseLogicalChannel.ForwardLogicalChannelNumber == first
	}) {
		t.Error("not closed")
	}
	now = now.Add(2 * defaultTimeout) // nor is closing confirmed
	s.Tick(now)
	if o := s.opened(media.Audio); o.ForwardLogicalChannelParameters.DataType.AudioData.G72264k == nil {
		t.Errorf("then asks for %+v", o.ForwardLogicalChannelParameters.DataType.AudioData)
	}
	// A late answer to the first one means nothing.
	s.hears(now, ackOf(openOf(first, 1, audioOf(media.Opus))))
	if m := s.Medium(media.Audio); m != nil {
		t.Errorf("%+v", m)
	}
}

func TestAskedToClose(t *testing.T) {
	for _, c := range []struct {
		name   string
		reason *h245.RequestChannelCloseReason
		again  bool
	}{
		{"without a reason", nil, false},
		{"normal", &h245.RequestChannelCloseReason{Normal: true}, false},
		{"reopen", &h245.RequestChannelCloseReason{Reopen: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
			o := s.opened(media.Audio)
			s.hears(now, ackOf(o))
			s.hears(now, &h245.RequestMessage{RequestChannelClose: &h245.RequestChannelClose{ForwardLogicalChannelNumber: o.ForwardLogicalChannelNumber, Reason: c.reason}})
			s.hears(now, &h245.ResponseMessage{CloseLogicalChannelAck: &h245.CloseLogicalChannelAck{ForwardLogicalChannelNumber: o.ForwardLogicalChannelNumber}})
			if again := s.opened(media.Audio) != o; again != c.again {
				t.Errorf("opened again: %v", again)
			}
		})
	}
	s, now := ready(t, Config{Capabilities: everything()}, everything(), true)
	s.hears(now, &h245.RequestMessage{RequestChannelClose: &h245.RequestChannelClose{ForwardLogicalChannelNumber: 4711}})
	if r := s.response(); r.RequestChannelCloseReject == nil {
		t.Errorf("a channel that is not there: %+v", r)
	}
}

// TestEventsApart: the payload type under which the far side takes telephone events is used
// for nothing else.
func TestEventsApart(t *testing.T) {
	can := everything()
	can.Audio[0].PayloadType = defaultEventsType
	s, now := ready(t, Config{Capabilities: can}, everything(), true)
	if got := *s.opened(media.Audio).ForwardLogicalChannelParameters.MultiplexParameters.H2250LogicalChannelParameters.DynamicRTPPayloadType; got != defaultEventsType+1 {
		t.Errorf("sound is sent as %d", got)
	}
	e := audioOf(media.Opus)
	e.format.PayloadType = defaultEventsType
	s.hears(now, asks(openOf(7, 1, e)))
	if m := s.Medium(media.Audio); m.RecvEvents.ClockRate != 0 {
		t.Errorf("%d is sound, and keys", m.RecvEvents.PayloadType)
	}
}

func TestRequestMode(t *testing.T) {
	element := func(m h245.AudioMode) []h245.ModeElement {
		return []h245.ModeElement{{Type: h245.ModeElementType{AudioMode: &m}}}
	}
	g728, ulaw := element(h245.AudioMode{G728: true}), element(h245.AudioMode{G711Ulaw64k: true})
	for _, c := range []struct {
		name  string
		modes [][]h245.ModeElement
		most  bool
		less  bool
		codec media.Codec
	}{
		{"what we can", [][]h245.ModeElement{ulaw}, true, false, media.PCMU},
		{"the second", [][]h245.ModeElement{g728, ulaw}, false, true, media.PCMU},
		{"none", [][]h245.ModeElement{g728}, false, false, media.Opus},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
			p.a.hears(p.now, &h245.RequestMessage{RequestMode: &h245.RequestMode{SequenceNumber: 3, RequestedModes: c.modes}})
			var got *h245.ResponseMessage
			for _, m := range p.a.out {
				if m.Response != nil {
					got = m.Response
				}
			}
			p.settle()
			switch {
			case got == nil:
				t.Fatal("no answer")
			case !c.most && !c.less:
				if got.RequestModeReject == nil || !got.RequestModeReject.Cause.ModeUnavailable {
					t.Errorf("%+v", got)
				}
			case got.RequestModeAck == nil || got.RequestModeAck.Response.WillTransmitMostPreferredMode != c.most || got.RequestModeAck.SequenceNumber != 3:
				t.Errorf("%+v", got.RequestModeAck)
			}
			if m := p.a.Medium(media.Audio); m == nil || m.Stream.Send.Codec != c.codec || m.Stream.Direction != media.SendRecv {
				t.Errorf("%+v", m)
			}
		})
	}
}

// TestAlgorithmOrder: of several algorithms the first of ours that they have is used.
func TestAlgorithmOrder(t *testing.T) {
	const aes256 per.OID = "2.16.840.1.101.3.4.1.42"
	a := Config{Capabilities: everything(), Encryption: "prefer", Security: &fakeSecurity{algorithms: []per.OID{aes256, aes128}}}
	b := Config{Capabilities: everything(), Encryption: "prefer", Security: &fakeSecurity{algorithms: []per.OID{aes128}}}
	p := newPair(t, a, b).start()
	for _, s := range []*side{p.a, p.b} {
		for _, m := range s.Media() {
			if m.SendKey == nil || m.RecvKey == nil || m.SendKey.Algorithm != aes128 || m.Stream.Encryption != "h235" {
				t.Errorf("%s: %+v", s.name, m)
			}
		}
	}
}

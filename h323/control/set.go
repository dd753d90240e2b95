package control

import (
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// Numbers of our capability table beside those of announce.
const (
	numberSecure   = 256 // plus the number of what is protected
	numberControl  = 512 // H.239
	numberString   = 520
	numberSignal   = 521
	numberEvents   = 522
	numberReplaces = 523
)

const (
	maximumJitter     = 250 // ms, maximumAudioDelayJitter
	telephoneEvents   = "0-16"
	defaultEventsType = 101
	// pendingReplacements is how many channels at once may be opened in place of
	// others.
	pendingReplacements = 1
)

// set is our terminalCapabilitySet, or the empty one while we hold the call.
func (s *Session) set(sequence uint8, reduced int) *h245.TerminalCapabilitySet {
	m := &h245.TerminalCapabilitySet{SequenceNumber: sequence, ProtocolIdentifier: h245.ProtocolIdentifier}
	if s.can.Hold {
		return m
	}
	b := setBuilder{set: m, reduced: reduced, policy: s.encryption}
	if s.cfg.Security != nil && reduced < noExtra {
		b.algorithms = s.cfg.Security.Algorithms()
	}
	m.MultiplexCapability = multiplexCapability(s.can)
	b.media(s.table)
	b.control(s.can)
	m.CapabilityDescriptors = []h245.CapabilityDescriptor{{CapabilityDescriptorNumber: 1, SimultaneousCapabilities: b.simultaneous}}
	return m
}

// setBuilder collects the capability table and which of it goes together.
type setBuilder struct {
	set          *h245.TerminalCapabilitySet
	simultaneous [][]uint16
	reduced      int
	policy       policy
	algorithms   []per.OID
}

func (b *setBuilder) add(number uint16, c h245.Capability) {
	b.set.CapabilityTable = append(b.set.CapabilityTable, h245.CapabilityTableEntry{CapabilityTableEntryNumber: number, Capability: &c})
}

func (b *setBuilder) alone(number uint16, c h245.Capability) {
	b.add(number, c)
	b.simultaneous = append(b.simultaneous, []uint16{number})
}

// media lists what we receive. One alternative set for each role; what can be encrypted
// stands beside the plain, or alone where the policy requires it.
func (b *setBuilder) media(table []entry) {
	var alternatives [roles][]uint16
	for _, e := range table {
		if b.reduced >= noExtra && e.role >= media.Content || b.reduced >= bare && len(alternatives[e.role]) > 0 {
			continue
		}
		d, _ := dataType(e)
		b.add(e.number, h245.Capability{
			ReceiveAudioCapability: d.AudioData, ReceiveVideoCapability: d.VideoData, ReceiveAndTransmitDataApplicationCapability: d.Data,
		})
		if len(b.algorithms) > 0 && b.policy != off {
			b.add(e.number+numberSecure, h245.Capability{H235SecurityCapability: &h245.H235SecurityCapability{
				EncryptionAuthenticationAndIntegrity: encryptionCapability(b.algorithms), MediaCapability: e.number,
			}})
			alternatives[e.role] = append(alternatives[e.role], e.number+numberSecure)
		}
		if b.policy != require {
			alternatives[e.role] = append(alternatives[e.role], e.number)
		}
	}
	for _, list := range alternatives {
		if len(list) > 0 {
			b.simultaneous = append(b.simultaneous, list)
		}
	}
}

// control lists what is not media: H.239, keys, replacement of channels.
func (b *setBuilder) control(can media.Capabilities) {
	if b.reduced < noExtra && len(can.Content) > 0 {
		b.alone(numberControl, h245.Capability{GenericControlCapability: &h245.GenericCapability{CapabilityIdentifier: standard(oidH239Control)}})
	}
	b.add(numberString, h245.Capability{ReceiveUserInputCapability: &h245.UserInputCapability{BasicString: true}})
	b.add(numberSignal, h245.Capability{ReceiveUserInputCapability: &h245.UserInputCapability{DTMF: true}})
	keys := []uint16{numberString, numberSignal}
	if pt, ok := eventsType(can); ok && b.reduced < noExtra {
		b.add(numberEvents, h245.Capability{ReceiveRTPAudioTelephonyEventCapability: &h245.AudioTelephonyEventCapability{
			DynamicRTPPayloadType: pt, AudioTelephoneEvent: telephoneEvents,
		}})
		keys = append(keys, numberEvents)
	}
	b.simultaneous = append(b.simultaneous, keys)
	if b.reduced < noExtra {
		b.add(numberReplaces, h245.Capability{MaxPendingReplacementFor: ptr(uint8(pendingReplacements))})
	}
}

// eventsType is the payload type under which we take telephone events.
func eventsType(can media.Capabilities) (uint8, bool) {
	if !can.Keypad {
		return 0, false
	}
	for _, f := range can.Audio {
		if f.Codec == media.TelephoneEvent && f.PayloadType >= 96 {
			return f.PayloadType, true
		}
	}
	return defaultEventsType, true
}

func encryptionCapability(algorithms []per.OID) h245.EncryptionAuthenticationAndIntegrity {
	var e h245.EncryptionAuthenticationAndIntegrity
	for _, oid := range algorithms {
		e.EncryptionCapability = append(e.EncryptionCapability, h245.MediaEncryptionAlgorithm{Algorithm: &oid})
	}
	return e
}

// multiplexCapability tells how media is carried (H.245 clause B.2.1): RTP, not in
// a conference of several points, with the packetizations that we read.
func multiplexCapability(can media.Capabilities) *h245.MultiplexCapability {
	point := h245.MultipointCapability{MediaDistributionCapability: []h245.MediaDistributionCapability{{}}}
	return &h245.MultiplexCapability{H2250Capability: &h245.H2250Capability{
		MaximumAudioDelayJitter:      maximumJitter,
		ReceiveMultipointCapability:  point,
		TransmitMultipointCapability: point, ReceiveAndTransmitMultipointCapability: point,
		MediaPacketizationCapability:      h245.MediaPacketizationCapability{RTPPayloadType: packetizations(can)},
		LogicalChannelSwitchingCapability: ptr(false),
		T120DynamicPortCapability:         ptr(false),
		RTCPVideoControlCapability:        false,
		MCCapability:                      h245.H2250CapabilityMCCapability{},
	}}
}

// packetizations lists how the video codecs that need it may be packetized, best first.
func packetizations(can media.Capabilities) []h245.RTPPayloadType {
	var list []h245.RTPPayloadType
	seen := map[packetization]bool{}
	for _, formats := range [][]media.Format{can.Video, can.Content} {
		for _, f := range formats {
			p := packetizationOf(f)
			if p == (packetization{}) || seen[p] {
				continue
			}
			seen[p] = true
			list = append(list, p.payloadType(f.PayloadType))
		}
	}
	return list
}

// packetization is how a codec is put into packets: an OID or the number of an RFC.
type packetization struct {
	oid per.OID
	rfc int64
}

// RFCs that describe packetizations of H.263.
const (
	rfcH263      = 2190
	rfcH263Old   = 2429 // replaced by
	rfcH263Plus  = 4629
	typeH263     = 34 // static payload types, RFC 3551
	typeH261     = 31
	typePCMU     = 0
	typePCMA     = 8
	typeG722     = 9
	firstDynamic = 96
)

// packetizationOf is the packetization of a format; the zero value where a codec has
// only one.
func packetizationOf(f media.Format) packetization {
	switch f.Codec {
	case media.H264:
		if f.H264.PacketizationMode == 1 {
			return packetization{oid: oidH264NonInterleaved}
		}
		return packetization{oid: oidH264Single}
	case media.H263:
		return packetization{rfc: rfcH263}
	case media.H263Plus:
		return packetization{rfc: rfcH263Old}
	}
	return packetization{}
}

func (p packetization) payloadType(pt uint8) h245.RTPPayloadType {
	var t h245.RTPPayloadType
	if p.oid != "" {
		t.PayloadDescriptor.OID = ptr(p.oid)
	} else {
		t.PayloadDescriptor.RFCNumber = ptr(p.rfc)
	}
	switch {
	case p.rfc == rfcH263:
		t.PayloadType = ptr(uint8(typeH263))
	case pt >= firstDynamic:
		t.PayloadType = ptr(pt)
	}
	return t
}

func readPacketization(t *h245.RTPPayloadType) packetization {
	switch d := &t.PayloadDescriptor; {
	case d.OID != nil:
		return packetization{oid: *d.OID}
	case d.RFCNumber != nil && *d.RFCNumber == rfcH263Plus:
		return packetization{rfc: rfcH263Old}
	case d.RFCNumber != nil:
		return packetization{rfc: *d.RFCNumber}
	}
	return packetization{}
}

package control

import (
	"net/netip"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// proposal is one direction of an openLogicalChannel, read.
type proposal struct {
	number    uint16
	session   uint8
	data      *h245.DataType
	entries   []entry
	mode      packetization
	modeType  uint8 // payload type beside mode; zero: none
	dynamic   uint8 // dynamicRTPPayloadType; zero: none
	rtp, rtcp netip.AddrPort
	multicast bool
	algorithm per.OID // "" in clear
	encrypted bool
}

// readForward reads what the far side wants to send; ok is false for channels that are not
// of RTP.
func readForward(o *h245.OpenLogicalChannel) (p proposal, ok bool) {
	f := &o.ForwardLogicalChannelParameters
	return readProposal(o.ForwardLogicalChannelNumber, &f.DataType, f.MultiplexParameters.H2250LogicalChannelParameters)
}

// readReverse reads what it wants to be sent in the same channel.
func readReverse(o *h245.OpenLogicalChannel) (p proposal, ok bool) {
	r := o.ReverseLogicalChannelParameters
	if r == nil || r.MultiplexParameters == nil {
		return p, false
	}
	return readProposal(o.ForwardLogicalChannelNumber, &r.DataType, r.MultiplexParameters.H2250LogicalChannelParameters)
}

func readProposal(number uint16, data *h245.DataType, params *h245.H2250LogicalChannelParameters) (proposal, bool) {
	p := proposal{number: number, data: data}
	if params == nil || data.NullData {
		return p, false
	}
	p.session = params.SessionID
	p.rtp, p.rtcp = params.MediaChannel.Unicast(), params.MediaControlChannel.Unicast()
	p.multicast = params.MediaChannel != nil && params.MediaChannel.MulticastAddress != nil
	if params.DynamicRTPPayloadType != nil {
		p.dynamic = *params.DynamicRTPPayloadType
	}
	if m := params.MediaPacketization; m != nil && m.RTPPayloadType != nil {
		p.mode = readPacketization(m.RTPPayloadType)
		if m.RTPPayloadType.PayloadType != nil {
			p.modeType = *m.RTPPayloadType.PayloadType
		}
	}
	if h := data.H235Media; h != nil {
		p.encrypted = true
		if list := algorithms(&h.EncryptionAuthenticationAndIntegrity); len(list) > 0 {
			p.algorithm = list[0]
		}
	}
	if m := multiplePayload(data); m != nil && p.dynamic == 0 {
		for i := range m.Elements {
			if pt := m.Elements[i].PayloadType; pt != nil {
				p.dynamic = *pt
				break
			}
		}
	}
	p.entries = readDataType(data)
	for i := range p.entries {
		p.complete(&p.entries[i].format)
	}
	return p, true
}

func multiplePayload(d *h245.DataType) *h245.MultiplePayloadStream {
	if d.H235Media != nil {
		return d.H235Media.MediaType.MultiplePayloadStream
	}
	return d.MultiplePayloadStream
}

// complete adds to a format what stands beside the data type.
func (p *proposal) complete(f *media.Format) {
	switch f.Codec {
	case media.H264:
		if p.mode.oid == oidH264NonInterleaved {
			f.H264.PacketizationMode = 1
		}
		f.H264.AsymmetryAllowed = true
	case media.H263:
		// Without a word on it the payload type tells: 34 is RFC 2190.
		if p.mode.rfc == rfcH263Old || p.mode.rfc == 0 && p.dynamic != 0 {
			f.Codec = media.H263Plus
		}
	}
	switch {
	case p.dynamic != 0:
		f.PayloadType = p.dynamic
	case p.modeType != 0:
		f.PayloadType = p.modeType
	default:
		f.PayloadType = payloadType(*f)
	}
}

// describe makes the openLogicalChannel of what we want to send.
func (s *Session) describe(c *outgoing, t Transport) *h245.OpenLogicalChannel {
	data, _ := dataType(c.stream())
	params := h2250(c.session, c.format)
	params.MediaControlChannel = h245.AddressOf(t.RTCP)
	if c.role == media.Audio {
		params.SilenceSuppression = ptr(false)
	}
	o := &h245.OpenLogicalChannel{
		ForwardLogicalChannelNumber: c.number,
		ForwardLogicalChannelParameters: h245.ForwardLogicalChannelParameters{
			DataType:            protect(data, c.algorithm),
			MultiplexParameters: h245.ForwardMultiplexParameters{H2250LogicalChannelParameters: params},
		},
	}
	if c.algorithm != "" {
		params.DynamicRTPPayloadType = ptr(c.format.PayloadType)
	}
	if c.replaces != 0 {
		o.ForwardLogicalChannelParameters.ReplacementFor = ptr(c.replaces)
	}
	if s.cfg.Traversal != nil {
		o.GenericInformation = s.cfg.Traversal.Offer(c.channel())
	}
	return o
}

// stream is what a channel of ours carries, in the words of a data type.
func (c *outgoing) stream() entry { return entry{role: c.role, format: c.format, bps: c.bps} }

// h2250 are the parameters of a stream over RTP. QoS is not spoken of: some peers stumble
// over it.
func h2250(session uint8, f media.Format) *h245.H2250LogicalChannelParameters {
	p := &h245.H2250LogicalChannelParameters{SessionID: session, MediaGuaranteedDelivery: ptr(false)}
	if f.PayloadType >= firstDynamic {
		p.DynamicRTPPayloadType = ptr(f.PayloadType)
	}
	if mode := packetizationOf(f); mode != (packetization{}) {
		p.MediaPacketization = &h245.H2250LogicalChannelParametersMediaPacketization{RTPPayloadType: ptr(mode.payloadType(f.PayloadType))}
	}
	return p
}

// protect wraps a data type for encryption (H.235.6).
func protect(d h245.DataType, algorithm per.OID) h245.DataType {
	if algorithm == "" {
		return d
	}
	return h245.DataType{H235Media: &h245.H235Media{
		EncryptionAuthenticationAndIntegrity: encryptionCapability([]per.OID{algorithm}),
		MediaType:                            h245.H235MediaMediaType{VideoData: d.VideoData, AudioData: d.AudioData, Data: d.Data},
	}}
}

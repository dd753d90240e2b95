// Package h245 holds the messages of ITU-T H.245 version 16, which terminals exchange
// to agree on capabilities and to open media channels: on a connection of their own,
// each in a TPKT, or tunnelled in the h245Control of H.225.0 messages.
//
// The types in zz_types.go are written by asn1gen from the ASN.1 module
// MULTIMEDIA-SYSTEM-CONTROL. Of a CHOICE one field is set; what is optional, and what
// came with a later version of the module, is a pointer or a slice, nil when absent.
//
//go:generate go run ../internal/asn1gen -asn1 $ASN1 -out ..
package h245

import "github.com/roomgate/roomgate/h323/per"

// ProtocolIdentifier is the protocolIdentifier of version 16.
const ProtocolIdentifier per.OID = "0.0.8.245.0.16"

// Parse decodes the messages in one TPKT or one item of h245Control: usually one, but
// peers put several behind each other. With an error come those before it.
func Parse(data []byte) ([]*MultimediaSystemControlMessage, error) {
	var list []*MultimediaSystemControlMessage
	for first := true; first || len(data) > 0; first = false {
		m := new(MultimediaSystemControlMessage)
		rest, err := per.Decode(data, m)
		if err != nil {
			return list, err
		}
		list = append(list, m)
		data = rest
	}
	return list, nil
}

// Marshal gives the message in PER.
func (m *MultimediaSystemControlMessage) Marshal() ([]byte, error) { return per.Marshal(m) }

// ParseOpenLogicalChannel decodes an item of fastStart (H.323 clause 8.1.7.1), which is
// the request without the message around it.
func ParseOpenLogicalChannel(item []byte) (*OpenLogicalChannel, error) {
	o := new(OpenLogicalChannel)
	if _, err := per.Decode(item, o); err != nil {
		return nil, err
	}
	return o, nil
}

// Marshal gives the channel as an item of fastStart.
func (o *OpenLogicalChannel) Marshal() ([]byte, error) { return per.Marshal(o) }

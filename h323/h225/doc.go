// Package h225 holds the messages of ITU-T H.225.0 version 7: call signalling
// (H323UserInformation, which travels in the user-user element of Q.931) and RAS
// (RASMessage, one to a UDP datagram).
//
// The types in zz_types.go are written by asn1gen from the ASN.1 module H323-MESSAGES;
// "-UUIE" is dropped from names. Of a CHOICE one field is set; what is optional, and
// what came with a later version of the module, is a pointer or a slice, nil when absent.
//
//go:generate go run ../internal/asn1gen -asn1 $ASN1 -out ..
package h225

import (
	"fmt"

	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/q931"
)

// ProtocolIdentifier is the protocolIdentifier of version 7.
const ProtocolIdentifier per.OID = "0.0.8.2250.0.7"

// ParseUserInformation decodes the contents of a user-user element. Octets behind the
// message are ignored: some peers pad.
func ParseUserInformation(data []byte) (*H323UserInformation, error) {
	u := new(H323UserInformation)
	if _, err := per.Decode(data, u); err != nil {
		return nil, err
	}
	return u, nil
}

// FromQ931 decodes the H.225.0 message in a Q.931 message.
func FromQ931(m *q931.Message) (*H323UserInformation, error) {
	uu, err := m.UserUser()
	if err != nil {
		return nil, err
	}
	if uu.Discriminator != q931.X680 {
		return nil, fmt.Errorf("h225: user-user with protocol discriminator %d", uu.Discriminator)
	}
	return ParseUserInformation(uu.Information)
}

// usualSize is room for most messages without fast start.
const usualSize = 512

// Attach puts u into the user-user element of m.
func Attach(m *q931.Message, u *H323UserInformation) error {
	// The discriminator stands before the information in the same element.
	data, err := per.Append(append(make([]byte, 0, usualSize), q931.X680), u)
	if err != nil {
		return err
	}
	m.Set(q931.Element{ID: q931.UserUserID, Data: data})
	return nil
}

// Marshal gives the message in PER.
func (u *H323UserInformation) Marshal() ([]byte, error) { return per.Marshal(u) }

// ParseRAS decodes a RAS datagram. Octets behind the message are ignored.
func ParseRAS(datagram []byte) (*RASMessage, error) {
	m := new(RASMessage)
	if _, err := per.Decode(datagram, m); err != nil {
		return nil, err
	}
	return m, nil
}

// Marshal gives the message in PER.
func (m *RASMessage) Marshal() ([]byte, error) { return per.Marshal(m) }

package bfcp

import (
	"encoding/binary"
	"fmt"
)

// AttributeType of RFC 8855 §5.2, Table 2.
type AttributeType uint8

// Attributes.
const (
	BeneficiaryID           AttributeType = 1
	FloorID                 AttributeType = 2
	FloorRequestID          AttributeType = 3
	PriorityAttribute       AttributeType = 4
	RequestStatusAttribute  AttributeType = 5
	ErrorCodeAttribute      AttributeType = 6
	ErrorInfo               AttributeType = 7
	ParticipantProvidedInfo AttributeType = 8
	StatusInfo              AttributeType = 9
	SupportedAttributes     AttributeType = 10
	SupportedPrimitives     AttributeType = 11
	UserDisplayName         AttributeType = 12
	UserURI                 AttributeType = 13
	BeneficiaryInformation  AttributeType = 14
	FloorRequestInformation AttributeType = 15
	RequestedByInformation  AttributeType = 16
	FloorRequestStatusGroup AttributeType = 17
	OverallRequestStatus    AttributeType = 18

	lastAttribute = OverallRequestStatus
)

// Attribute is one attribute as it stands in a message.
type Attribute struct {
	Type      AttributeType
	Mandatory bool // the M bit: who does not know it must refuse the message
	Value     []byte
}

// known reports whether RFC 8855 defines the type.
func (t AttributeType) known() bool { return t >= BeneficiaryID && t <= lastAttribute }

// maxAttributes bounds the attributes of one message or group.
const maxAttributes = 64

// maxValue is what an attribute holds: its length field counts two octets more.
const maxValue = 253

// readAttributes takes a payload apart. The padding of the last one may be
// missing: in groups some do not write it.
func readAttributes(path string, data []byte) ([]Attribute, error) {
	var list []Attribute
	for at := 0; at < len(data); {
		if len(data)-at < 2 {
			return nil, fmt.Errorf("%s[%d]: %w", path, len(list), errTruncated)
		}
		size := int(data[at+1])
		if size < 2 || size > len(data)-at {
			return nil, fmt.Errorf("%s[%d]: length %d: %w", path, len(list), size, errTruncated)
		}
		if len(list) == maxAttributes {
			return nil, fmt.Errorf("%s: more than %d attributes", path, maxAttributes)
		}
		list = append(list, Attribute{
			Type: AttributeType(data[at] >> 1), Mandatory: data[at]&1 != 0,
			Value: append([]byte(nil), data[at+2:at+size]...),
		})
		at += (size + 3) &^ 3
	}
	return list, nil
}

// number reads a value of 16 bits.
func (a Attribute) number(path string) (uint16, error) {
	if len(a.Value) < 2 {
		return 0, fmt.Errorf("%s: %w", path, errTruncated)
	}
	return binary.BigEndian.Uint16(a.Value), nil
}

// group reads a grouped attribute: an identifier and further attributes.
func (a Attribute) group(path string) (id uint16, list []Attribute, err error) {
	if id, err = a.number(path); err != nil {
		return 0, nil, err
	}
	list, err = readAttributes(path, a.Value[2:])
	return id, list, err
}

// octets reads a list of small numbers. Zeros are padding that was counted.
func (a Attribute) octets() []byte {
	var list []byte
	for _, b := range a.Value {
		if b != 0 {
			list = append(list, b)
		}
	}
	return list
}

// writer builds a payload. What we write is all of RFC 8855, which whoever talks
// to us knows, so the M bit is set.
type writer struct{ data []byte }

func (w *writer) attribute(t AttributeType, mandatory bool, value []byte) {
	value = value[:min(len(value), maxValue)]
	first := byte(t) << 1
	if mandatory {
		first |= 1
	}
	w.data = append(w.data, first, byte(len(value)+2))
	w.data = append(w.data, value...)
	for len(w.data)%4 != 0 {
		w.data = append(w.data, 0)
	}
}

func (w *writer) number(t AttributeType, n uint16) {
	w.attribute(t, true, binary.BigEndian.AppendUint16(nil, n))
}

func (w *writer) optional(t AttributeType, n *uint16) {
	if n != nil {
		w.number(t, *n)
	}
}

func (w *writer) text(t AttributeType, s string) {
	if s != "" {
		w.attribute(t, true, []byte(cut(s, maxValue)))
	}
}

// group writes a grouped attribute. What does not fit into one any more is left
// out, whole attributes from the end.
func (w *writer) group(t AttributeType, id uint16, fill func(*writer)) {
	body := writer{}
	fill(&body)
	fits := 0
	for at := 0; at < len(body.data); {
		end := at + (int(body.data[at+1])+3)&^3
		if end > maxValue-2 {
			break
		}
		at, fits = end, end
	}
	w.attribute(t, true, append(binary.BigEndian.AppendUint16(nil, id), body.data[:fits]...))
}

// extra repeats attributes that are not ours to read.
func (w *writer) extra(list []Attribute) {
	for _, a := range list {
		w.attribute(a.Type, a.Mandatory, a.Value)
	}
}

// cut shortens text to a number of octets, between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most]
}

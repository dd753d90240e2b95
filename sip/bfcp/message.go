package bfcp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Errors of Parse. The header is returned with them, where there was one, so that
// whoever sent it can be told.
var (
	errTruncated = errors.New("it is truncated")
	// ErrVersion: neither version 1 nor 2.
	ErrVersion = errors.New("bfcp: unknown version")
	// ErrLength: the payload length does not match what came.
	ErrLength = errors.New("bfcp: incorrect message length")
	// ErrFragment: a fragment, which Reassembler is for.
	ErrFragment = errors.New("bfcp: a fragment")
)

// Header of a message (RFC 8855 §5.1).
type Header struct {
	Version     uint8 // 1 or 2
	Response    bool  // the R bit
	Primitive   Primitive
	Conference  uint32
	Transaction uint16
	User        uint16
}

const (
	headerSize   = 12
	fragmentSize = 4 // more, of a fragment
	flagResponse = 0x10
	flagFragment = 0x08
)

// Message is a header and what the primitive carries.
type Message struct {
	Header
	// Body is one of the types of this package that are named like the
	// primitives; an Unknown where there is none for it.
	Body Body
}

// Body is what a message carries beside the header.
type Body interface {
	Primitive() Primitive
	// take reads an attribute; false: it has no place in this message.
	take(a Attribute) (bool, error)
	// keep notes an attribute that has no place.
	keep(a Attribute)
	write(w *writer)
	// unread are the attributes kept.
	unread() []Attribute
}

// others are the attributes of a message that it has no field for.
type others struct{ Extra []Attribute }

func (o *others) keep(a Attribute)             { o.Extra = append(o.Extra, a) }
func (o *others) unread() []Attribute          { return o.Extra }
func (o *others) take(Attribute) (bool, error) { return false, nil }
func (o *others) write(w *writer)              { w.extra(o.Extra) }

// Unknown is a message of a primitive that we do not know.
type Unknown struct {
	others
	Code Primitive
}

// Primitive implements Body.
func (u *Unknown) Primitive() Primitive { return u.Code }

// newBody is the one place where primitives become types.
func newBody(p Primitive) Body {
	switch p {
	case FloorRequestPrimitive:
		return &FloorRequest{}
	case FloorReleasePrimitive:
		return &FloorRelease{}
	case FloorRequestQueryPrimitive:
		return &FloorRequestQuery{}
	case FloorRequestStatusPrimitive:
		return &FloorRequestStatus{}
	case UserQueryPrimitive:
		return &UserQuery{}
	case UserStatusPrimitive:
		return &UserStatus{}
	case FloorQueryPrimitive:
		return &FloorQuery{}
	case FloorStatusPrimitive:
		return &FloorStatus{}
	case ChairActionPrimitive:
		return &ChairAction{}
	case ChairActionAckPrimitive:
		return &ChairActionAck{}
	case HelloPrimitive:
		return &Hello{}
	case HelloAckPrimitive:
		return &HelloAck{}
	case ErrorPrimitive:
		return &Error{}
	case FloorRequestStatusAckPrimitive:
		return &FloorRequestStatusAck{}
	case FloorStatusAckPrimitive:
		return &FloorStatusAck{}
	case GoodbyePrimitive:
		return &Goodbye{}
	case GoodbyeAckPrimitive:
		return &GoodbyeAck{}
	}
	return &Unknown{Code: p}
}

// parseHeader reads the common header; payload is in octets.
func parseHeader(data []byte) (h Header, payload int, fragment bool, err error) {
	if len(data) < headerSize {
		return h, 0, false, fmt.Errorf("bfcp: header: %w", errTruncated)
	}
	h = Header{
		Version: data[0] >> 5, Response: data[0]&flagResponse != 0, Primitive: Primitive(data[1]),
		Conference:  binary.BigEndian.Uint32(data[4:]),
		Transaction: binary.BigEndian.Uint16(data[8:]),
		User:        binary.BigEndian.Uint16(data[10:]),
	}
	payload = 4 * int(binary.BigEndian.Uint16(data[2:]))
	if h.Version != 1 && h.Version != 2 {
		return h, payload, false, fmt.Errorf("%w %d", ErrVersion, h.Version)
	}
	return h, payload, h.Version == 2 && data[0]&flagFragment != 0, nil
}

// Parse reads one whole message. On an error the message holds its header, where
// that could be read, and is nil otherwise.
func Parse(data []byte) (*Message, error) {
	h, payload, fragment, err := parseHeader(data)
	switch {
	case len(data) < headerSize:
		return nil, err
	case err != nil:
		return &Message{Header: h}, err
	case fragment:
		return &Message{Header: h}, ErrFragment
	case payload != len(data)-headerSize:
		return &Message{Header: h}, fmt.Errorf("%w: %d octets said, %d there", ErrLength, payload, len(data)-headerSize)
	}
	m := &Message{Header: h, Body: newBody(h.Primitive)}
	list, err := readAttributes(h.Primitive.String(), data[headerSize:])
	if err != nil {
		return &Message{Header: h}, fmt.Errorf("bfcp: %w", err)
	}
	for i, a := range list {
		taken, err := m.Body.take(a)
		if err != nil {
			return &Message{Header: h}, fmt.Errorf("bfcp: %s[%d]: %w", h.Primitive, i, err)
		}
		if !taken {
			m.Body.keep(a)
		}
	}
	return m, nil
}

// Marshal writes the message whole.
func (m *Message) Marshal() ([]byte, error) {
	m.Header.Primitive = m.Body.Primitive()
	w := writer{data: make([]byte, headerSize, 64)}
	m.Body.write(&w)
	words := (len(w.data) - headerSize) / 4
	if words > 0xffff {
		return nil, fmt.Errorf("%w: %d octets", ErrLength, len(w.data))
	}
	w.data[0] = m.Version << 5
	if m.Response {
		w.data[0] |= flagResponse
	}
	w.data[1] = byte(m.Header.Primitive)
	binary.BigEndian.PutUint16(w.data[2:], uint16(words))
	binary.BigEndian.PutUint32(w.data[4:], m.Conference)
	binary.BigEndian.PutUint16(w.data[8:], m.Transaction)
	binary.BigEndian.PutUint16(w.data[10:], m.User)
	return w.data, nil
}

// mandatoryUnknown lists the attributes that we would have to know.
func (m *Message) mandatoryUnknown() (list []AttributeType) {
	for _, a := range m.Body.unread() {
		if a.Mandatory && !a.Type.known() {
			list = append(list, a.Type)
		}
	}
	return list
}

func (m *Message) String() string { return m.Header.Primitive.String() }

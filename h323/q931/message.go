package q931

import (
	"errors"
	"fmt"
	"slices"
)

// Errors of Parse, to be told apart with errors.Is.
var (
	// ErrTruncated: the message ends within its header or an element.
	ErrTruncated = errors.New("q931: message ends too early")
	// ErrProtocol: not a Q.931 message. H.225.0 wants it ignored.
	ErrProtocol = errors.New("q931: not a Q.931 message")
	// ErrElement: an element whose contents have no meaning.
	ErrElement = errors.New("q931: bad information element")
)

const discriminator = 0x08

// CallReference tells the calls of one connection apart (Q.931 4.3).
type CallReference struct {
	Value uint16 // of 15 bits; 0 is the global reference: no call, but the whole connection
	// FromDestination is the flag: set in messages of the side that did not allocate
	// the value, which is the called side.
	FromDestination bool
}

// String gives "1234" or "1234/dest".
func (r CallReference) String() string {
	if r.FromDestination {
		return fmt.Sprintf("%d/dest", r.Value)
	}
	return fmt.Sprint(r.Value)
}

// Reply gives the same reference as the other side writes it.
func (r CallReference) Reply() CallReference {
	r.FromDestination = !r.FromDestination
	return r
}

// Message is a Q.931 message.
type Message struct {
	Reference CallReference
	Type      MessageType
	Elements  []Element
}

// maxElements bounds what is kept of one message.
const maxElements = 256

// Parse reads a message. Elements share memory with data. Unknown message types and
// unknown elements are no error.
func Parse(data []byte) (*Message, error) {
	if len(data) < 2 {
		return nil, ErrTruncated
	}
	if data[0] != discriminator {
		return nil, fmt.Errorf("%w: protocol discriminator %#x", ErrProtocol, data[0])
	}
	if data[1] != 2 {
		return nil, fmt.Errorf("%w: call reference of %d octets", ErrProtocol, data[1])
	}
	if len(data) < 5 {
		return nil, ErrTruncated
	}
	m := &Message{
		Reference: CallReference{
			Value:           uint16(data[2]&0x7F)<<8 | uint16(data[3]),
			FromDestination: data[2]&0x80 != 0,
		},
		Type: MessageType(data[4]),
	}
	return m, m.parseElements(data[5:])
}

// Append appends the message to dst.
func (m *Message) Append(dst []byte) ([]byte, error) {
	if m.Reference.Value > 0x7FFF {
		return dst, fmt.Errorf("%w: call reference %d", ErrProtocol, m.Reference.Value)
	}
	high := byte(m.Reference.Value >> 8)
	if m.Reference.FromDestination {
		high |= 0x80
	}
	out := append(dst, discriminator, 2, high, byte(m.Reference.Value), byte(m.Type))
	codeset := byte(0)
	for _, e := range m.Elements {
		var err error
		if out, err = e.append(out, &codeset); err != nil {
			return dst, err
		}
	}
	return out, nil
}

// Marshal gives the message's octets.
func (m *Message) Marshal() ([]byte, error) {
	size := 5
	for _, e := range m.Elements {
		size += 4 + len(e.Data)
	}
	return m.Append(make([]byte, 0, size))
}

// Get finds the first element with an identifier, of codeset 0.
func (m *Message) Get(id ElementID) (Element, bool) {
	for _, e := range m.Elements {
		if e.ID == id && e.Codeset == 0 {
			return e, true
		}
	}
	return Element{}, false
}

// Set replaces the elements with e's identifier by e, or puts e where its code
// point belongs.
func (m *Message) Set(e Element) {
	for i, old := range m.Elements {
		if old.ID == e.ID && old.Codeset == e.Codeset {
			m.Elements[i] = e
			m.Elements = append(m.Elements[:i+1], slices.DeleteFunc(m.Elements[i+1:], func(o Element) bool {
				return o.ID == e.ID && o.Codeset == e.Codeset
			})...)
			return
		}
	}
	m.Add(e)
}

// Add puts e behind the elements with the same or a lower code point, also when
// there is one with its identifier.
func (m *Message) Add(e Element) {
	at := len(m.Elements)
	for at > 0 && e.before(m.Elements[at-1]) {
		at--
	}
	m.Elements = slices.Insert(m.Elements, at, e)
}

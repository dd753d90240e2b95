package q931

import "fmt"

// ElementID is the identifier of an information element (Q.931 table 4-3). Those of
// 0x80 and more are elements of one octet.
type ElementID uint8

// Information elements that H.225.0 clause 7.2.2 knows.
const (
	BearerCapabilityID       ElementID = 0x04
	CauseID                  ElementID = 0x08
	CallStateID              ElementID = 0x14
	ChannelID                ElementID = 0x18
	FacilityID               ElementID = 0x1C
	ProgressID               ElementID = 0x1E
	NetworkFacilitiesID      ElementID = 0x20
	NotificationID           ElementID = 0x27
	DisplayID                ElementID = 0x28
	DateTimeID               ElementID = 0x29
	KeypadID                 ElementID = 0x2C
	SignalID                 ElementID = 0x34
	ConnectedNumberID        ElementID = 0x4C
	ConnectedSubaddressID    ElementID = 0x4D
	CallingNumberID          ElementID = 0x6C
	CallingSubaddressID      ElementID = 0x6D
	CalledNumberID           ElementID = 0x70
	CalledSubaddressID       ElementID = 0x71
	RedirectingNumberID      ElementID = 0x74
	TransitNetworkID         ElementID = 0x78
	LowLayerCompatibilityID  ElementID = 0x7C
	HighLayerCompatibilityID ElementID = 0x7D
	UserUserID               ElementID = 0x7E

	shiftID            ElementID = 0x90 // with codeset and lock bit in the value
	MoreDataID         ElementID = 0xA0
	SendingCompleteID  ElementID = 0xA1
	CongestionLevelID  ElementID = 0xB0
	RepeatIndicationID ElementID = 0xD0
)

// Element is an information element. Codeset is 0 unless shifts said otherwise
// (Q.931 4.5.2).
type Element struct {
	ID      ElementID
	Codeset uint8
	Locking bool   // the codeset was changed by a locking shift
	Value   uint8  // of an element of one octet: its low 4 bits
	Data    []byte // of the others: the contents
}

// single tells whether an identifier is that of an element of one octet. 0xA0 is
// the first of those that use all eight bits.
func (id ElementID) single() bool { return id >= 0x80 }

// before orders elements: those of codeset 0 first, then by code point.
func (e Element) before(other Element) bool {
	if e.Codeset != other.Codeset {
		return e.Codeset < other.Codeset
	}
	return e.ID < other.ID && !e.ID.single() && !other.ID.single()
}

// parseElements reads the elements behind the header.
func (m *Message) parseElements(data []byte) error {
	var locked, highest, next uint8
	shifted := false
	for len(data) > 0 {
		if len(m.Elements) == maxElements {
			return fmt.Errorf("%w: more than %d", ErrElement, maxElements)
		}
		first := ElementID(data[0])
		if first&0xF0 == shiftID {
			codeset := uint8(first & 7)
			if first&8 == 0 {
				// A shift down is not allowed (Q.931 4.5.3), but its meaning is plain.
				locked = codeset
			} else {
				next, shifted = codeset, true
			}
			data = data[1:]
			continue
		}
		e := Element{Codeset: locked}
		if shifted {
			e.Codeset, shifted = next, false
		} else {
			highest = max(highest, locked) // a shift that nothing follows is not sent on
		}
		e.Locking = e.Codeset > 0 && e.Codeset == highest
		rest, err := e.parse(data)
		if err != nil {
			return err
		}
		m.Elements = append(m.Elements, e)
		data = rest
	}
	return nil
}

// parse reads one element and gives what follows it.
func (e *Element) parse(data []byte) (rest []byte, err error) {
	e.ID = ElementID(data[0])
	if e.ID.single() {
		if e.ID&0xF0 != 0xA0 {
			e.ID, e.Value = e.ID&0xF0, uint8(e.ID&0x0F)
		}
		return data[1:], nil
	}
	data = data[1:]
	size := 1
	if e.ID == UserUserID && e.Codeset == 0 {
		size = 2
	}
	if len(data) < size {
		return nil, fmt.Errorf("%w: in %s", ErrTruncated, e.ID)
	}
	n := int(data[0])
	if size == 2 {
		n = n<<8 | int(data[1])
	}
	if data = data[size:]; len(data) < n {
		return nil, fmt.Errorf("%w: in %s", ErrTruncated, e.ID)
	}
	e.Data = data[:n:n]
	return data[n:], nil
}

// append writes the element, behind a shift when it is not in the codeset that is
// locked at the moment.
func (e Element) append(dst []byte, locked *uint8) ([]byte, error) {
	switch {
	case e.Codeset > 7:
		return dst, fmt.Errorf("%w: codeset %d", ErrElement, e.Codeset)
	case e.Codeset == *locked:
	case e.Locking && e.Codeset > *locked:
		dst = append(dst, byte(shiftID)|e.Codeset)
		*locked = e.Codeset
	default:
		dst = append(dst, byte(shiftID)|8|e.Codeset)
	}
	if e.ID.single() {
		value := e.Value
		if e.ID&0xF0 == 0xA0 {
			value = 0
		}
		return append(dst, byte(e.ID)|value&0x0F), nil
	}
	n := len(e.Data)
	if e.ID == UserUserID && e.Codeset == 0 {
		if n > 0xFFFF {
			return dst, fmt.Errorf("%w: user-user of %d octets", ErrElement, n)
		}
		dst = append(dst, byte(e.ID), byte(n>>8), byte(n))
		return append(dst, e.Data...), nil
	}
	if n > 0xFF {
		return dst, fmt.Errorf("%w: %s of %d octets", ErrElement, e.ID, n)
	}
	dst = append(dst, byte(e.ID), byte(n))
	return append(dst, e.Data...), nil
}

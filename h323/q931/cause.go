package q931

import "fmt"

// Locations of a cause (Q.850 table 2).
const (
	LocationUser            uint8 = 0
	LocationPrivateLocal    uint8 = 1
	LocationPublicLocal     uint8 = 2
	LocationTransit         uint8 = 3
	LocationPublicRemote    uint8 = 4
	LocationPrivateRemote   uint8 = 5
	LocationInternational   uint8 = 7
	LocationBeyondInterwork uint8 = 10
)

// Cause is the reason for an end or a status (Q.850 clause 2).
type Cause struct {
	Value       uint8 // Q.850 cause value: 16 is normal call clearing
	Location    uint8
	Standard    uint8  // coding standard; 0 is the ITU's
	Diagnostics []byte // nil when none
}

// Element gives the information element.
func (c Cause) Element() Element {
	data := []byte{0x80 | c.Standard&3<<5 | c.Location&0x0F, 0x80 | c.Value&0x7F}
	return Element{ID: CauseID, Data: append(data, c.Diagnostics...)}
}

// ParseCause reads a cause.
func ParseCause(e Element) (c Cause, err error) {
	rest := afterOctet(e.Data)
	if e.ID != CauseID || len(rest) == 0 {
		return c, fmt.Errorf("%w: cause", ErrElement)
	}
	c.Standard, c.Location = e.Data[0]>>5&3, e.Data[0]&0x0F
	c.Value = rest[0] & 0x7F
	if len(rest) > 1 {
		c.Diagnostics = rest[1:]
	}
	return c, nil
}

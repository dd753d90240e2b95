package q931

import "fmt"

// Types of number (Q.931 4.5.10).
const (
	NumberUnknown         uint8 = 0
	NumberInternational   uint8 = 1
	NumberNational        uint8 = 2
	NumberNetworkSpecific uint8 = 3
	NumberSubscriber      uint8 = 4
	NumberAbbreviated     uint8 = 6
)

// Numbering plans (Q.931 4.5.10).
const (
	PlanUnknown uint8 = 0
	PlanE164    uint8 = 1
	PlanData    uint8 = 3
	PlanTelex   uint8 = 4
	PlanPrivate uint8 = 9
)

// Presentation and screening tell what the called party may see of a number, and
// who vouches for it (Q.931 4.5.10, octet 3a).
type Presentation struct {
	Indicator uint8 // 0 allowed, 1 restricted, 2 not available
	Screening uint8 // 0 user, not screened; 1 passed; 2 failed; 3 network
}

// Number is a called, calling, connected or redirecting party number.
type Number struct {
	Type, Plan   uint8
	Presentation *Presentation // nil when octet 3a is absent, as in called party numbers
	Digits       string        // IA5: 0-9, *, #
}

// Element gives the information element with the identifier of its role:
// CalledNumberID, CallingNumberID, ConnectedNumberID or RedirectingNumberID.
func (n Number) Element(id ElementID) Element {
	data := []byte{n.Type&7<<4 | n.Plan&0x0F}
	if n.Presentation == nil {
		data[0] |= 0x80
	} else {
		data = append(data, 0x80|n.Presentation.Indicator&3<<5|n.Presentation.Screening&3)
	}
	return Element{ID: id, Data: append(data, n.Digits...)}
}

// ParseNumber reads a party number of any role.
func ParseNumber(e Element) (n Number, err error) {
	if len(e.Data) == 0 {
		return n, fmt.Errorf("%w: empty %s", ErrElement, e.ID)
	}
	rest := e.Data[1:]
	n.Type, n.Plan = e.Data[0]>>4&7, e.Data[0]&0x0F
	if e.Data[0]&0x80 == 0 {
		if len(rest) == 0 {
			return n, fmt.Errorf("%w: %s without octet 3a", ErrElement, e.ID)
		}
		n.Presentation = &Presentation{Indicator: rest[0] >> 5 & 3, Screening: rest[0] & 3}
		if rest[0]&0x80 == 0 && len(rest) > 1 {
			rest = rest[1:] // octet 3b, the reason for redirection
		}
		rest = rest[1:]
	}
	n.Digits = string(rest)
	return n, nil
}

package q931

import "fmt"

// Capability is an information transfer capability (Q.931 4.5.5).
type Capability uint8

// Capabilities that H.225.0 7.2.2.1 uses.
const (
	Speech              Capability = 0x00
	UnrestrictedDigital Capability = 0x08
	RestrictedDigital   Capability = 0x09
	Audio31kHz          Capability = 0x10
	UnrestrictedTones   Capability = 0x11
	VideoCapability     Capability = 0x18
)

// Layer 1 protocols of a bearer capability.
const (
	LayerG711Mu uint8 = 2
	LayerG711A  uint8 = 3
	LayerH221   uint8 = 5
)

// Transfer rates of a bearer capability: their code. With RateMultirate the
// multiplier counts 64 kbit/s.
const (
	RatePacket    uint8 = 0x00
	Rate64k       uint8 = 0x10
	Rate2x64k     uint8 = 0x11
	Rate384k      uint8 = 0x13
	Rate1536k     uint8 = 0x15
	Rate1920k     uint8 = 0x17
	RateMultirate uint8 = 0x18
)

// Bearer is the bearer capability (H.225.0 7.2.2.1).
type Bearer struct {
	Standard   uint8 // coding standard; 0 is the ITU's
	Capability Capability
	Mode       uint8 // transfer mode; 0 is circuit, 2 packet
	Rate       uint8
	Multiplier uint8 // of RateMultirate: channels of 64 kbit/s
	Layer1     uint8 // 0 when not told
}

// VideoBearer is what a terminal signals for a video call of so many bit/s.
func VideoBearer(bitRate int) Bearer {
	channels := min(max((bitRate+63999)/64000, 1), 127)
	return Bearer{Capability: UnrestrictedDigital, Rate: RateMultirate, Multiplier: uint8(channels), Layer1: LayerH221}
}

// Element gives the information element.
func (b Bearer) Element() Element {
	data := []byte{0x80 | b.Standard&3<<5 | byte(b.Capability)&0x1F, 0x80 | b.Mode&3<<5 | b.Rate&0x1F}
	if b.Rate == RateMultirate {
		data = append(data, 0x80|b.Multiplier&0x7F)
	}
	if b.Layer1 != 0 {
		data = append(data, 0x80|1<<5|b.Layer1&0x1F)
	}
	return Element{ID: BearerCapabilityID, Data: data}
}

// ParseBearer reads a bearer capability.
func ParseBearer(e Element) (b Bearer, err error) {
	if e.ID != BearerCapabilityID || len(e.Data) < 2 {
		return b, fmt.Errorf("%w: bearer capability", ErrElement)
	}
	rest := e.Data
	b.Standard, b.Capability = rest[0]>>5&3, Capability(rest[0]&0x1F)
	if rest = afterOctet(rest); len(rest) == 0 {
		return b, fmt.Errorf("%w: bearer capability without rate", ErrElement)
	}
	b.Mode, b.Rate = rest[0]>>5&3, rest[0]&0x1F
	if b.Rate == RateMultirate && len(rest) > 1 {
		rest = rest[1:]
		b.Multiplier = rest[0] & 0x7F
	}
	if rest = afterOctet(rest); len(rest) > 0 && rest[0]>>5&3 == 1 {
		b.Layer1 = rest[0] & 0x1F
	}
	return b, nil
}

// afterOctet passes the octet group at the front: it ends with the octet whose
// extension bit is set (Q.931 4.5.1).
func afterOctet(data []byte) []byte {
	for i, b := range data {
		if b&0x80 != 0 {
			return data[i+1:]
		}
	}
	return nil
}

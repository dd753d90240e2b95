package bfcp

// Hello asks whether the server is there and what it can do (RFC 8855 §5.3.11).
type Hello struct{ others }

// Primitive implements Body.
func (*Hello) Primitive() Primitive { return HelloPrimitive }

// HelloAck answers it (RFC 8855 §5.3.12).
type HelloAck struct {
	others
	Primitives []Primitive
	Attributes []AttributeType
}

// Primitive implements Body.
func (*HelloAck) Primitive() Primitive { return HelloAckPrimitive }

func (h *HelloAck) take(a Attribute) (bool, error) {
	switch a.Type {
	case SupportedPrimitives:
		for _, b := range a.octets() {
			h.Primitives = append(h.Primitives, Primitive(b))
		}
		return true, nil
	case SupportedAttributes:
		for _, b := range a.octets() {
			if b > 1 {
				h.Attributes = append(h.Attributes, AttributeType(b>>1))
			}
		}
		return true, nil
	}
	return false, nil
}

func (h *HelloAck) write(w *writer) {
	list := make([]byte, len(h.Primitives))
	for i, p := range h.Primitives {
		list[i] = byte(p)
	}
	w.attribute(SupportedPrimitives, true, list)
	w.attribute(SupportedAttributes, true, numbers(h.Attributes))
	w.extra(h.Extra)
}

// capable is what we answer a Hello with.
func capable(version uint8) *HelloAck {
	h := &HelloAck{}
	last := ErrorPrimitive
	if version == 2 {
		last = GoodbyeAckPrimitive
	}
	for p := FloorRequestPrimitive; p <= last; p++ {
		h.Primitives = append(h.Primitives, p)
	}
	for t := BeneficiaryID; t <= lastAttribute; t++ {
		h.Attributes = append(h.Attributes, t)
	}
	return h
}

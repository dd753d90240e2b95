package bfcp

// ChairAction is a chair's decision on a request (RFC 8855 §5.3.9).
type ChairAction struct {
	others
	Information *RequestInformation
}

// Primitive implements Body.
func (*ChairAction) Primitive() Primitive { return ChairActionPrimitive }

func (c *ChairAction) take(a Attribute) (ok bool, err error) {
	if a.Type == FloorRequestInformation {
		c.Information, err = readRequestInformation(a)
		return true, err
	}
	return false, nil
}

func (c *ChairAction) write(w *writer) {
	if c.Information != nil {
		w.request(c.Information)
	}
	w.extra(c.Extra)
}

// ChairActionAck answers a ChairAction (RFC 8855 §5.3.10).
type ChairActionAck struct{ others }

// Primitive implements Body.
func (*ChairActionAck) Primitive() Primitive { return ChairActionAckPrimitive }

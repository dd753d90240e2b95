package bfcp

// FloorRelease gives up a request or the floor it was granted (RFC 8855 §5.3.2).
type FloorRelease struct {
	others
	Request uint16
}

// Primitive implements Body.
func (*FloorRelease) Primitive() Primitive { return FloorReleasePrimitive }

func (r *FloorRelease) take(a Attribute) (bool, error) {
	if a.Type == FloorRequestID {
		return number(&r.Request, a, "FLOOR-REQUEST-ID")
	}
	return false, nil
}

func (r *FloorRelease) write(w *writer) {
	w.number(FloorRequestID, r.Request)
	w.extra(r.Extra)
}

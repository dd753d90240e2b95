package bfcp

// FloorRequestQuery asks what became of a request (RFC 8855 §5.3.3).
type FloorRequestQuery struct {
	others
	Request uint16
}

// Primitive implements Body.
func (*FloorRequestQuery) Primitive() Primitive { return FloorRequestQueryPrimitive }

func (q *FloorRequestQuery) take(a Attribute) (bool, error) {
	if a.Type == FloorRequestID {
		return number(&q.Request, a, "FLOOR-REQUEST-ID")
	}
	return false, nil
}

func (q *FloorRequestQuery) write(w *writer) {
	w.number(FloorRequestID, q.Request)
	w.extra(q.Extra)
}

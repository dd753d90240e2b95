package bfcp

// FloorQuery asks about floors, and to be told of their changes from then on; it
// replaces an earlier one (RFC 8855 §5.3.7).
type FloorQuery struct {
	others
	Floors []uint16
}

// Primitive implements Body.
func (*FloorQuery) Primitive() Primitive { return FloorQueryPrimitive }

func (q *FloorQuery) take(a Attribute) (bool, error) {
	if a.Type == FloorID {
		return appendNumber(&q.Floors, a, "FLOOR-ID")
	}
	return false, nil
}

func (q *FloorQuery) write(w *writer) {
	for _, f := range q.Floors {
		w.number(FloorID, f)
	}
	w.extra(q.Extra)
}

package bfcp

// FloorStatus tells who has asked for a floor and who holds it (RFC 8855 §5.3.8).
type FloorStatus struct {
	others
	Floors   []uint16
	Requests []*RequestInformation
}

// Primitive implements Body.
func (*FloorStatus) Primitive() Primitive { return FloorStatusPrimitive }

func (s *FloorStatus) take(a Attribute) (bool, error) {
	switch a.Type {
	case FloorID:
		return appendNumber(&s.Floors, a, "FLOOR-ID")
	case FloorRequestInformation:
		r, err := readRequestInformation(a)
		s.Requests = append(s.Requests, r)
		return true, err
	}
	return false, nil
}

func (s *FloorStatus) write(w *writer) {
	for _, f := range s.Floors {
		w.number(FloorID, f)
	}
	for _, r := range s.Requests {
		w.request(r)
	}
	w.extra(s.Extra)
}

package bfcp

// FloorRequestStatus tells what became of a request, as an answer or unasked
// (RFC 8855 §5.3.4).
type FloorRequestStatus struct {
	others
	Information *RequestInformation
}

// Primitive implements Body.
func (*FloorRequestStatus) Primitive() Primitive { return FloorRequestStatusPrimitive }

func (s *FloorRequestStatus) take(a Attribute) (ok bool, err error) {
	if a.Type == FloorRequestInformation {
		s.Information, err = readRequestInformation(a)
		return true, err
	}
	return false, nil
}

func (s *FloorRequestStatus) write(w *writer) {
	if s.Information != nil {
		w.request(s.Information)
	}
	w.extra(s.Extra)
}

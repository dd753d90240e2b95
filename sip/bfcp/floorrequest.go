package bfcp

// FloorRequest asks for floors (RFC 8855 §5.3.1).
type FloorRequest struct {
	others
	Floors      []uint16
	Beneficiary *uint16 // on behalf of somebody else
	Info        string  // what the participant said
	Priority    *Priority
}

// Primitive implements Body.
func (*FloorRequest) Primitive() Primitive { return FloorRequestPrimitive }

func (r *FloorRequest) take(a Attribute) (ok bool, err error) {
	switch a.Type {
	case FloorID:
		return appendNumber(&r.Floors, a, "FLOOR-ID")
	case BeneficiaryID:
		return setNumber(&r.Beneficiary, a, "BENEFICIARY-ID")
	case ParticipantProvidedInfo:
		r.Info = string(a.Value)
		return true, nil
	case PriorityAttribute:
		return setPriority(&r.Priority, a)
	}
	return false, nil
}

func (r *FloorRequest) write(w *writer) {
	for _, f := range r.Floors {
		w.number(FloorID, f)
	}
	w.optional(BeneficiaryID, r.Beneficiary)
	w.text(ParticipantProvidedInfo, r.Info)
	w.priority(r.Priority)
	w.extra(r.Extra)
}

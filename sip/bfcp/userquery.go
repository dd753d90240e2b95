package bfcp

// UserQuery asks about a participant and their requests (RFC 8855 §5.3.5).
type UserQuery struct {
	others
	Beneficiary *uint16 // nil: about who asks
}

// Primitive implements Body.
func (*UserQuery) Primitive() Primitive { return UserQueryPrimitive }

func (q *UserQuery) take(a Attribute) (bool, error) {
	if a.Type == BeneficiaryID {
		return setNumber(&q.Beneficiary, a, "BENEFICIARY-ID")
	}
	return false, nil
}

func (q *UserQuery) write(w *writer) {
	w.optional(BeneficiaryID, q.Beneficiary)
	w.extra(q.Extra)
}

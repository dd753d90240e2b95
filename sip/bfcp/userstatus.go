package bfcp

// UserStatus answers a UserQuery (RFC 8855 §5.3.6).
type UserStatus struct {
	others
	Beneficiary *User
	Requests    []*RequestInformation
}

// Primitive implements Body.
func (*UserStatus) Primitive() Primitive { return UserStatusPrimitive }

func (s *UserStatus) take(a Attribute) (bool, error) {
	switch a.Type {
	case BeneficiaryInformation:
		return setUser(&s.Beneficiary, a, "BENEFICIARY-INFORMATION")
	case FloorRequestInformation:
		r, err := readRequestInformation(a)
		s.Requests = append(s.Requests, r)
		return true, err
	}
	return false, nil
}

func (s *UserStatus) write(w *writer) {
	w.user(BeneficiaryInformation, s.Beneficiary)
	for _, r := range s.Requests {
		w.request(r)
	}
	w.extra(s.Extra)
}

package bfcp

import (
	"fmt"
)

// Reading of attributes into the fields of messages.

func appendNumber(list *[]uint16, a Attribute, name string) (bool, error) {
	n, err := a.number(name)
	if err == nil {
		*list = append(*list, n)
	}
	return true, err
}

func setNumber(to **uint16, a Attribute, name string) (bool, error) {
	n, err := a.number(name)
	if err == nil {
		*to = &n
	}
	return true, err
}

func number(to *uint16, a Attribute, name string) (bool, error) {
	n, err := a.number(name)
	if err == nil {
		*to = n
	}
	return true, err
}

// setPriority reads PRIORITY: three bits, and 13 reserved ones (RFC 8855 §5.2.4).
func setPriority(to **Priority, a Attribute) (bool, error) {
	if len(a.Value) < 1 {
		return true, fmt.Errorf("PRIORITY: %w", errTruncated)
	}
	p := Priority(a.Value[0] >> 5)
	*to = &p
	return true, nil
}

func (w *writer) priority(p *Priority) {
	if p != nil {
		w.attribute(PriorityAttribute, true, []byte{byte(*p) << 5, 0})
	}
}

// RequestStatus is the state of a request and its place in the queue
// (RFC 8855 §5.2.5).
type RequestStatus struct {
	Status        Status
	QueuePosition uint8 // 0: not stated
}

func setStatus(to **RequestStatus, a Attribute) (bool, error) {
	if len(a.Value) < 2 {
		return true, fmt.Errorf("REQUEST-STATUS: %w", errTruncated)
	}
	*to = &RequestStatus{Status(a.Value[0]), a.Value[1]}
	return true, nil
}

func (w *writer) status(s *RequestStatus) {
	if s != nil {
		w.attribute(RequestStatusAttribute, true, []byte{byte(s.Status), s.QueuePosition})
	}
}

// User is somebody and how to show them (RFC 8855 §5.2.14, §5.2.16).
type User struct {
	ID        uint16
	Name, URI string
}

func setUser(to **User, a Attribute, name string) (bool, error) {
	id, list, err := a.group(name)
	if err != nil {
		return true, err
	}
	u := &User{ID: id}
	for _, inner := range list {
		switch inner.Type {
		case UserDisplayName:
			u.Name = string(inner.Value)
		case UserURI:
			u.URI = string(inner.Value)
		}
	}
	*to = u
	return true, nil
}

func (w *writer) user(t AttributeType, u *User) {
	if u == nil {
		return
	}
	w.group(t, u.ID, func(w *writer) {
		w.text(UserDisplayName, cut(u.Name, maxUserText))
		w.text(UserURI, cut(u.URI, maxUserText))
	})
}

// maxUserText keeps two texts within the group they stand in, and that within
// FLOOR-REQUEST-INFORMATION.
const maxUserText = 44

// FloorState is the status of one floor of a request (RFC 8855 §5.2.17).
type FloorState struct {
	Floor  uint16
	Status *RequestStatus
	Info   string
}

func readFloorState(a Attribute, name string) (FloorState, error) {
	id, list, err := a.group(name)
	s := FloorState{Floor: id}
	for _, inner := range list {
		if err != nil {
			break
		}
		switch inner.Type {
		case RequestStatusAttribute:
			_, err = setStatus(&s.Status, inner)
		case StatusInfo:
			s.Info = string(inner.Value)
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return s, err
}

// floorState writes FLOOR-REQUEST-STATUS, or OVERALL-REQUEST-STATUS, which is laid
// out alike with the number of the request in place of that of the floor.
func (w *writer) floorState(t AttributeType, s FloorState) {
	w.group(t, s.Floor, func(w *writer) {
		w.status(s.Status)
		w.text(StatusInfo, cut(s.Info, maxUserText))
	})
}

// RequestInformation tells all about one floor request (RFC 8855 §5.2.15).
type RequestInformation struct {
	ID          uint16 // of the request
	Overall     *RequestStatus
	OverallInfo string
	Floors      []FloorState
	Beneficiary *User
	RequestedBy *User
	Priority    *Priority
	Info        string
}

// Status is the overall one, or that of the first floor where there is none: zero
// when nothing is said.
func (r *RequestInformation) Status() Status {
	if r.Overall != nil {
		return r.Overall.Status
	}
	for _, f := range r.Floors {
		if f.Status != nil {
			return f.Status.Status
		}
	}
	return 0
}

func readRequestInformation(a Attribute) (*RequestInformation, error) {
	const name = "FLOOR-REQUEST-INFORMATION"
	id, list, err := a.group(name)
	if err != nil {
		return nil, err
	}
	r := &RequestInformation{ID: id}
	for _, inner := range list {
		switch inner.Type {
		case OverallRequestStatus:
			var s FloorState
			if s, err = readFloorState(inner, name+".OVERALL-REQUEST-STATUS"); err == nil {
				r.Overall, r.OverallInfo = s.Status, s.Info
			}
		case FloorRequestStatusGroup:
			var s FloorState
			if s, err = readFloorState(inner, name+".FLOOR-REQUEST-STATUS"); err == nil {
				r.Floors = append(r.Floors, s)
			}
		case BeneficiaryInformation:
			_, err = setUser(&r.Beneficiary, inner, name+".BENEFICIARY-INFORMATION")
		case RequestedByInformation:
			_, err = setUser(&r.RequestedBy, inner, name+".REQUESTED-BY-INFORMATION")
		case PriorityAttribute:
			_, err = setPriority(&r.Priority, inner)
		case ParticipantProvidedInfo:
			r.Info = string(inner.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (w *writer) request(r *RequestInformation) {
	w.group(FloorRequestInformation, r.ID, func(w *writer) {
		if r.Overall != nil {
			w.floorState(OverallRequestStatus, FloorState{r.ID, r.Overall, r.OverallInfo})
		}
		for _, f := range r.Floors {
			w.floorState(FloorRequestStatusGroup, f)
		}
		w.user(BeneficiaryInformation, r.Beneficiary)
		w.user(RequestedByInformation, r.RequestedBy)
		w.priority(r.Priority)
		w.text(ParticipantProvidedInfo, cut(r.Info, maxUserText))
	})
}

func numbers(list []AttributeType) []byte {
	out := make([]byte, len(list))
	for i, t := range list {
		out[i] = byte(t) << 1 // the type stands in the upper seven bits
	}
	return out
}

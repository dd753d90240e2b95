package bfcp

import (
	"slices"
	"time"
)

// Server controls the floor towards one terminal: the far side asks, the owner of
// the Server decides. Others who hold the floor appear to the terminal as one user.
type Server struct {
	transactions
	started   bool
	watched   []uint16 // floors of its FloorQuery
	request   *floorRequest
	ours      bool   // others hold the floor
	oursID    uint16 // the request under which they do
	requestID uint16 // given last
}

var _ Session = (*Server)(nil)

// floorRequest is what the far side asks for, from its FloorRequest to its end.
type floorRequest struct {
	id       uint16
	floors   []uint16
	status   Status
	priority *Priority
	info     string
	// asked is its FloorRequest while that has no response; due is when it gets
	// one, decided or not.
	asked *Message
	due   time.Time
}

// decideWithin is how long the response to a FloorRequest waits for a decision:
// many terminals look at the response alone. It is below T1, so nothing repeats.
const decideWithin = 250 * time.Millisecond

// NewServer makes one. It begins by itself when the far side speaks.
func NewServer(cfg Config) *Server { return &Server{transactions: newTransactions(cfg)} }

// Start implements Session: a server waits to be spoken to.
func (s *Server) Start(time.Time) {}

// Next implements Session.
func (s *Server) Next() time.Time {
	next := s.next()
	if s.request != nil && s.request.asked != nil {
		next = earliest(next, s.request.due)
	}
	return next
}

// Tick implements Session.
func (s *Server) Tick(now time.Time) {
	if r := s.request; r != nil && r.asked != nil && !now.Before(r.due) {
		s.settle(now, r)
	}
	if s.repeat(now) {
		s.lost()
	}
}

// lost: the far side does not answer (RFC 8855 §8.3.1): what it held is free.
func (s *Server) lost() {
	if s.broken {
		return
	}
	started := s.started
	s.broken, s.started, s.watched = true, false, nil
	s.drop()
	if started {
		s.cfg.Emit(Broken)
	}
}

// Disconnected implements Session.
func (s *Server) Disconnected(time.Time) {
	s.reset()
	s.lost()
}

// drop forgets the far side's request.
func (s *Server) drop() {
	r := s.request
	s.request = nil
	if r != nil && r.status == Granted {
		s.cfg.Emit(Freed)
	}
}

// Receive implements Session.
func (s *Server) Receive(now time.Time, m *Message) {
	s.hear(now, m)
	if s.answered(now, m) || s.again(now, m) {
		return
	}
	if code := s.check(m); code != 0 {
		s.refuse(now, m, code, "")
		return
	}
	if unknown := m.mandatoryUnknown(); len(unknown) > 0 {
		s.respond(now, m, &Error{Code: UnknownMandatory, Unknown: unknown})
		return
	}
	s.dispatch(now, m)
	if !s.started && !s.broken {
		s.started = true
		s.cfg.Emit(Connected)
	}
}

// check looks at the header (RFC 8855 §13).
func (s *Server) check(m *Message) ErrorCode {
	switch {
	case m.Conference != s.cfg.Conference:
		return ConferenceDoesNotExist
	case m.User != s.cfg.User:
		return UserDoesNotExist
	}
	return 0
}

func (s *Server) dispatch(now time.Time, m *Message) {
	switch b := m.Body.(type) {
	case *Hello:
		s.respond(now, m, capable(m.Version))
	case *FloorRequest:
		s.floorRequest(now, m, b)
	case *FloorRelease:
		s.floorRelease(now, m, b)
	case *FloorRequestQuery:
		if r := s.find(b.Request); r != nil {
			s.respond(now, m, s.statusOf(r))
			return
		}
		s.refuse(now, m, FloorRequestDoesNotExist, "")
	case *UserQuery:
		s.userQuery(now, m, b)
	case *FloorQuery:
		s.floorQuery(now, m, b)
	case *ChairAction: // a terminal is no chair
		s.refuse(now, m, UnauthorizedOperation, "")
	case *Goodbye:
		s.respond(now, m, &GoodbyeAck{})
		s.watched = nil
		s.drop()
	case *Error, *FloorRequestStatusAck, *FloorStatusAck, *HelloAck, *GoodbyeAck, *ChairActionAck,
		*FloorRequestStatus, *UserStatus, *FloorStatus:
		// Late responses, or what only a server says.
	default:
		s.refuse(now, m, UnknownPrimitive, "")
	}
}

// floorRequest is RFC 8855 §13.1.
func (s *Server) floorRequest(now time.Time, m *Message, b *FloorRequest) {
	for _, f := range b.Floors {
		if !slices.Contains(s.cfg.Floors, f) {
			s.refuse(now, m, InvalidFloorID, "")
			return
		}
	}
	switch r := s.request; {
	case len(b.Floors) == 0:
		s.refuse(now, m, InvalidFloorID, "")
	case b.Beneficiary != nil && *b.Beneficiary != s.cfg.User:
		s.refuse(now, m, UnauthorizedOperation, "")
	case r != nil && r.asked != nil: // another one before the first was answered
		s.refuse(now, m, TooManyRequests, "")
	case r != nil: // it asks for what it has, or waits for
		s.respond(now, m, s.statusOf(r))
	default:
		s.request = &floorRequest{
			id: s.nextRequest(), floors: b.Floors, status: Pending, priority: b.Priority, info: b.Info,
			asked: m, due: now.Add(decideWithin),
		}
		if s.cfg.Unreliable {
			s.note(now, m, nil) // the same once more changes nothing
		}
		s.cfg.Emit(Requested)
	}
}

func (s *Server) nextRequest() uint16 {
	if s.requestID++; s.requestID == 0 {
		s.requestID = 1
	}
	return s.requestID
}

// settle gives a FloorRequest its response.
func (s *Server) settle(now time.Time, r *floorRequest) {
	m := r.asked
	r.asked = nil
	s.respond(now, m, s.statusOf(r))
}

// announce tells the far side the status of its request: in the response if that
// is due, unasked otherwise.
func (s *Server) announce(now time.Time, r *floorRequest) {
	if r.asked != nil {
		s.settle(now, r)
		return
	}
	s.tell(now, s.statusOf(r))
}

// Answer implements Session.
func (s *Server) Answer(now time.Time, grant bool) {
	r := s.request
	if r == nil || r.status != Pending {
		return
	}
	if !grant {
		r.status = Denied
		s.request = nil
		s.announce(now, r)
		return
	}
	wasOurs := s.ours
	s.ours = false
	r.status = Granted
	s.announce(now, r)
	s.publish(now)
	if wasOurs {
		s.cfg.Emit(Lost)
	}
	s.cfg.Emit(Taken)
}

// floorRelease is RFC 8855 §13.3.
func (s *Server) floorRelease(now time.Time, m *Message, b *FloorRelease) {
	r := s.find(b.Request)
	if r == nil {
		s.refuse(now, m, FloorRequestDoesNotExist, "")
		return
	}
	if r.asked != nil {
		s.settle(now, r)
	}
	was := r.status
	if r.status = Cancelled; was == Granted {
		r.status = Released
	}
	s.request = nil
	s.respond(now, m, s.statusOf(r))
	if was == Granted {
		s.publish(now)
		s.cfg.Emit(Freed)
	}
}

func (s *Server) find(id uint16) *floorRequest {
	if s.request != nil && s.request.id == id {
		return s.request
	}
	return nil
}

// Request implements Session: others take the floor. While the far side waits for an
// answer they do not: whoever decides has not heard of it yet.
func (s *Server) Request(now time.Time) {
	freed := false
	switch r := s.request; {
	case s.ours:
		s.cfg.Emit(OursIs)
		return
	case r != nil && r.status == Pending:
		s.cfg.Emit(Refused)
		return
	case r != nil:
		r.status = Revoked
		s.request, freed = nil, true
		s.announce(now, r)
	}
	s.ours, s.oursID = true, s.nextRequest()
	s.publish(now)
	if freed {
		s.cfg.Emit(Freed)
	}
	s.cfg.Emit(OursIs)
}

// Release implements Session.
func (s *Server) Release(now time.Time) {
	if s.ours {
		s.ours = false
		s.publish(now)
	}
}

// floorQuery is RFC 8855 §13.5.
func (s *Server) floorQuery(now time.Time, m *Message, b *FloorQuery) {
	for _, f := range b.Floors {
		if !slices.Contains(s.cfg.Floors, f) {
			s.refuse(now, m, InvalidFloorID, "")
			return
		}
	}
	s.watched = b.Floors
	s.respond(now, m, s.floorStatus())
}

// publish tells who watches that the floor changed.
func (s *Server) publish(now time.Time) {
	if len(s.watched) > 0 {
		s.tell(now, s.floorStatus())
	}
}

func (s *Server) floorStatus() *FloorStatus {
	out := &FloorStatus{Floors: s.watched}
	if s.ours {
		out.Requests = append(out.Requests, s.oursInformation())
	}
	if s.request != nil {
		out.Requests = append(out.Requests, s.information(s.request))
	}
	return out
}

// othersUser is the user under which others hold the floor: one that the far side
// is not.
func (s *Server) othersUser() uint16 { return s.cfg.User ^ 0x8000 }

func (s *Server) oursInformation() *RequestInformation {
	r := &floorRequest{id: s.oursID, floors: s.cfg.Floors[:1], status: Granted}
	info := s.information(r)
	info.Beneficiary = &User{ID: s.othersUser(), Name: s.cfg.Name}
	info.RequestedBy = nil
	return info
}

func (s *Server) information(r *floorRequest) *RequestInformation {
	info := &RequestInformation{
		ID: r.id, Overall: &RequestStatus{Status: r.status},
		Beneficiary: &User{ID: s.cfg.User}, Priority: r.priority, Info: r.info,
	}
	for _, f := range r.floors {
		info.Floors = append(info.Floors, FloorState{Floor: f})
	}
	return info
}

func (s *Server) statusOf(r *floorRequest) *FloorRequestStatus {
	info := s.information(r)
	info.Beneficiary = nil // who asked knows
	return &FloorRequestStatus{Information: info}
}

// userQuery is RFC 8855 §13.4.
func (s *Server) userQuery(now time.Time, m *Message, b *UserQuery) {
	who := s.cfg.User
	if b.Beneficiary != nil {
		who = *b.Beneficiary
	}
	out := &UserStatus{Beneficiary: &User{ID: who}}
	switch {
	case who == s.othersUser():
		out.Beneficiary.Name = s.cfg.Name
		if s.ours {
			out.Requests = append(out.Requests, s.oursInformation())
		}
	case who != s.cfg.User:
		s.refuse(now, m, UserDoesNotExist, "")
		return
	case s.request != nil:
		out.Requests = append(out.Requests, s.information(s.request))
	}
	s.respond(now, m, out)
}

// Malformed implements Session.
func (s *Server) Malformed(_ time.Time, m *Message, err error) { s.malformed(m, err) }

// Close implements Session: the floor goes back, and the far side is told over UDP
// (RFC 8855 §6.2).
func (s *Server) Close(now time.Time) {
	if s.cfg.Unreliable && s.started && s.version == 2 {
		s.cfg.Send(&Message{Header: s.header(s.number(), false), Body: &Goodbye{}})
	}
	s.drop()
}

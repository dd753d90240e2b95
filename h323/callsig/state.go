package callsig

import "github.com/roomgate/roomgate/h323/q931"

// State is the state of a call, numbered as Q.931 clause 2.2 numbers those of the
// user side: what a STATUS tells.
type State uint8

// States.
const (
	Null               State = 0
	Initiated          State = 1  // SETUP was sent
	OverlapSending     State = 2  // SETUP ACKNOWLEDGE came
	OutgoingProceeding State = 3  // CALL PROCEEDING came
	Delivered          State = 4  // ALERTING came
	Present            State = 6  // SETUP came
	Received           State = 7  // ALERTING was sent
	IncomingProceeding State = 9  // CALL PROCEEDING was sent
	Active             State = 10 // CONNECT
	Released           State = 19 // RELEASE COMPLETE was sent or came
	OverlapReceiving   State = 25 // SETUP ACKNOWLEDGE was sent
)

var stateNames = map[State]string{
	Null: "null", Initiated: "initiated", OverlapSending: "overlap sending", OutgoingProceeding: "outgoing proceeding",
	Delivered: "delivered", Present: "present", Received: "received", IncomingProceeding: "incoming proceeding",
	Active: "active", Released: "released", OverlapReceiving: "overlap receiving",
}

func (s State) String() string { return stateNames[s] }

// Verdict is what to do with a message that came.
type Verdict uint8

// Verdicts.
const (
	Take   Verdict = iota // it belongs here; the state has moved on
	Drop                  // it is repeated, or of no use: no answer
	Wrong                 // it does not belong here: STATUS says so (Q.931 clause 5.8.4)
	Answer                // a STATUS is asked for
)

// outgoing lists what may come in the states of a call of ours, and where it leads
// to (Q.931 clause 5.1, H.225.0 clause 7.3). What may come in every state before the
// end (FACILITY, NOTIFY, PROGRESS..) is not in it.
var outgoing = map[State]map[q931.MessageType]State{
	Initiated: {
		q931.SetupAcknowledge: OverlapSending, q931.CallProceeding: OutgoingProceeding,
		q931.Alerting: Delivered, q931.Connect: Active,
	},
	OverlapSending: {q931.CallProceeding: OutgoingProceeding, q931.Alerting: Delivered, q931.Connect: Active},
	// Gatekeepers send a CALL PROCEEDING of their own, and then the callee's.
	OutgoingProceeding: {q931.CallProceeding: OutgoingProceeding, q931.Alerting: Delivered, q931.Connect: Active},
	Delivered:          {q931.Alerting: Delivered, q931.Connect: Active},
}

// receive moves the state on for a message of the far side.
func (s State) receive(t q931.MessageType) (State, Verdict) {
	if s == Released || s == Null {
		return s, Drop
	}
	switch t {
	case q931.ReleaseComplete:
		return Released, Take
	case q931.Status, q931.CongestionControl:
		return s, Drop // never answered: floods of them are known
	case q931.StatusInquiry:
		return s, Answer
	case q931.Facility, q931.Notify, q931.UserInformation, q931.Information:
		return s, Take
	case q931.Progress:
		if s == Initiated || s == OutgoingProceeding || s == Delivered || s == OverlapSending {
			return s, Take
		}
		return s, Drop
	case q931.ConnectAck:
		return s, Drop // H.225.0 does not use it; some send it
	case q931.Setup, q931.Connect, q931.Alerting, q931.CallProceeding, q931.SetupAcknowledge:
		if next, ok := outgoing[s][t]; ok {
			return next, Take
		}
		if s == Active || s == Delivered {
			return s, Drop // late or repeated
		}
		return s, Wrong
	}
	return s, Wrong // Q.931 clause 5.8.4: unrecognized
}

// incoming lists from where a message of ours may be sent.
var incoming = map[q931.MessageType]struct {
	from []State
	to   State
}{
	q931.SetupAcknowledge: {[]State{Present}, OverlapReceiving},
	q931.CallProceeding:   {[]State{Present, OverlapReceiving}, IncomingProceeding},
	q931.Alerting:         {[]State{Present, OverlapReceiving, IncomingProceeding}, Received},
	q931.Connect:          {[]State{Present, OverlapReceiving, IncomingProceeding, Received}, Active},
}

// send moves the state on for a message of ours; false when it may not be sent.
func (s State) send(t q931.MessageType) (State, bool) {
	switch t {
	case q931.ReleaseComplete:
		return Released, s != Null && s != Released
	case q931.Setup:
		return Initiated, s == Null
	}
	step, ok := incoming[t]
	if !ok { // PROGRESS, FACILITY, NOTIFY..
		return s, s != Null && s != Released
	}
	for _, from := range step.from {
		if s == from {
			return step.to, true
		}
	}
	return s, false
}

package trunk

import (
	"fmt"
	"time"

	"github.com/roomgate/roomgate/call"
)

// Reason is why a trunk does not take a call.
type Reason string

// Reasons. The words are those of the API.
const (
	NoTrunk    Reason = "no-trunk"    // there is none of the name, or it cannot call
	NotAllowed Reason = "destination" // the number is not listed
	Premium    Reason = "premium"     // it costs more than a call
	NotOurs    Reason = "number"      // in: it does not belong to the trunk
	Forged     Reason = "identity"    // in: the caller names somebody else
	Busy       Reason = "calls"       // all lines are taken
	TooFast    Reason = "rate"
	DayCalls   Reason = "day-calls"
	DayMinutes Reason = "day-minutes"
	Uncounted  Reason = "uncounted" // the database does not answer
)

// Refusal is a call that a trunk does not take.
type Refusal struct {
	At        time.Time
	Trunk     string
	Direction call.Direction
	Reason    Reason
	Number    string // called
	Caller    string
	Text      string
	// RetryAfter is when it may be otherwise, in seconds; 0: nobody knows.
	RetryAfter int
}

func (r *Refusal) Error() string { return fmt.Sprintf("trunk %s: %s", r.Trunk, r.Text) }

// Cause is what the caller is told. All lines taken is "busy" for who calls in, since
// a 503 would make the carrier leave the trunk alone (RFC 3261 §21.5.4).
func (r *Refusal) Cause() call.Cause {
	c := call.Cause{Code: call.Congestion, Text: r.Text, RetryAfter: r.RetryAfter}
	switch r.Reason {
	case NotAllowed, Premium, Forged:
		c.Code = call.Rejected
	case NotOurs, NoTrunk:
		c.Code = call.UnknownAlias
	case Busy:
		if r.Direction == call.In {
			c.Code = call.UserBusy
		}
	}
	return c
}

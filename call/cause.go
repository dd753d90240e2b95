package call

import "errors"

// ErrNoCommonMedia is returned when no medium could be agreed on.
var ErrNoCommonMedia = errors.New("no common media")

// ErrEnded is returned by operations on a leg that has ended.
var ErrEnded = errors.New("call has ended")

// Cause is why a call ended, in neither protocol's words. It maps to a SIP
// status (RFC 3261 §21) and to a Q.850 cause, both ways.
type Cause struct {
	Code CauseCode
	// Text adds what the far side said or what we know; shown to operators.
	Text string
	// RetryAfter in seconds, with Congestion and Unavailable.
	RetryAfter int
}

func (c Cause) String() string {
	if c.Text == "" {
		return string(c.Code)
	}
	return string(c.Code) + ": " + c.Text
}

// CauseCode is one reason.
type CauseCode string

// The reasons.
const (
	NormalClearing     CauseCode = "normal"              // BYE, 16
	Cancelled          CauseCode = "cancelled"           // the caller gave up before the answer
	UserBusy           CauseCode = "busy"                // 486, 17; also: the meeting is full
	NoAnswer           CauseCode = "no-answer"           // 408 after ringing, 19
	Unavailable        CauseCode = "unavailable"         // 480, 20: known but not reachable now
	Rejected           CauseCode = "rejected"            // 403, 21
	Unauthorized       CauseCode = "unauthorized"        // 401/407 without a good answer
	UnknownAlias       CauseCode = "unknown-alias"       // 404, 1
	BadRequest         CauseCode = "bad-request"         // 400, 111
	IncompatibleMedia  CauseCode = "incompatible-media"  // 488, 88
	EncryptionRequired CauseCode = "encryption-required" // 488 with a Warning
	Congestion         CauseCode = "congestion"          // 503 with Retry-After, 42: over our limits
	Timeout            CauseCode = "timeout"             // no answer from the network, 102
	MediaTimeout       CauseCode = "media-timeout"       // no packet for too long
	SessionExpired     CauseCode = "session-expired"     // RFC 4028
	Draining           CauseCode = "draining"            // the gateway is shutting down
	Removed            CauseCode = "removed"             // by a moderator or operator
	MeetingEnded       CauseCode = "meeting-ended"       //
	Transferred        CauseCode = "transferred"         //
	NotSupported       CauseCode = "not-supported"       // 420, 415, 405
	Failure            CauseCode = "failure"             // 500, 41
)

// causes lists for each code the SIP status and the Q.850 cause it is sent as,
// and is read in both directions: the first line with a value wins.
var causes = []struct {
	code   CauseCode
	status int
	q850   int
}{
	{NormalClearing, 487, 16},
	{Cancelled, 487, 16},
	{UserBusy, 486, 17},
	{NoAnswer, 408, 19},
	{Unavailable, 480, 20},
	{Rejected, 403, 21},
	{Unauthorized, 401, 21},
	{UnknownAlias, 404, 1},
	{BadRequest, 400, 111},
	{IncompatibleMedia, 488, 88},
	{EncryptionRequired, 488, 88},
	{Congestion, 503, 42},
	{Timeout, 504, 102},
	{MediaTimeout, 480, 102},
	{SessionExpired, 408, 102},
	{Draining, 503, 42},
	{Removed, 403, 21},
	{MeetingEnded, 480, 16},
	{Transferred, 487, 16},
	{NotSupported, 420, 79},
	{Failure, 500, 41},
}

// Status is the SIP status a request is refused with for this cause
// (RFC 3261 §21; 487 where only BYE or CANCEL would be said).
func (c CauseCode) Status() int {
	for _, e := range causes {
		if e.code == c {
			return e.status
		}
	}
	return 500
}

// Q850 is the ITU-T Q.850 cause value of this cause.
func (c CauseCode) Q850() int {
	for _, e := range causes {
		if e.code == c {
			return e.q850
		}
	}
	return 41
}

// FromStatus reads a final SIP status as a cause.
func FromStatus(status int) CauseCode {
	switch status {
	case 401, 407:
		return Unauthorized
	case 405, 415, 420, 421, 422, 501:
		return NotSupported
	case 410, 484, 604:
		return UnknownAlias
	case 406, 606:
		return IncompatibleMedia
	case 600:
		return UserBusy
	case 603:
		return Rejected
	}
	for _, e := range causes {
		if e.status == status {
			return e.code
		}
	}
	switch {
	case status >= 200 && status < 300:
		return NormalClearing
	case status >= 400 && status < 500:
		return Rejected
	}
	return Failure
}

// FromQ850 reads a Q.850 cause value.
func FromQ850(value int) CauseCode {
	switch value {
	case 18:
		return NoAnswer
	case 31:
		return NormalClearing
	case 2, 3, 22, 28:
		return UnknownAlias
	case 27, 38:
		return Unavailable
	case 34, 47:
		return Congestion
	}
	for _, e := range causes {
		if e.q850 == value {
			return e.code
		}
	}
	return Failure
}

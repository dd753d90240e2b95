package callsig

import (
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/q931"
)

// reasons lists for each cause the ReleaseCompleteReason it is sent as; nil where
// the Q.850 cause says more than any of them. H.225.0 table 5 maps between both.
var reasons = []struct {
	code call.CauseCode
	set  func(*h225.ReleaseCompleteReason) *bool
}{
	{call.UnknownAlias, func(r *h225.ReleaseCompleteReason) *bool { return &r.CalledPartyNotRegistered }},
	{call.UserBusy, func(r *h225.ReleaseCompleteReason) *bool { return &r.InConf }},
	{call.Unavailable, func(r *h225.ReleaseCompleteReason) *bool { return &r.UnreachableDestination }},
	{call.Rejected, func(r *h225.ReleaseCompleteReason) *bool { return &r.DestinationRejection }},
	{call.Unauthorized, func(r *h225.ReleaseCompleteReason) *bool { return &r.NoPermission }},
	{call.BadRequest, func(r *h225.ReleaseCompleteReason) *bool { return &r.BadFormatAddress }},
	{call.EncryptionRequired, func(r *h225.ReleaseCompleteReason) *bool { return &r.SecurityDenied }},
	{call.Congestion, func(r *h225.ReleaseCompleteReason) *bool { return &r.GatewayResources }},
	{call.Draining, func(r *h225.ReleaseCompleteReason) *bool { return &r.GatewayResources }},
	{call.Transferred, func(r *h225.ReleaseCompleteReason) *bool { return &r.FacilityCallDeflection }},
	{call.NotSupported, func(r *h225.ReleaseCompleteReason) *bool { return &r.NeededFeatureNotSupported }},
}

// Reason is the ReleaseCompleteReason of a cause; nil when none fits.
func Reason(code call.CauseCode) *h225.ReleaseCompleteReason {
	for _, e := range reasons {
		if e.code == code {
			r := new(h225.ReleaseCompleteReason)
			*e.set(r) = true
			return r
		}
	}
	return nil
}

// fromReason reads a ReleaseCompleteReason; "" when it says nothing.
func fromReason(r *h225.ReleaseCompleteReason) call.CauseCode {
	if r == nil {
		return ""
	}
	switch {
	case r.NoBandwidth, r.GatekeeperResources, r.AdaptiveBusy:
		return call.Congestion
	case r.UnreachableGatekeeper, r.InvalidRevision:
		return call.Unavailable
	case r.CallerNotRegistered:
		return call.Unauthorized
	case r.SecurityError != nil:
		return call.EncryptionRequired
	case r.TunnelledSignallingRejected, r.HopCountExceeded, r.InvalidCID:
		return call.Rejected
	}
	for _, e := range reasons {
		if *e.set(r) {
			return e.code
		}
	}
	return ""
}

// causeOf reads the end of a call out of a RELEASE COMPLETE. The Q.850 cause, where
// it says more than "normal, unspecified", goes before the reason (H.225.0 clause
// 7.2.2.8: only one of them is to be there, but many send both).
func causeOf(m *Message) call.Cause {
	var code call.CauseCode
	if b := m.Body().ReleaseComplete; b != nil {
		code = fromReason(b.Reason)
	}
	if e, ok := m.Q931.Get(q931.CauseID); ok {
		if c, err := q931.ParseCause(e); err == nil && (code == "" || c.Value != normalUnspecified) {
			if read := call.FromQ850(int(c.Value)); code == "" || read != call.NormalClearing {
				code = better(code, read)
			}
		}
	}
	if code == "" {
		code = call.NormalClearing
	}
	return call.Cause{Code: code, Text: m.Display()}
}

const normalUnspecified = 31

// better picks the more telling of a reason and a Q.850 cause.
func better(reason, q850 call.CauseCode) call.CauseCode {
	// No Q.850 cause speaks of security.
	if reason != "" && (q850 == call.Failure || q850 == call.Rejected) || reason == call.EncryptionRequired {
		return reason
	}
	return q850
}

// Cause reads the end of a call out of a RELEASE COMPLETE.
func (m *Message) Cause() call.Cause { return causeOf(m) }

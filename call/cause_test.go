package call_test

import (
	"testing"

	"github.com/roomgate/roomgate/call"
)

// Every cause a call is refused with goes out as a final status and comes back
// as a cause that the same status stands for: two gateways in a row must not
// turn "busy" into "failure".
func TestCauseStatusRoundTrip(t *testing.T) {
	for _, tc := range []struct {
		code   call.CauseCode
		status int
		q850   int
	}{
		{call.UserBusy, 486, 17},
		{call.NoAnswer, 408, 19},
		{call.Unavailable, 480, 20},
		{call.Rejected, 403, 21},
		{call.UnknownAlias, 404, 1},
		{call.BadRequest, 400, 111},
		{call.IncompatibleMedia, 488, 88},
		{call.Congestion, 503, 42},
		{call.NotSupported, 420, 79},
		{call.Failure, 500, 41},
	} {
		if got := tc.code.Status(); got != tc.status {
			t.Errorf("%s: status %d, want %d", tc.code, got, tc.status)
		}
		if got := tc.code.Q850(); got != tc.q850 {
			t.Errorf("%s: Q.850 %d, want %d", tc.code, got, tc.q850)
		}
		if got := call.FromStatus(tc.status); got != tc.code {
			t.Errorf("status %d reads as %s, want %s", tc.status, got, tc.code)
		}
		if got := call.FromQ850(tc.q850); got != tc.code {
			t.Errorf("Q.850 %d reads as %s, want %s", tc.q850, got, tc.code)
		}
	}
}

func TestForeignStatuses(t *testing.T) {
	for status, want := range map[int]call.CauseCode{
		407: call.Unauthorized, 410: call.UnknownAlias, 484: call.UnknownAlias, 600: call.UserBusy,
		603: call.Rejected, 606: call.IncompatibleMedia, 200: call.NormalClearing, 599: call.Failure, 499: call.Rejected,
	} {
		if got := call.FromStatus(status); got != want {
			t.Errorf("status %d reads as %s, want %s", status, got, want)
		}
	}
	for value, want := range map[int]call.CauseCode{
		18: call.NoAnswer, 31: call.NormalClearing, 28: call.UnknownAlias, 34: call.Congestion, 127: call.Failure,
	} {
		if got := call.FromQ850(value); got != want {
			t.Errorf("Q.850 %d reads as %s, want %s", value, got, want)
		}
	}
}

package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/trunk"
)

// Types of problems that clients branch on (RFC 9457 §3.1.1).
const (
	ProblemPIN      = "urn:roomgate:problem:pin"
	ProblemFull     = "urn:roomgate:problem:full"
	ProblemDraining = "urn:roomgate:problem:draining"
	ProblemSFU      = "urn:roomgate:problem:sfu"
	ProblemLocked   = "urn:roomgate:problem:locked"
	ProblemDenied   = "urn:roomgate:problem:denied"
	// ProblemWait and what begins with it ask to try again in a while.
	ProblemWait      = "urn:roomgate:problem:wait"
	ProblemWaitHost  = ProblemWait + ":host"
	ProblemWaitAdmit = ProblemWait + ":admission"
	ProblemWaitTime  = ProblemWait + ":time"
	ProblemOver      = "urn:roomgate:problem:over"
)

// outcomes maps the gateway's errors to answers.
var outcomes = []struct {
	err     error
	status  int
	problem string
}{
	{gateway.ErrNoMeeting, http.StatusNotFound, ""},
	{gateway.ErrNoCall, http.StatusNotFound, ""},
	{ErrNoLadder, http.StatusNotFound, ""},
	{gateway.ErrNoParticipant, http.StatusNotFound, ""},
	{gateway.ErrElsewhere, http.StatusConflict, ""},
	{gateway.ErrMeetingExists, http.StatusConflict, ""},
	{gateway.ErrNoCamera, http.StatusConflict, ""},
	{gateway.ErrNoChat, http.StatusConflict, ""},
	{gateway.ErrBadTarget, http.StatusUnprocessableEntity, ""},
	{gateway.ErrLayout, http.StatusUnprocessableEntity, ""},
	{gateway.ErrBadMeeting, http.StatusUnprocessableEntity, ""},
	{gateway.ErrPIN, http.StatusForbidden, ProblemPIN},
	{gateway.ErrLocked, http.StatusForbidden, ProblemLocked},
	{gateway.ErrDenied, http.StatusForbidden, ProblemDenied},
	{gateway.ErrWaitHost, http.StatusForbidden, ProblemWaitHost},
	{gateway.ErrWaitAdmit, http.StatusForbidden, ProblemWaitAdmit},
	{gateway.ErrNotYet, http.StatusForbidden, ProblemWaitTime},
	{gateway.ErrOver, http.StatusForbidden, ProblemOver},
	{gateway.ErrNotHeld, http.StatusConflict, ""},
	{gateway.ErrNoEnd, http.StatusConflict, ""},
	{gateway.ErrFull, http.StatusServiceUnavailable, ProblemFull},
	{gateway.ErrDraining, http.StatusServiceUnavailable, ProblemDraining},
	{gateway.ErrNoSFU, http.StatusServiceUnavailable, ProblemSFU},
}

// problem turns an error of the gateway into an answer.
func (a *API) problem(err error) error {
	if r, ok := trunk.RefusalOf(err); ok {
		return trunkProblem(r)
	}
	for _, o := range outcomes {
		if !errors.Is(err, o.err) {
			continue
		}
		p := document(o.status, o.problem, err.Error())
		if o.status == http.StatusServiceUnavailable {
			return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {"5"}})
		}
		return p
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return document(http.StatusGatewayTimeout, ProblemSFU, "the meeting server does not answer")
	}
	if errors.Is(err, context.Canceled) {
		return document(http.StatusServiceUnavailable, "", "the request was given up")
	}
	a.log.Error("request failed", zap.Error(err))
	return document(http.StatusInternalServerError, "", "the request failed; the log of the gateway says why")
}

// document is a problem document.
func document(status int, problem, detail string) *huma.ErrorModel {
	return &huma.ErrorModel{Type: problem, Status: status, Title: http.StatusText(status), Detail: detail}
}

// slowDown is the answer to a source that asks too much.
func slowDown(wait time.Duration, detail string) error {
	return huma.ErrorWithHeaders(document(http.StatusTooManyRequests, "", detail), http.Header{"Retry-After": {seconds(wait)}})
}

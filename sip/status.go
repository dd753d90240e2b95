package sip

import (
	"fmt"
	"strconv"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/call"
)

// reasons are the reason phrases of RFC 3261 §21 and its extensions that we send.
var reasons = map[int]string{
	100: "Trying", 180: "Ringing", 183: "Session Progress",
	200: "OK", 202: "Accepted",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
	405: "Method Not Allowed", 408: "Request Timeout", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 422: "Session Interval Too Small",
	423: "Interval Too Brief", 480: "Temporarily Unavailable",
	481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 486: "Busy Here",
	487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
	500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable",
	504: "Server Time-out", 603: "Decline",
}

// refusal is an answer that ends a request, with the headers that go with it.
type refusal struct {
	status  int
	headers []sipgo.Header
}

func refuse(status int, headers ...string) *refusal {
	r := &refusal{status: status}
	for i := 0; i+1 < len(headers); i += 2 {
		r.headers = append(r.headers, sipgo.NewHeader(headers[i], headers[i+1]))
	}
	return r
}

// answer builds the response to a request.
func (e *Endpoint) answer(req *sipgo.Request, status int) *sipgo.Response {
	res := sipgo.NewResponseFromRequest(req, status, reasons[status], nil)
	add(res, "Server", e.cfg.UserAgent)
	return res
}

// respond sends a response without a body.
func (e *Endpoint) respond(tx *sipgo.ServerTx, req *sipgo.Request, status int, headers ...string) {
	e.refuse(tx, req, refuse(status, headers...))
}

func (e *Endpoint) refuse(tx *sipgo.ServerTx, req *sipgo.Request, r *refusal) {
	res := e.answer(req, r.status)
	for _, h := range r.headers {
		res.AppendHeader(h)
	}
	if err := tx.Respond(res); err != nil {
		e.debugSend(err)
	}
}

// causeHeaders are the headers that carry a cause beside the status: Reason
// (RFC 3326), Warning (RFC 3261 §20.43) and Retry-After.
func (e *Endpoint) causeHeaders(c call.Cause) []string {
	h := []string{"Reason", fmt.Sprintf(`Q.850;cause=%d;text="%s"`, c.Code.Q850(), quotable(string(c.Code)))}
	switch c.Code {
	case call.Congestion, call.Draining:
		h = append(h, "Retry-After", strconv.Itoa(max(c.RetryAfter, 5)))
	case call.Unavailable:
		if c.RetryAfter > 0 {
			h = append(h, "Retry-After", strconv.Itoa(c.RetryAfter))
		}
	case call.IncompatibleMedia:
		h = append(h, "Warning", e.warning(305, c.Text, "Incompatible media format"))
	case call.EncryptionRequired:
		h = append(h, "Warning", e.warning(399, c.Text, "Media encryption is required"))
	case call.BadRequest:
		h = append(h, "Warning", e.warning(399, c.Text, "Malformed request"))
	}
	return h
}

func (e *Endpoint) warning(code int, text, otherwise string) string {
	if text == "" {
		text = otherwise
	}
	return fmt.Sprintf(`%d %s "%s"`, code, e.cfg.UserAgent, quotable(text))
}

// quotable makes a text fit for a quoted-string on one line.
func quotable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '"' || r == '\\' || r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// causeOf reads why a request of ours was refused or a call was ended: the
// Q.850 cause of a Reason header tells more than the status does.
func causeOf(status int, m headed) call.Cause {
	c := call.Cause{Code: call.FromStatus(status)}
	if res, ok := m.(*sipgo.Response); ok {
		c.Text = fmt.Sprintf("%d %s", status, res.Reason)
	}
	if s := value(m, "retry-after"); s != "" {
		digits, _, _ := strings.Cut(s, " ")
		digits, _, _ = strings.Cut(digits, ";")
		if n, err := strconv.Atoi(digits); err == nil && n >= 0 {
			c.RetryAfter = n
		}
	}
	if w := value(m, "warning"); w != "" {
		c.Text += ": " + w
	}
	// 480 and 500 say little; a gateway behind them knows the network's cause.
	if v, ok := q850(m); ok && (status == 0 || status == 480 || status == 500 || status == 503 || status == 603) {
		c.Code = call.FromQ850(v)
	}
	return c
}

// q850 finds the Q.850 cause among the Reason headers (RFC 3326 §2).
func q850(m headed) (int, bool) {
	for _, h := range m.GetHeaders("reason") {
		protocol, params, _ := strings.Cut(h.Value(), ";")
		if !strings.EqualFold(strings.TrimSpace(protocol), "Q.850") {
			continue
		}
		for p := range strings.SplitSeq(params, ";") {
			k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
			if n, err := strconv.Atoi(strings.TrimSpace(v)); strings.EqualFold(k, "cause") && err == nil {
				return n, true
			}
		}
	}
	return 0, false
}

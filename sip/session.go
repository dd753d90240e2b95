package sip

import (
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/sip/dialog"
)

// Session timers (RFC 4028) as they stand on a leg.

// timerHeaders adds what a 2xx says about the session timer.
func (l *leg) timerHeaders(res *sipgo.Response, h *dialog.SessionExpires, require bool) {
	if h == nil {
		return
	}
	add(res, "Session-Expires", h.String())
	if require {
		add(res, "Require", "timer")
	}
}

// acceptTimer reads the timer of a 2xx to a request of ours.
func (l *leg) acceptTimer(res *sipgo.Response, asked time.Duration) dialog.SessionTimer {
	s := value(res, "session-expires", "x")
	if s == "" {
		return dialog.AcceptTimer(nil, asked)
	}
	got, err := dialog.ParseSessionExpires(s)
	if err != nil || got.Interval < l.minSE() {
		return dialog.AcceptTimer(nil, asked)
	}
	return dialog.AcceptTimer(&got, asked)
}

// refreshed puts the timer of the latest refresh into force.
func (l *leg) refreshed(t dialog.SessionTimer) {
	l.session, l.overdue = t, false
	l.startSession()
}

func (l *leg) startSession() {
	l.stop(timerSession)
	switch t := l.session; {
	case t.Interval == 0:
	case t.Ours:
		l.after(timerSession, t.RefreshAfter())
	default:
		l.after(timerSession, t.ExpireAfter())
	}
}

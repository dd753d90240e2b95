package dialog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Refresher says who refreshes the session (RFC 4028 §4).
type Refresher uint8

// Who.
const (
	Unstated Refresher = iota
	Caller             // uac: whoever sends the request
	Callee             // uas
)

func (r Refresher) String() string {
	switch r {
	case Caller:
		return "uac"
	case Callee:
		return "uas"
	}
	return ""
}

// SmallestMinSE is what no session interval may be below (RFC 4028 §4).
const SmallestMinSE = 90 * time.Second

// SessionExpires is the value of that header.
type SessionExpires struct {
	Interval  time.Duration
	Refresher Refresher
}

func (s SessionExpires) String() string {
	v := strconv.Itoa(int(s.Interval / time.Second))
	if s.Refresher != Unstated {
		v += ";refresher=" + s.Refresher.String()
	}
	return v
}

// ParseSessionExpires reads the header's value (RFC 4028 §4).
func ParseSessionExpires(s string) (SessionExpires, error) {
	value, params, _ := strings.Cut(s, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
	if err != nil {
		return SessionExpires{}, fmt.Errorf("Session-Expires: %w", err)
	}
	out := SessionExpires{Interval: time.Duration(n) * time.Second}
	for _, p := range strings.Split(params, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(k, "refresher") {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "uac":
			out.Refresher = Caller
		case "uas":
			out.Refresher = Callee
		default:
			return SessionExpires{}, fmt.Errorf("Session-Expires: refresher %q", v)
		}
	}
	return out, nil
}

// SessionPolicy is what we want of session timers.
type SessionPolicy struct {
	Interval time.Duration // 0: we ask for none, but take part in one
	MinSE    time.Duration // what we take at least; 0: SmallestMinSE
}

// Floor is the shortest interval we take.
func (p SessionPolicy) Floor() time.Duration {
	if p.MinSE <= 0 {
		return SmallestMinSE
	}
	return p.MinSE
}

// TooBrief is returned where the interval asked for is below our minimum: the
// request is answered with 422 and Min-SE (RFC 4028 §6).
type TooBrief struct{ MinSE time.Duration }

func (e TooBrief) Error() string {
	return fmt.Sprintf("session interval is below the minimum of %s", e.MinSE)
}

// SessionTimer is the timer in force on a dialog.
type SessionTimer struct {
	Interval time.Duration // 0: none
	// Ours: we refresh; otherwise the far side does.
	Ours bool
}

// RefreshAfter is when the refresher sends its request (RFC 4028 §10 suggests half).
func (t SessionTimer) RefreshAfter() time.Duration { return t.Interval / 2 }

// ExpireAfter is when the other side gives up: BYE is sent shortly before the
// session expires, min(32 s, a third) ahead (RFC 4028 §10).
func (t SessionTimer) ExpireAfter() time.Duration {
	return t.Interval - min(32*time.Second, t.Interval/3)
}

// AnswerTimer decides as a UAS on a request's Session-Expires (nil: it has
// none) and Supported: timer (RFC 4028 §9). The returned header value is nil
// where the response carries none; require says that Require: timer goes with it.
func AnswerTimer(asked *SessionExpires, minSE time.Duration, peerSupports bool, p SessionPolicy) (t SessionTimer, h *SessionExpires, require bool, err error) {
	floor := p.Floor()
	if asked != nil && asked.Interval < floor {
		if peerSupports { // §9: 422 only to those who understand it
			return t, nil, false, TooBrief{floor}
		}
		asked = &SessionExpires{Interval: floor, Refresher: asked.Refresher}
	}
	switch {
	case asked == nil && p.Interval == 0:
		return t, nil, false, nil
	case asked == nil:
		h = &SessionExpires{Interval: max(p.Interval, floor, minSE)}
	default:
		h = &SessionExpires{Interval: asked.Interval, Refresher: asked.Refresher}
		if p.Interval > 0 { // may be reduced, not below Min-SE
			h.Interval = max(min(asked.Interval, p.Interval), floor, minSE)
		}
	}
	switch { // Table 2
	case !peerSupports:
		h.Refresher = Callee
	case h.Refresher == Unstated:
		h.Refresher = Caller
	}
	t = SessionTimer{Interval: h.Interval, Ours: h.Refresher == Callee}
	return t, h, peerSupports && h.Refresher == Caller, nil
}

// AcceptTimer reads as a UAC the Session-Expires of a 2xx (nil: it has none)
// to a request in which we asked for the interval (RFC 4028 §7.2).
func AcceptTimer(got *SessionExpires, asked time.Duration) SessionTimer {
	if got == nil {
		// The far side knows no timers: we refresh alone if we wanted one.
		return SessionTimer{Interval: asked, Ours: true}
	}
	return SessionTimer{Interval: got.Interval, Ours: got.Refresher != Callee}
}

package h323

import (
	"errors"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/q931"
)

// answering is the set-up of an incoming call: the called side of a SETUP.
type answering struct {
	setup   *callsig.Message
	pending bool // counted among the unanswered
	digits  string
	more    bool        // they may go on
	waiting func(error) // of an Accept

	fast     [][]byte // what fast start settled, until a message has taken it along
	fastDone bool     // fast start was answered, or refused
	refused  bool     // the refusal was told
}

// tunnels reports whether we would tunnel H.245.
func (l *leg) tunnels() bool { return l.e.cfg.Tunnelling == TunnelPrefer }

// carry is what every message of ours takes along.
func (l *leg) carry() callsig.Carry {
	c := callsig.Carry{Tunnelling: l.tunnels() && l.ctl.tunnel != no, Control: l.ctl.take(), Tokens: l.secrecy.answer, Features: l.features(), Sign: l.signs()}
	if in := l.in; in != nil && len(in.fast) > 0 {
		c.FastStart, in.fast = in.fast, nil
	}
	if l.ctl.tunnel == no && l.ctl.ear != nil && l.ctl.conn == nil {
		c.H245Address = l.ctl.ours
	}
	return c
}

// write sends what was composed.
func (l *leg) write(payload []byte, err error) bool {
	if err != nil {
		l.log.Warn("message not composed", zap.Error(err))
		return false
	}
	if l.link == nil || payload == nil {
		return false
	}
	l.traceSignal(false, l.link, payload)
	l.link.send(payload)
	return true
}

// ringing: the call is not answered yet.
func (l *leg) ringing(ev event) {
	switch ev := ev.(type) {
	case gotMessage:
		if ev.m == l.in.setup {
			l.present()
			return
		}
		l.message(ev)
	case wantProgress:
		ev.reply(l.progress(ev.p))
	case wantAccept:
		l.acceptCall(ev)
	default:
		l.anywhere(ev)
	}
}

// present begins with the SETUP.
func (l *leg) present() {
	in := l.in
	m := in.setup
	l.traverse(m)
	l.ctl.learn(m)
	if m.Tunnelling == nil {
		l.ctl.tunnel = no // before version 2 there was no tunnelling
	}
	l.ctl.takes(m)
	for _, pdu := range m.Body().Setup.ParallelH245Control {
		if l.ctl.tunnel == yes {
			l.ctl.hear(pdu)
		}
	}
	dialled := m.Dialled()
	if !dialled.Complete && !l.complete(in.digits) {
		in.more = true
		l.write(l.sig.SetupAcknowledge())
		l.after(timerOverlap, l.e.cfg.Timers.Overlap)
		l.enter(l.collecting)
		return
	}
	l.proceed()
}

// complete reports whether the digits so far are a whole number.
func (l *leg) complete(digits string) bool {
	return digits != "" && (l.e.cfg.Complete != nil && l.e.cfg.Complete(digits) || strings.HasSuffix(digits, "#"))
}

// collecting: more digits are on their way (Q.931 clause 5.2.4).
func (l *leg) collecting(ev event) {
	switch ev := ev.(type) {
	case gotMessage:
		l.message(ev)
		if ev.m.Type() == q931.Information && !l.ended {
			l.collect(ev.m)
		}
	case gotTimer:
		if ev.kind == timerOverlap {
			l.proceed()
			return
		}
		l.anywhere(ev)
	default:
		l.anywhere(ev)
	}
}

// maxDigits bounds an overlapped number.
const maxDigits = 128

func (l *leg) collect(m *callsig.Message) {
	in := l.in
	if in.digits += m.Digits(); len(in.digits) > maxDigits {
		l.hangup(call.Cause{Code: call.BadRequest, Text: "the number has no end"})
		return
	}
	if m.SendingComplete() || l.complete(in.digits) {
		l.proceed()
		return
	}
	l.after(timerOverlap, l.e.cfg.Timers.Overlap)
}

// proceed takes the call and hands it to the gateway.
func (l *leg) proceed() {
	in := l.in
	l.stop(timerOverlap)
	if in.more {
		in.digits = strings.TrimSuffix(in.digits, "#")
		l.Change(func(info *call.Info) { info.Called, info.CalledURI = in.digits, in.digits })
	}
	if l.ctl.tunnel != yes && l.e.cfg.EarlyH245 && !l.ctl.theirs.IsValid() {
		l.ctl.listen()
	}
	l.write(l.sig.CallProceeding(l.carry()))
	l.ctl.dial() // early, when the SETUP told where
	l.enter(l.ringing)
	l.hand()
}

// progress sends ALERTING, or PROGRESS with media before the answer.
func (l *leg) progress(p call.Provisional) error {
	if p.EarlyMedia != nil {
		l.can = *p.EarlyMedia
		if err := l.openMedia(); err != nil {
			return err
		}
		l.write(l.sig.Progress(l.carry()))
		l.ctl.start()
		return nil
	}
	if l.sig.State() == callsig.Received {
		return nil // it rings already
	}
	l.write(l.sig.Alerting(l.carry()))
	return nil
}

// openMedia makes the control session with what we can do, and answers fast start.
func (l *leg) openMedia() error {
	if !l.agree() {
		return control.ErrEncryption
	}
	if err := l.ctl.begin(); err != nil {
		return err
	}
	in := l.in
	if in.fastDone {
		return nil
	}
	in.fastDone = true
	offered := in.setup.FastStart
	if len(offered) == 0 || l.e.cfg.FastStart == FastOff {
		return nil
	}
	in.fast = items(l.ctl.session.AnswerFastStart(time.Now(), channels(offered)))
	l.mediaChanged()
	return nil
}

// acceptCall sends CONNECT.
func (l *leg) acceptCall(wish wantAccept) {
	in := l.in
	if in.waiting != nil {
		wish.reply(errors.New("already accepted"))
		return
	}
	in.waiting = wish.reply
	l.can = wish.can
	if err := l.openMedia(); err != nil {
		l.hangup(mediaCause(err))
		return
	}
	fast := len(in.fast) > 0 || l.standing()
	if l.ctl.tunnel != yes {
		l.ctl.tunnel = no
		l.ctl.dial()
		if !l.ctl.dialled {
			l.ctl.listen()
		}
	} else {
		l.ctl.start() // its first messages go with the CONNECT
	}
	carry := l.carry()
	carry.FastRefused = len(in.setup.FastStart) > 0 && !fast
	l.write(l.sig.Connect(carry))
	l.secrecy.answer = nil // it was told
	l.leavePending()
	l.answered()
	if !fast {
		l.after(timerControl, l.e.cfg.Timers.Control)
	}
	l.enter(l.talking)
	l.settle()
}

// answered notes the time of the answer.
func (l *leg) answered() {
	l.Change(func(info *call.Info) { info.Answered = time.Now() })
}

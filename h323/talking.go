package h323

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/media/dtmf"
	"github.com/roomgate/roomgate/media/rtpconn"
)

// errNotNow is returned for wishes that need an established call.
var errNotNow = errors.New("call is not established")

// talking: the call is answered.
func (l *leg) talking(ev event) {
	switch ev := ev.(type) {
	case gotMessage:
		l.message(ev)
	case wantUpdate:
		l.can = ev.can
		ev.reply(l.ctl.session.Update(time.Now(), ev.can))
		l.ctl.schedule()
	case wantTransfer:
		ev.reply(l.transfer(ev.target))
	case wantText:
		carry := l.carry()
		carry.Display = ev.text
		if !l.write(l.sig.Information("", false, carry)) {
			ev.reply(errNotNow)
			return
		}
		ev.reply(nil)
	case wantDigit:
		ev.reply(l.ctl.session.SendDigits(time.Now(), string(ev.digit), digitDuration))
	case wantContent:
		ev.reply(ev.do(l.ctl.session, time.Now()))
		l.ctl.schedule()
	case referAnswered:
		l.refer = ""
	default:
		l.anywhere(ev)
	}
}

// digitDuration is how long a key of ours is pressed.
const digitDuration = 160 * time.Millisecond

// anywhere takes what means the same in every state.
func (l *leg) anywhere(ev event) {
	switch ev := ev.(type) {
	case wantHangup:
		l.hangup(ev.cause)
	case gotCamera:
		l.Emit(call.Event{Kind: call.CameraCommand, Camera: ev.m})
	case gotMedia:
		l.mediaEvent(ev)
	case wantKeyframe:
		if l.ctl.session != nil {
			l.ctl.session.RequestKeyframe(time.Now(), ev.role)
			l.ctl.schedule()
		}
	case wantBitrate:
		if l.ctl.session != nil {
			l.ctl.session.LimitReceive(time.Now(), ev.role, ev.bps)
			l.ctl.schedule()
		}
	case gotControl:
		l.ctl.packet(ev)
	case openedControl:
		l.ctl.opened(ev)
	case lostControl:
		l.controlLost(ev)
	case lostLink:
		l.linkLost(ev)
	case gotTimer:
		l.timedOut(ev.kind)
	default:
		l.refuseWish(ev)
	}
}

// refuseWish answers what the state has no use for.
func (l *leg) refuseWish(ev event) {
	switch ev := ev.(type) {
	case wantProgress:
		ev.reply(call.ErrEnded)
	case wantAccept:
		ev.reply(call.ErrEnded)
	case wantUpdate:
		ev.reply(errNotNow)
	case wantTransfer:
		ev.reply(errNotNow)
	case wantText:
		ev.reply(errNotNow)
	case wantDigit:
		ev.reply(errNotNow)
	case wantContent:
		ev.reply(errNotNow)
	default:
		discard(ev)
	}
}

func (l *leg) timedOut(kind timerKind) {
	switch kind {
	case timerTick:
		l.ctl.tick()
	case timerSettle:
		l.connected()
	case timerControl:
		l.noMedia()
	case timerRelease:
		l.hangup(call.Cause{Code: call.NormalClearing})
	}
}

// noMedia ends a call whose H.245 came to nothing.
func (l *leg) noMedia() {
	if l.standing() || l.ctl.session.Held() {
		return
	}
	cause := call.Cause{Code: call.Timeout, Text: "H.245 was not begun"}
	if _, known := l.ctl.session.Master(); known {
		cause = call.Cause{Code: call.IncompatibleMedia, Text: "no channel could be opened"}
	}
	l.hangup(cause)
}

// message takes a message of call signalling, in any state.
func (l *leg) message(ev gotMessage) {
	m := ev.m
	if m.Reference().Value == 0 { // it came by the call's identifier
		l.facility(m)
		return
	}
	switch l.sig.Take(m.Type()) {
	case callsig.Drop:
		return
	case callsig.Answer:
		l.write(l.sig.Status(callsig.CauseStatusEnquiry))
		return
	case callsig.Wrong:
		l.log.Debug("message in the wrong state", zap.Stringer("type", m.Type()), zap.Stringer("state", l.sig.State()))
		l.write(l.sig.Status(callsig.CauseNotCompatible))
		return
	case callsig.Take:
	}
	l.agreed(m)
	l.traverse(m)
	l.ctl.resume()
	l.hearAddresses(m)
	switch m.Type() {
	case q931.ReleaseComplete:
		l.released(m)
	case q931.Facility:
		l.facility(m)
	case q931.Information:
		if d := m.Digits(); d != "" && l.sig.State() == callsig.Active {
			l.pressed(d) // keys during the call, as gateways of the telephone network send them
		}
	case q931.CallProceeding, q931.Alerting, q931.Progress, q931.Connect, q931.SetupAcknowledge:
		l.progressed(m)
	}
}

// hearAddresses takes what any message may say about H.245.
func (l *leg) hearAddresses(m *callsig.Message) {
	l.ctl.learn(m)
	l.ctl.takes(m)
	l.ctl.dial()
}

// pressed reports keys that signalling told of.
func (l *leg) pressed(digits string) {
	for _, d := range digits {
		if !strings.ContainsRune("0123456789*#ABCD", d) {
			continue
		}
		if l.keys.Press(d, dtmf.FromSignalling, time.Now()) {
			l.Emit(call.Event{Kind: call.Keypad, Digit: d})
		}
	}
}

// facility takes a FACILITY (H.225.0 clause 7.3.5).
func (l *leg) facility(m *callsig.Message) {
	f := m.Body().Facility
	if f == nil {
		return // empty: H.245 was in it
	}
	if m.Reference().Value == 0 {
		l.hearAddresses(m)
	}
	l.log.Debug("facility", zap.String("reason", reasonOf(f.Reason)))
	switch {
	case f.Reason.CallForwarded, f.Reason.RouteCallToGatekeeper, f.Reason.RouteCallToMC:
		l.redirected(f)
	case f.Reason.StartH245:
		l.startH245()
	case f.Reason.NoH245:
		l.log.Debug("the far side has no H.245")
	}
}

// startH245 obeys the wish for a control channel: on the connection it named, or
// one that we listen for.
func (l *leg) startH245() {
	if l.ctl.session == nil || l.ctl.tunnel == yes || l.ctl.conn != nil || l.ctl.dialled {
		return
	}
	l.ctl.tunnel = no
	if l.ctl.listen().IsValid() {
		l.write(l.sig.Facility(callsig.FacilityOptions{Reason: h225.FacilityReason{StartH245: true}}, l.carry()))
	}
}

// redirected takes the wish to be called elsewhere: an outgoing call that is not
// answered follows it, an answered one asks the gateway.
func (l *leg) redirected(f *h225.Facility) {
	at, _ := alias.AddrPort(f.AlternativeAddress)
	names := alias.Texts(f.AlternativeAliasAddress)
	name := ""
	if len(names) > 0 {
		name = names[0]
	}
	if !at.IsValid() && name == "" {
		return
	}
	if l.out != nil && l.sig.State() != callsig.Active {
		l.follow(Way{Address: at, Alias: name})
		return
	}
	to := "h323:" + name
	if at.IsValid() {
		to = "h323:" + strings.TrimPrefix(name+"@", "@") + at.String()
	}
	if l.refer != "" {
		return // one at a time
	}
	l.refer = to
	l.Emit(call.Event{Kind: call.Referred, Refer: &call.Refer{
		To: to,
		Accept: func() func(call.Cause) {
			l.post(referAnswered{})
			return func(call.Cause) {} // H.225.0 has no way to tell the outcome
		},
		Refuse: func(call.Cause) { l.post(referAnswered{}) },
	}})
}

// transfer asks the far side to call elsewhere.
func (l *leg) transfer(target string) error {
	if l.link == nil {
		return errNotNow
	}
	name, host := alias.Split(target)
	o := callsig.FacilityOptions{Reason: h225.FacilityReason{CallForwarded: true}}
	if host != "" {
		at, err := address(l.life, host)
		if err != nil {
			return err
		}
		o.Address = at
	}
	if name != "" {
		o.Aliases = []h225.AliasAddress{alias.Of(name)}
	}
	if !l.write(l.sig.Facility(o, l.carry())) {
		return fmt.Errorf("transfer to %s: %w", target, errNotNow)
	}
	return nil
}

// hangup ends the call from our side.
func (l *leg) hangup(cause call.Cause) {
	if l.ended {
		return
	}
	if l.ctl.session != nil {
		l.ctl.session.Close(time.Now())
	}
	if l.sig != nil && l.link != nil && l.sig.State() != callsig.Null {
		l.write(l.sig.ReleaseComplete(cause, l.carry()))
	}
	l.end(cause)
}

// released: the far side ended the call.
func (l *leg) released(m *callsig.Message) {
	cause := m.Cause()
	if l.out != nil && l.attemptFailed(cause) {
		return
	}
	if l.in != nil && l.in.pending && cause.Code == call.NormalClearing {
		cause.Code = call.Cancelled
	}
	l.end(cause)
}

// linkLost: without its signalling connection a call goes on only if H.245 has one
// of its own (H.323 clause 8.1.1 lets it be closed after CONNECT).
func (l *leg) linkLost(ev lostLink) {
	if ev.link != l.link {
		return
	}
	if l.sig.State() == callsig.Active && l.ctl.conn != nil && l.ctl.tunnel == no {
		l.log.Info("the far side closed the signalling connection; H.245 goes on")
		l.leaveLink()
		return
	}
	cause := call.Cause{Code: call.Failure, Text: "the signalling connection is gone"}
	if l.out != nil && l.attemptFailed(cause) {
		return
	}
	if l.in != nil && l.in.pending {
		cause = call.Cause{Code: call.Cancelled}
	}
	l.end(cause)
}

// controlLost: without signalling the end of H.245 is the end of the call.
func (l *leg) controlLost(ev lostControl) {
	if !l.ctl.lost(ev) {
		return
	}
	if l.link == nil {
		l.end(call.Cause{Code: call.NormalClearing})
	}
}

func (l *leg) mediaEvent(ev gotMedia) {
	switch ev.ev.Kind {
	case rtpconn.Keypad:
		if ev.ev.Digit == '!' {
			return // a hook flash is no key
		}
		if l.keys.Press(ev.ev.Digit, dtmf.FromMedia, time.Now()) {
			l.Emit(call.Event{Kind: call.Keypad, Digit: ev.ev.Digit})
		}
	case rtpconn.TimedOut:
		if l.silent() {
			l.hangup(call.Cause{Code: call.MediaTimeout})
		}
	}
}

// silent reports whether no medium that is to receive does: a camera that is
// switched off must not end a call whose sound flows.
func (l *leg) silent() bool {
	now := time.Now()
	for _, s := range l.Stats() {
		if !s.Sent && !s.LastSeen.IsZero() && now.Sub(s.LastSeen) < l.e.cfg.MediaTimeout {
			return false
		}
	}
	return true
}

// tunnelControl sends what H.245 has to say in a message of its own.
func (l *leg) tunnelControl() {
	if l.link == nil || l.sig.State() == callsig.Null || l.sig.State() == callsig.Released {
		return
	}
	l.write(l.sig.Tunnel(callsig.Carry{Tunnelling: true, Control: l.ctl.take(), Sign: l.signs()}))
}

package h323

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/h323/q931"
)

// calling is the set-up of an outgoing call: the calling side of a SETUP. One way is
// tried after the other; attempt counts them.
type calling struct {
	target  call.Target
	ways    []Way
	tried   map[string]bool // against loops of redirects
	attempt int
	way     Way
	// of the attempt
	callID, conference [16]byte
	reference          uint16

	cause   call.Cause // of the attempt that got furthest
	rang    bool
	early   bool // EarlyMedia was emitted
	offered bool // fast start, without an answer yet
	fast    bool // fast start was taken
}

// maxWays bounds what redirects and directories can make us try.
const maxWays = 10

// placeCall is the first event of an outgoing leg.
type placeCall struct{ list []destination }

// calling: no CONNECT has come yet.
func (l *leg) calling(ev event) {
	switch ev := ev.(type) {
	case placeCall:
		l.place(ev)
	case gotRoutes:
		l.out.ways, l.out.cause = ev.ways, ev.cause
		l.next()
	case gotLink:
		l.linked(ev)
	case gotMessage:
		if ev.link == l.link {
			l.message(ev)
		}
	case wantHangup:
		l.hangup(ev.cause)
	case gotTimer:
		l.callingTimer(ev)
	default:
		l.anywhere(ev)
	}
}

func (l *leg) place(p placeCall) {
	timeout := l.out.target.Timeout
	if timeout <= 0 {
		timeout = l.e.cfg.AnswerTimeout
	}
	l.after(timerAnswer, timeout)
	l.task(func() {
		ways, cause := l.e.ways(l.life, p.list)
		l.post(gotRoutes{ways, cause})
	})
}

func (l *leg) callingTimer(ev gotTimer) {
	switch ev.kind {
	case timerAnswer: // T301, or nobody was reached in all that time
		code := call.Timeout
		if l.out.rang {
			code = call.NoAnswer
		}
		l.hangup(call.Cause{Code: code})
	case timerSetup, timerProceeding: // Q.931 clause 5.1.1: cleared with cause 102
		cause := call.Cause{Code: call.Timeout, Text: "no answer to SETUP"}
		l.dropAttempt(cause)
		if !l.attemptFailed(cause) {
			l.end(cause)
		}
	default:
		l.timedOut(ev.kind)
	}
}

// next tries the next way, or gives up.
func (l *leg) next() {
	out := l.out
	for len(out.ways) > 0 {
		way := out.ways[0]
		out.ways = out.ways[1:]
		id := way.Alias + "@" + way.Address.String()
		if out.tried[id] || len(out.tried) >= maxWays {
			continue
		}
		out.tried[id] = true
		l.try(way)
		return
	}
	if out.cause.Code == "" {
		out.cause.Code = call.Unavailable
	}
	l.end(out.cause)
}

// try opens a signalling connection for one way.
func (l *leg) try(way Way) {
	l.out.attempt++
	l.out.way = way
	attempt := l.out.attempt
	// Never fails: crypto/rand ends the process instead.
	rand.Read(l.out.callID[:])
	l.e.cfg.Trace.Bind(traceKey(l.out.callID), l.Info().ID)
	rand.Read(l.out.conference[:])
	l.out.reference = newReference()
	want := l.admission(way)
	l.task(func() {
		patience := l.e.cfg.Timers.Connect
		if way.Reverse != nil || way.home != nil {
			patience = l.e.cfg.Timers.Setup // it is asked over UDP, and may have to be asked again
		}
		ctx, cancel := context.WithTimeout(l.life, patience)
		defer cancel()
		k, err := l.e.reach(ctx, way, want)
		if !l.post(gotLink{attempt, k, err}) && k != nil {
			k.drop()
			if way.home != nil {
				way.home.release(want.ID)
			}
		}
	})
}

// linked takes a signalling connection, and sends SETUP on it.
func (l *leg) linked(ev gotLink) {
	if ev.attempt != l.out.attempt || l.link != nil {
		discard(ev)
		return
	}
	if ev.err != nil {
		cause := call.Cause{Code: call.Unavailable, Text: ev.err.Error()}
		if errors.Is(ev.err, os.ErrDeadlineExceeded) || errors.Is(ev.err, context.DeadlineExceeded) {
			cause.Code = call.Timeout
		}
		if l.out.way.home != nil {
			cause = refusal(ev.err)
		}
		if !l.attemptFailed(cause) {
			l.end(cause)
		}
		return
	}
	l.link = ev.link
	l.sig = &callsig.Call{Caller: true, Self: selfAs(&l.e.cfg, l.terminalType()), CallID: l.out.callID, ConferenceID: l.out.conference}
	l.home = l.out.way.home
	var ok bool
	if l.sig.Reference, ok = l.link.place(l, l.out.reference); !ok {
		l.link = nil
		if !l.attemptFailed(call.Cause{Code: call.Unavailable, Text: net.ErrClosed.Error()}) {
			l.end(l.out.cause)
		}
		return
	}
	l.Change(func(info *call.Info) { info.Remote.Address = l.link.remote() })
	l.media.face(l.e.towards(l.link.remote().Addr()), l.link.remote().Addr())
	if err := l.setup(); err != nil {
		l.log.Warn("call not placed", zap.Error(err))
		l.end(mediaCause(err))
	}
}

// setup sends the SETUP.
func (l *leg) setup() error {
	out, cfg := l.out, &l.e.cfg
	if err := l.ctl.begin(); err != nil {
		return err
	}
	l.e.remember(l.sig.CallID, l)
	if l.offersTraversal() && !cfg.Traversal.Client {
		l.media.traversal.Enable(h460.MediaFeature{}) // as it has registered; its answer tells more
	}
	carry := callsig.Carry{Tunnelling: l.tunnels(), Features: l.features(), Sign: l.signs()}
	if l.encryption() != EncryptOff {
		carry.Tokens = l.secrecy.offer()
	}
	o := callsig.SetupOptions{
		From: l.from(), Destination: l.link.remote(), Source: l.e.signalling(l.media.net),
		Rate: rate(l),
	}
	if h := out.way.home; h != nil {
		_, o.EndpointID = h.now()
	}
	if out.way.Alias != "" {
		o.Called = []h225.AliasAddress{alias.Of(out.way.Alias)}
	}
	if !l.tunnels() {
		l.ctl.tunnel = no
	}
	if cfg.FastStart == FastOn {
		carry.FastStart = items(l.ctl.session.OfferFastStart())
		out.offered = len(carry.FastStart) > 0
	}
	if cfg.EarlyH245 && !l.secrecy.open() {
		l.early(&o, &carry)
	}
	carry.Display = l.displayName()
	if !l.write(l.sig.Setup(o, carry)) {
		return errNotNow
	}
	l.after(timerSetup, cfg.Timers.Setup)
	return nil
}

// early begins H.245 with the SETUP: in it, or by an address in it.
func (l *leg) early(o *callsig.SetupOptions, carry *callsig.Carry) {
	if !l.tunnels() {
		carry.H245Address = l.ctl.listen()
		return
	}
	l.ctl.start()
	list := l.ctl.outbox
	l.ctl.outbox = nil
	if len(carry.FastStart) > 0 {
		o.Parallel = list // H.323 clause 8.2.4
	} else {
		carry.Control = list
	}
	l.ctl.hasty = list
}

// from are our aliases in a call.
func (l *leg) from() (list []h225.AliasAddress) {
	t := &l.out.target
	name := t.From
	if name == "" {
		name = l.e.cfg.Aliases[0]
	}
	list = append(list, alias.Of(name))
	if t.FromName != "" && t.FromName != name {
		list = append(list, alias.ID(t.FromName))
	}
	return list
}

func (l *leg) displayName() string {
	if name := l.out.target.FromName; name != "" {
		return name
	}
	if name := l.out.target.From; name != "" {
		return name
	}
	return l.e.cfg.Aliases[0]
}

// rate is the bit rate of the call that the bearer capability tells.
func rate(l *leg) int {
	if len(l.can.Video) == 0 {
		return 64000
	}
	if l.can.Rate > 0 {
		return l.can.Rate
	}
	return max(l.can.MaxVideo, 384000)
}

// progressed takes an answer to our SETUP.
func (l *leg) progressed(m *callsig.Message) {
	l.learnProduct(m)
	l.stop(timerSetup)
	l.fastAnswer(m)
	switch m.Type() {
	case q931.CallProceeding, q931.SetupAcknowledge:
		l.after(timerProceeding, l.e.cfg.Timers.Proceeding)
		if m.Type() == q931.SetupAcknowledge { // it has no more digits to get
			l.write(l.sig.Information("", true, l.carry()))
		}
	case q931.Alerting:
		l.stop(timerProceeding)
		if !l.out.rang {
			l.out.rang = true
			l.Emit(call.Event{Kind: call.Ringing})
		}
	case q931.Connect:
		l.connectCame(m)
	}
}

// learnProduct notes who answers.
func (l *leg) learnProduct(m *callsig.Message) {
	if focus(m.Endpoint) {
		l.Change(func(info *call.Info) { info.Remote.Focus = true })
	}
	agent := userAgent(m.Endpoint)
	if agent == "" {
		return
	}
	l.Change(func(info *call.Info) {
		info.Remote.UserAgent, info.Remote.Product = agent, product(m.Endpoint)
		if name := m.Display(); name != "" && m.Type() == q931.Connect {
			info.Remote.Name = name
		}
	})
}

// fastAnswer takes the answer to our fast start, which any message up to CONNECT may
// carry (H.323 clause 8.1.7.1).
func (l *leg) fastAnswer(m *callsig.Message) {
	out := l.out
	switch {
	case !out.offered:
		return
	case len(m.FastStart) > 0:
		out.offered = false
		if err := l.ctl.session.AcceptFastStart(time.Now(), channels(m.FastStart)); err != nil {
			l.log.Info("the answer to fast start is of no use", zap.Error(err))
			return
		}
		out.fast = true
		l.mediaChanged()
	case m.FastRefused, m.Type() == q931.Connect:
		out.offered = false
		l.ctl.session.RefuseFastStart()
	}
}

// connectCame: the call is answered.
func (l *leg) connectCame(m *callsig.Message) {
	l.stop(timerProceeding)
	l.stop(timerAnswer)
	if l.encryption() == EncryptRequire && l.secrecy.secret == nil {
		l.hangup(errPlain())
		return
	}
	l.answered()
	l.enter(l.talking)
	switch {
	case l.ctl.tunnel == yes:
		l.ctl.start()
	case l.ctl.conn != nil || l.ctl.dialled || l.ctl.ear != nil: // it is on its way
	case l.out.fast && !m.H245Address.IsValid(): // media stands; H.245 comes when either wants it
	default:
		l.startH245()
	}
	if !l.out.fast {
		l.after(timerControl, l.e.cfg.Timers.Control)
	}
	l.settle()
}

// dropAttempt ends the signalling of one attempt.
func (l *leg) dropAttempt(cause call.Cause) {
	if l.link != nil {
		l.write(l.sig.ReleaseComplete(cause, callsig.Carry{Tunnelling: l.tunnels(), Sign: l.signs()}))
	}
}

// attemptFailed goes on with the next way; false when there is none, or the call was
// answered: then the call is over.
func (l *leg) attemptFailed(cause call.Cause) bool {
	if !l.Info().Answered.IsZero() {
		return false
	}
	out := l.out
	if out.cause.Code == "" || out.cause.Code == call.UnknownAlias || out.cause.Code == call.Unavailable {
		out.cause = cause
	}
	if len(out.ways) == 0 {
		return false
	}
	switch cause.Code {
	case call.Rejected, call.Unauthorized, call.EncryptionRequired, call.IncompatibleMedia:
		return false // the user, or what we can do, decided
	}
	l.renew()
	l.next()
	return true
}

// renew forgets the signalling of an attempt, so that another can begin.
func (l *leg) renew() {
	l.leaveLink()
	l.ctl.reset()
	l.sig = nil
	l.out.offered, l.out.fast = false, false
	for _, k := range []timerKind{timerSetup, timerProceeding, timerTick, timerControl, timerRelease} {
		l.stop(k)
	}
}

// follow goes where a FACILITY sends a call that is not answered.
func (l *leg) follow(way Way) {
	out := l.out
	if way.Alias == "" {
		way.Alias = out.way.Alias
	}
	l.dropAttempt(call.Cause{Code: call.Transferred})
	l.renew()
	l.log.Info("call redirected", zap.String("to", way.Alias), zap.Stringer("address", way.Address))
	if way.Address.IsValid() {
		out.ways = append([]Way{way}, out.ways...)
		l.next()
		return
	}
	l.task(func() {
		ways, cause := l.e.ways(l.life, []destination{{alias: way.Alias}})
		l.post(gotRoutes{append(ways, out.ways...), cause})
	})
}

package h323

import (
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/face"
	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/media"
)

// controlEvent takes what happened in H.245. It is called on the leg's goroutine.
func (l *leg) controlEvent(ev control.Event) {
	switch ev := ev.(type) {
	case control.MediaChanged:
		l.mediaChanged()
	case control.Established:
		l.settle()
	case control.Paused:
		l.mediaChanged()
	case control.KeyframeRequested:
		l.Refresh(ev.Role)
	case control.Digit:
		l.pressed(string(ev.Digit))
	case control.Product:
		l.named(ev)
	case control.TokenRequested, control.TokenGranted, control.TokenDenied, control.TokenLost, control.TokenTaken, control.TokenReleased:
		l.Emit(call.Event{Kind: contentKind(ev)})
	case control.Disconnected:
		if l.link == nil {
			l.hangupSoon(call.Cause{Code: call.NormalClearing})
			return
		}
		l.after(timerRelease, releasePatience) // RELEASE COMPLETE says why
	case control.Silent:
		l.log.Info("H.245 is not answered any more")
	case control.Failed:
		l.failed(ev.Err)
	}
}

// releasePatience is how long the RELEASE COMPLETE may come after the endSession.
const releasePatience = 2 * time.Second

// failed: H.245 cannot go on.
func (l *leg) failed(err error) {
	l.log.Info("H.245 failed", zap.Error(err))
	if l.standing() {
		return // fast start has given media that needs no H.245
	}
	l.hangupSoon(mediaCause(err))
}

// hangupSoon ends the call when the step that is under way is over.
func (l *leg) hangupSoon(cause call.Cause) { _ = l.Hangup(cause) }

// named completes what is known of the far side's product.
func (l *leg) named(p control.Product) {
	l.Change(func(info *call.Info) {
		if info.Remote.UserAgent == "" {
			info.Remote.UserAgent = p.Product
		}
	})
}

// standing reports whether any medium stands.
func (l *leg) standing() bool {
	return l.ctl.session != nil && len(l.ctl.session.Media()) > 0
}

// followCamera keeps the conversation about cameras on the channel that stands for it.
func (l *leg) followCamera() {
	m, conn := l.ctl.session.Medium(media.Camera), l.media.Get(media.Camera)
	if m == nil || conn == nil || !m.Stream.Direction.Sends() {
		l.Follow(nil)
		return
	}
	l.Follow(conn)
}

// mediaChanged puts what stands into force and tells the gateway.
func (l *leg) mediaChanged() {
	if l.ended || l.ctl.session == nil {
		return
	}
	list, held := l.ctl.session.Media(), l.ctl.session.Held()
	if err := l.media.apply(list, held); err != nil {
		l.log.Warn("media not applied", zap.Error(err))
	}
	stands := face.Agreement{Encryption: "none", Held: held}
	l.followCamera()
	for i, m := range list {
		if m.Stream.Role == media.Camera {
			continue
		}
		stands.Streams = append(stands.Streams, m.Stream)
		if i == 0 || m.Stream.Encryption == "none" {
			stands.Encryption = m.Stream.Encryption
		}
		if m.Stream.Role == media.Main {
			stands.MaxVideo = m.Stream.MaxSend
		}
	}
	l.Agreed(stands, l.told)
	if len(list) > 0 {
		l.stop(timerControl)
	}
	if out := l.out; out != nil && !out.early && len(list) > 0 && l.Info().Answered.IsZero() {
		out.early = true
		l.Emit(call.Event{Kind: call.EarlyMedia})
	}
	if !l.told {
		l.settle()
	}
}

// Channels open one after another. The gateway is told when all that are wanted
// stand, or none came for a moment.
const (
	settleMedia   = 40 * time.Millisecond // after the first channel
	settleNothing = 3 * time.Second       // after the answer
)

// settle tells that the call stands as soon as its media does.
func (l *leg) settle() {
	if l.told || l.ended || l.Info().Answered.IsZero() {
		return
	}
	switch {
	case l.whole() || l.ctl.session.Held():
		l.connected()
	case l.standing():
		if !l.timers[timerSettle].Running() || !l.settling() {
			l.after(timerSettle, settleMedia)
		}
	case !l.timers[timerSettle].Running():
		l.after(timerSettle, settleNothing)
	}
}

// settling notes that the short wait has begun; false the first time.
func (l *leg) settling() bool {
	was := l.brief
	l.brief = true
	return was
}

// whole reports whether all that we can do stands in both directions.
func (l *leg) whole() bool {
	for role, formats := range [][]media.Format{l.can.Audio, l.can.Video} {
		if len(formats) == 0 {
			continue
		}
		m := l.ctl.session.Medium(media.Role(role))
		if m == nil || m.Stream.Direction != media.SendRecv {
			return false
		}
	}
	return true
}

// connected tells the gateway that the call stands.
func (l *leg) connected() {
	if l.told || l.ended {
		return
	}
	l.stop(timerSettle)
	l.told = true
	l.Connected()
	if l.in != nil && l.in.waiting != nil {
		l.in.waiting(nil)
		l.in.waiting = nil
	}
}

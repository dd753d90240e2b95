package terminal

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
)

// presenting is how the terminal fares with the right to present.
type presenting struct {
	asked   time.Time
	granted bool
	report  *PresentingReport
}

// presents reports whether the terminal has something to present.
func (p *prepared) presents() bool { return p.Content != "none" && p.Content != "off" }

// present asks for the right to present. Adding a second video may take as long as
// the far side takes to answer, so it is not waited for here.
func (v *visit) present(ctx context.Context) {
	v.presenting.asked = time.Now()
	v.presenting.report = &PresentingReport{State: "asked", GrantedMS: -1}
	v.token(func(h call.ContentHolder) error { return h.RequestContent(ctx) }, func() { v.presenting.report.State = "refused" })
}

// yield stops presenting.
func (v *visit) yield(ctx context.Context) {
	if !v.presenting.granted {
		return
	}
	v.token(func(h call.ContentHolder) error { return h.ReleaseContent(ctx) }, func() {})
	v.presented(ctx, false, "released")
}

// token does something about the right to present, where there is such a thing.
func (v *visit) token(do func(call.ContentHolder) error, failed func()) {
	h, ok := v.leg.(call.ContentHolder)
	if !ok {
		failed()
		return
	}
	if err := do(h); err != nil {
		v.log.Info("the right to present", zap.Error(err))
		failed()
	}
}

// presentation follows the right to present. Whoever asks for it may have it.
func (v *visit) presentation(ctx context.Context, kind call.EventKind) {
	switch kind {
	case call.ContentRequested:
		v.token(func(h call.ContentHolder) error { return h.AnswerContent(ctx, true) }, func() {})
	case call.ContentGranted:
		if r := v.presenting.report; r != nil {
			r.GrantedMS = time.Since(v.presenting.asked).Milliseconds()
		}
		v.presented(ctx, true, "granted")
		if v.ContentFor > 0 {
			v.yieldAt = time.After(v.ContentFor)
		}
	case call.ContentRefused:
		v.log.Info("presentation denied")
		v.presented(ctx, false, "refused")
	case call.ContentLost:
		v.log.Info("presentation lost")
		v.presented(ctx, false, "lost")
	}
}

func (v *visit) presented(ctx context.Context, granted bool, state string) {
	v.presenting.granted = granted
	if v.presenting.report != nil {
		v.presenting.report.State = state
	}
	if !granted {
		v.yieldAt = nil
	}
	v.send(ctx)
}

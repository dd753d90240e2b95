package h323

import (
	"context"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/face"
	"github.com/roomgate/roomgate/h323/control"
)

// RequestContent implements call.ContentHolder by the token of H.239.
func (l *leg) RequestContent(ctx context.Context) error {
	return l.content(ctx, func(s *control.Session, now time.Time) error { return s.RequestToken(now) })
}

// ReleaseContent implements call.ContentHolder.
func (l *leg) ReleaseContent(ctx context.Context) error {
	return l.content(ctx, func(s *control.Session, now time.Time) error {
		s.ReleaseToken(now)
		return nil
	})
}

// AnswerContent implements call.ContentHolder.
func (l *leg) AnswerContent(ctx context.Context, grant bool) error {
	return l.content(ctx, func(s *control.Session, now time.Time) error {
		s.AnswerToken(now, grant)
		return nil
	})
}

// content has the leg's goroutine do something about the token.
func (l *leg) content(ctx context.Context, do func(*control.Session, time.Time) error) error {
	return face.Ask(ctx, l.Leg, l.mail, func(reply func(error)) event { return wantContent{do, reply} })
}

// contentKind is what an event of the token means to the gateway.
func contentKind(ev control.Event) call.EventKind {
	switch ev.(type) {
	case control.TokenRequested:
		return call.ContentRequested
	case control.TokenGranted:
		return call.ContentGranted
	case control.TokenDenied:
		return call.ContentRefused
	case control.TokenLost:
		return call.ContentLost
	case control.TokenTaken:
		return call.ContentStarted
	}
	return call.ContentStopped
}

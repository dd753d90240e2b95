package sip

import (
	"context"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// The side of a leg that the gateway sees: call.Leg and the optional abilities.

// Publish implements media.Peer.
func (l *leg) Publish(ctx context.Context, t media.Track) (func(), error) {
	if conn := l.media.Get(t.Role()); conn != nil {
		return l.PublishTo(ctx, conn, t)
	}
	return l.PublishTo(ctx, nil, t)
}

// Progress implements call.Leg.
func (l *leg) Progress(ctx context.Context, p call.Provisional) error {
	return l.ask(ctx, func(reply func(error)) event { return wantProgress{p, reply} })
}

// Accept implements call.Leg.
func (l *leg) Accept(ctx context.Context, can media.Capabilities) error {
	return l.ask(ctx, func(reply func(error)) event { return wantAccept{can, reply} })
}

// Update implements call.Leg.
func (l *leg) Update(ctx context.Context, can media.Capabilities) error {
	return l.ask(ctx, func(reply func(error)) event { return wantUpdate{can, reply} })
}

// Transfer implements call.Transferrer: REFER, and its outcome.
func (l *leg) Transfer(ctx context.Context, target string) error {
	return l.ask(ctx, func(reply func(error)) event { return wantTransfer{target, reply} })
}

// ShowText implements call.TextShower by MESSAGE within the dialog.
func (l *leg) ShowText(ctx context.Context, text string) error {
	return l.ask(ctx, func(reply func(error)) event { return wantText{text, reply} })
}

// SendDigits implements call.DigitSender: RFC 4733 events where they were
// agreed on, INFO otherwise.
func (l *leg) SendDigits(ctx context.Context, digits string) error {
	signal := func(d rune) error {
		return l.ask(ctx, func(reply func(error)) event { return wantDigit{d, reply} })
	}
	if conn := l.media.Get(media.Audio); conn != nil {
		return l.SendDigitsBy(ctx, digits, conn, signal)
	}
	return l.SendDigitsBy(ctx, digits, nil, signal)
}

// Stats implements call.StatsReporter.
func (l *leg) Stats() []media.StreamStats { return l.media.Stats() }

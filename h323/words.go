package h323

import (
	"context"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// The side of a leg that the gateway sees: call.Leg and the optional abilities.

// Info implements call.Leg.
func (l *leg) Info() call.Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	info := l.info
	info.Streams = append([]media.Stream(nil), info.Streams...)
	return info
}

// Tracks implements media.Peer.
func (l *leg) Tracks() <-chan media.Track { return l.tracks }

// Done implements media.Peer.
func (l *leg) Done() <-chan struct{} { return l.done }

// Publish implements media.Peer: one track per role, in place of the last.
func (l *leg) Publish(ctx context.Context, t media.Track) (func(), error) {
	conn := l.media.get(t.Role())
	if conn == nil {
		select {
		case <-l.done:
			return nil, call.ErrEnded
		default:
			return nil, call.ErrNoCommonMedia
		}
	}
	unpublish, err := conn.Publish(ctx, t)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.published[t.Role()] = t
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		if l.published[t.Role()] == t {
			l.published[t.Role()] = nil
		}
		l.mu.Unlock()
		unpublish()
	}, nil
}

// refresh passes a wish for a picture on to what is published in a role.
func (l *leg) refresh(role media.Role) {
	l.mu.Lock()
	t := l.published[role]
	l.mu.Unlock()
	if t != nil {
		t.RequestKeyframe()
	}
}

// Events implements call.Leg.
func (l *leg) Events() <-chan call.Event { return l.events }

// Hangup implements call.Leg.
func (l *leg) Hangup(cause call.Cause) error {
	select {
	case l.bye <- cause:
	default: // an earlier wish is on its way
	}
	return nil
}

// Progress implements call.Leg: ALERTING, or PROGRESS with media.
func (l *leg) Progress(ctx context.Context, p call.Provisional) error {
	return l.ask(ctx, func(reply func(error)) event { return wantProgress{p, reply} })
}

// Accept implements call.Leg: CONNECT, and what H.245 has to settle.
func (l *leg) Accept(ctx context.Context, can media.Capabilities) error {
	return l.ask(ctx, func(reply func(error)) event { return wantAccept{can, reply} })
}

// Update implements call.Leg: a new capability set.
func (l *leg) Update(ctx context.Context, can media.Capabilities) error {
	return l.ask(ctx, func(reply func(error)) event { return wantUpdate{can, reply} })
}

// Transfer implements call.Transferrer: the far side is asked to call elsewhere
// (FACILITY callForwarded).
func (l *leg) Transfer(ctx context.Context, target string) error {
	return l.ask(ctx, func(reply func(error)) event { return wantTransfer{target, reply} })
}

// ShowText implements call.TextShower by INFORMATION with a display element.
func (l *leg) ShowText(ctx context.Context, text string) error {
	return l.ask(ctx, func(reply func(error)) event { return wantText{text, reply} })
}

// SendDigits implements call.DigitSender: RFC 4733 events where they were agreed
// on, UserInputIndication otherwise.
func (l *leg) SendDigits(ctx context.Context, digits string) error {
	if conn := l.media.get(media.Audio); conn != nil {
		for _, s := range l.Info().Streams {
			if s.Role == media.Audio && s.Keypad {
				return conn.SendDigits(ctx, digits)
			}
		}
	}
	for _, d := range digits {
		err := l.ask(ctx, func(reply func(error)) event { return wantDigit{d, reply} })
		if err != nil {
			return err
		}
	}
	return nil
}

// Stats implements call.StatsReporter.
func (l *leg) Stats() []media.StreamStats {
	var out []media.StreamStats
	for _, c := range l.media.all() {
		out = append(out, c.Stats()...)
	}
	return out
}

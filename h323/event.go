package h323

import (
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/transport"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h224"
	"github.com/roomgate/roomgate/media/rtpconn"
)

// state is one state of a leg: what to do about an event. The states are the methods
// collecting, ringing and talking for calls in, calling and talking for calls out.
// RELEASE COMPLETE has no answer, so that it ends the leg from any of them:
//
//	incoming  collecting --number--> ringing --CONNECT--> talking
//	outgoing  calling --CONNECT--> talking
//	             +--refused, or nobody there--> calling, the next way
type state func(event)

// event is something that happened to a leg: one of the types below.
type event any

type (
	// gotMessage is a message of call signalling.
	gotMessage struct {
		link *link
		m    *callsig.Message
	}
	// lostLink: the signalling connection is gone.
	lostLink struct {
		link *link
		err  error
	}
	// gotLink is the outcome of opening a signalling connection for an attempt.
	gotLink struct {
		attempt int
		link    *link
		err     error
	}
	// gotRoutes is where a target leads.
	gotRoutes struct {
		ways  []Way
		cause call.Cause
	}
	// gotControl is a packet of an H.245 connection, lostControl its end, and
	// openedControl the outcome of opening one; accepted says by whom.
	gotControl struct {
		conn    *transport.Conn
		payload []byte
	}
	lostControl   struct{ conn *transport.Conn }
	openedControl struct {
		conn     *transport.Conn
		accepted bool
		err      error
	}
	// gotTimer is a timer that fired, unless it was stopped since.
	gotTimer struct {
		kind  timerKind
		round int
	}
	// gotCamera: the far side wants to move the camera it sees.
	gotCamera struct{ m h224.Message }
	// gotMedia is something that happened on a medium.
	gotMedia struct {
		role media.Role
		ev   rtpconn.Event
	}

	wantProgress struct {
		p     call.Provisional
		reply func(error)
	}
	wantAccept struct {
		can   media.Capabilities
		reply func(error)
	}
	wantUpdate struct {
		can   media.Capabilities
		reply func(error)
	}
	wantHangup   struct{ cause call.Cause }
	wantTransfer struct {
		target string
		reply  func(error)
	}
	wantText struct {
		text  string
		reply func(error)
	}
	wantDigit struct {
		digit rune
		reply func(error)
	}
	wantContent struct {
		do    func(s *control.Session, now time.Time) error
		reply func(error)
	}
	// referAnswered: the gateway has decided on a wish to be connected elsewhere.
	referAnswered struct{}
	// wantKeyframe asks for a picture by H.245.
	wantKeyframe struct{ role media.Role }
	// wantBitrate bounds what the far side sends, by H.245; 0 lifts the bound.
	wantBitrate struct {
		role media.Role
		bps  int
	}
)

// timerKind tells the timers of a leg apart; each runs at most once at a time.
type timerKind int

const (
	timerSetup      timerKind = iota // T303: no answer to SETUP
	timerProceeding                  // T310: nothing after CALL PROCEEDING
	timerOverlap                     // T302: no further digit
	timerAnswer                      // an outgoing call that nobody answers (T301)
	timerControl                     // H.245 comes to no end
	timerSettle                      // more channels may open in a moment
	timerTick                        // of H.245
	timerRelease                     // endSession came, RELEASE COMPLETE did not
	timerKinds
)

func (l *leg) after(k timerKind, d time.Duration) {
	l.timers[k].Start(d, func(round int) { l.post(gotTimer{k, round}) })
}

func (l *leg) stop(k timerKind) { l.timers[k].Stop() }

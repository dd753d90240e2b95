package sip

import (
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h224"
	"github.com/roomgate/roomgate/media/rtpconn"
	"github.com/roomgate/roomgate/sip/bfcp"
)

// state is one state of a leg: what to do about an event. The states are the
// methods ringing, answered, talking and closing for calls in, and calling,
// talking and closing for calls out:
//
//	incoming  ringing --2xx--> answered --ACK--> talking --BYE--> closing
//	             |                |                               ^
//	             +--CANCEL, 3xx-6xx +--no ACK (64*T1)---> BYE ----+
//	outgoing  calling --2xx--> talking
//	             +--CANCEL--> closing
type state func(event)

// event is something that happened to a leg: one of the types below.
type event any

type (
	// gotRequest is a request within the dialog; tx is nil for ACK.
	gotRequest struct {
		req *sipgo.Request
		tx  *sipgo.ServerTx
	}
	// gotCancel: the INVITE was cancelled; its 487 is sent already.
	gotCancel struct{}
	// gotResult is the outcome of a client transaction, for its then.
	gotResult struct{ then func() }
	// gotBranch is a response to an INVITE of ours, or its failure.
	gotBranch struct {
		b   *branch
		res *sipgo.Response
		err error
	}
	// repeatAck: a 2xx to our INVITE came again, so its ACK was lost.
	repeatAck struct{ cseq uint32 }
	// gotTimer is a timer that fired, unless it was stopped since.
	gotTimer struct {
		kind  timerKind
		round int
	}
	// gotFloor is something that happened in floor control.
	gotFloor struct{ ev bfcp.Event }
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
	// wantContent is a wish about who presents.
	wantContent struct {
		do    func(reply func(error))
		reply func(error)
	}
	wantHangup struct{ cause call.Cause }
	// wantFocus: the call is in a meeting.
	wantFocus    struct{}
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
	// wantReferAnswer is the gateway's decision on a REFER of the far side.
	wantReferAnswer struct {
		r      *referral
		accept bool
		cause  call.Cause
	}
	// wantNotify reports the outcome of an accepted REFER.
	wantNotify struct {
		r     *referral
		cause call.Cause
	}
	// wantKeyframe asks for a picture by INFO (RFC 5168).
	wantKeyframe struct{}
)

// timerKind tells the timers of a leg apart; each runs at most once at a time.
type timerKind int

const (
	timerRetransmit timerKind = iota // of a 2xx (RFC 3261 §13.3.1.4)
	timerAck                         // an ACK that never came
	timerReliable                    // retransmission of a reliable 1xx (RFC 3262 §3)
	timerPrack                       // a PRACK that never came
	timerSession                     // refresh or expiry (RFC 4028 §10)
	timerGlare                       // second try after 491 (RFC 3261 §14.1)
	timerAnswer                      // an outgoing call that nobody answers
	timerCancel                      // a cancelled INVITE without a final response (§9.1)
	timerRinging                     // 1xx repeated to keep proxies waiting (§13.3.1.1)
	timerTransfer                    // the outcome of a REFER of ours
	timerRefer                       // the gateway's answer to a REFER
	timerHunt                        // a host of a trunk that says nothing (RFC 3263 §4.3)
	timerKinds
)

func (l *leg) after(k timerKind, d time.Duration) {
	l.timers[k].Start(d, func(round int) { l.post(gotTimer{k, round}) })
}

func (l *leg) stop(k timerKind) { l.timers[k].Stop() }

// current tells a timer that was stopped while its event waited in the queue.
func (l *leg) current(ev gotTimer) bool { return l.timers[ev.kind].Take(ev.round) }

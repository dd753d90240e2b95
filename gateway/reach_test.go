package gateway_test

import (
	"context"
	"errors"
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// refers has a leg's terminal ask to go elsewhere, and tells what came of it; "" is
// that the call goes on there.
func (n *node) refers(l *fakeLeg, to string) call.CauseCode {
	n.t.Helper()
	outcome := make(chan call.CauseCode, 1)
	l.events <- call.Event{Kind: call.Referred, Refer: &call.Refer{
		To:     to,
		Accept: func() func(call.Cause) { return func(c call.Cause) { outcome <- c.Code } },
		Refuse: func(c call.Cause) { outcome <- c.Code },
	}}
	return <-outcome
}

// A REFER goes by the PIN like a call, and guesses by it count.
func TestReferNeedsThePIN(t *testing.T) {
	n := startNode(t, gateway.Settings{})
	ctx := context.Background()
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "one"}))
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "88002", GuestPIN: "1234"}))
	a, b := n.dialIn("a", "one"), n.dialIn("b", "one")
	n.comesTo(a, "active one")
	n.comesTo(b, "active one")
	for range 11 {
		for _, to := range []string{"sip:88002@gw", "sip:88002*9@gw"} {
			if got := n.refers(a, to); got != call.Rejected {
				t.Fatalf("%s: %q", to, got)
			}
		}
	}
	if got := n.refers(a, "sip:88002*1234@gw"); got != call.Rejected || n.state(a) != "active one" {
		t.Errorf("who has guessed so often gets in: %q, %s", got, n.state(a))
	}
	if got := n.refers(b, "sip:88002*1234@gw"); got != "" || n.state(b) != "active 88002" {
		t.Errorf("the right PIN: %q, %s", got, n.state(b))
	}
}

// No way leads a call without encryption into a meeting that requires it.
func TestMovesKeepToEncryption(t *testing.T) {
	n := startNode(t, gateway.Settings{})
	ctx := context.Background()
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "one"}))
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "closed", Encryption: "require"}))
	for _, tc := range []struct{ encryption, want string }{{"none", "active one"}, {"srtp", "active closed"}} {
		l := newLeg("by refer "+tc.encryption, "one")
		l.info.Encryption = tc.encryption
		moved := newLeg("by API "+tc.encryption, "one")
		moved.info.Encryption = tc.encryption
		for _, leg := range []*fakeLeg{l, moved} {
			n.endpoint.calls <- leg
			n.comesTo(leg, "active one")
		}
		refused := n.refers(l, "sip:closed@gw") == call.EncryptionRequired
		err := n.Transfer(ctx, moved.info.ID, "closed")
		if plain := tc.encryption == "none"; refused != plain || errors.Is(err, gateway.ErrBadTarget) != plain {
			t.Errorf("%s: REFER refused %v, transfer %v", tc.encryption, refused, err)
		}
		n.comesTo(l, tc.want)
		n.comesTo(moved, tc.want)
	}
	if legs := must(n.Meeting("closed")).Legs; legs != 2 {
		t.Errorf("%d legs", legs)
	}
}

// Who moderates a meeting reaches nobody in others.
func TestParticipantsOfOtherMeetings(t *testing.T) {
	n := startNode(t, gateway.Settings{})
	ctx := context.Background()
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "ours"}))
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "theirs"}))
	l := n.dialIn("x", "theirs")
	n.comesTo(l, "active theirs")
	for _, alias := range []string{"ours", "none"} {
		for _, err := range []error{n.MuteParticipant(ctx, alias, "leg-x", true), n.RemoveParticipant(ctx, alias, "leg-x")} {
			if !errors.Is(err, gateway.ErrNoParticipant) {
				t.Errorf("by %s: %v", alias, err)
			}
		}
	}
	if n.muted(l) || l.cause() != "" {
		t.Error("it was reached")
	}
	if err := n.MuteParticipant(ctx, "theirs", "leg-x", true); err != nil || !n.muted(l) {
		t.Error(err)
	}
	if err := n.RemoveParticipant(ctx, "theirs", "leg-x"); err != nil || l.cause() != call.Removed {
		t.Errorf("%v, %q", err, l.cause())
	}
}

package gateway_test

import (
	"context"
	"errors"
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// startModerated is a node with two meetings, a leg and two browsers in the first.
func startModerated(t *testing.T) (*node, *fakeAdmin, *fakeLeg) {
	t.Helper()
	admin := &fakeAdmin{}
	admin.comes(
		call.Participant{Identity: "web-1", Name: "Lan", Kind: call.Browser},
		call.Participant{Identity: "web-2", Name: "An", Kind: call.Browser},
		call.Participant{Identity: "leg-far", Name: "Xa", Kind: call.Terminal},
		call.Participant{Identity: "leg-a", Kind: call.Phone},
		call.Participant{Identity: "secret", Hidden: true},
	)
	n := startNodeAs(t, func(c *gateway.Config) { c.Admin = admin }, gateway.Settings{})
	must(n.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88001"}))
	must(n.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88002", GuestPIN: "1234", Locked: true, JoinMuted: true}))
	l := n.dialIn("a", "88001")
	n.comesTo(l, "active 88001")
	return n, admin, l
}

func TestRename(t *testing.T) {
	n, _, _ := startModerated(t)
	events := n.Events(t.Context(), 0)
	for identity, name := range map[string]string{"web-1": "Chủ tịch", "leg-a": "Hội trường 1234567890"} {
		if err := n.RenameParticipant(t.Context(), "88001", identity, name); err != nil {
			t.Fatal(err)
		}
		for e := range events {
			if e.Kind == gateway.EventRenamed {
				if e.Participant.Identity != identity || e.Participant.Name != name {
					t.Errorf("%+v", e.Participant)
				}
				break
			}
		}
		found := false
		for _, p := range must(n.Participants(t.Context(), "88001")) {
			found = found || p.Identity == identity && p.Name == name
		}
		if !found {
			t.Errorf("%s is not called %s", identity, name)
		}
	}
	for _, identity := range []string{"nobody", "leg-none"} {
		if err := n.RenameParticipant(t.Context(), "88001", identity, "X"); !errors.Is(err, gateway.ErrNoParticipant) {
			t.Errorf("%s: %v", identity, err)
		}
	}
}

func TestMove(t *testing.T) {
	n, admin, l := startModerated(t)
	for _, tc := range []struct {
		identity, to string
		want         error
	}{
		{"leg-a", "none", gateway.ErrNoMeeting}, {"leg-a", "88001", gateway.ErrBadTarget}, {"leg-far", "88002", gateway.ErrElsewhere},
		{"nobody", "88002", gateway.ErrNoParticipant}, {"secret", "88002", gateway.ErrNoParticipant},
	} {
		if err := n.MoveParticipant(t.Context(), "88001", tc.identity, tc.to, ""); !errors.Is(err, tc.want) {
			t.Errorf("%s to %s: %v, want %v", tc.identity, tc.to, err, tc.want)
		}
	}
	if err := n.MoveParticipant(t.Context(), "88001", "leg-a", "88002", ""); err != nil {
		t.Fatal(err)
	}
	n.comesTo(l, "active 88002")
	if l.cause() != "" {
		t.Error("hung up on")
	}
	for _, role := range []string{"", call.RoleHost} {
		if err := n.MoveParticipant(t.Context(), "88001", "web-1", "88002", role); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`88001 web-1 roomgate.move {"meeting":"88002","token":"jwt","muted":true}`,
		`88001 web-1 roomgate.move {"meeting":"88002","token":"jwt"}`,
	}
	for i := range want {
		if len(admin.told) != len(want) || admin.told[i] != want[i] {
			t.Errorf("told %q", admin.told)
			break
		}
	}
}

func TestSpotlight(t *testing.T) {
	n, admin, _ := startModerated(t)
	lit := func() (list string) {
		admin.mu.Lock()
		defer admin.mu.Unlock()
		for _, row := range admin.rows {
			if row.Attributes[call.AttrSpotlight] != "" {
				list += row.Identity + " "
			}
		}
		return list
	}
	for _, step := range []struct {
		identity string
		on       bool
		want     string
	}{
		{"web-1", true, "web-1 "}, {"leg-a", true, "leg-a "}, {"leg-a", true, "leg-a "}, {"web-2", false, "leg-a "}, {"leg-far", true, "leg-far "}, {"leg-far", false, ""},
	} {
		if err := n.Spotlight(context.Background(), "88001", step.identity, step.on); err != nil {
			t.Fatal(err)
		}
		if got := lit(); got != step.want {
			t.Errorf("%+v: %q", step, got)
		}
	}
	for _, identity := range []string{"nobody", "secret"} {
		if err := n.Spotlight(context.Background(), "88001", identity, true); !errors.Is(err, gateway.ErrNoParticipant) {
			t.Errorf("%s: %v", identity, err)
		}
	}
}

// Guests of a meeting that wants them muted are told so with their ticket.
func TestBrowsersComeMuted(t *testing.T) {
	n, _, _ := startModerated(t)
	for _, tc := range []struct {
		alias, role string
		want        bool
	}{{"88001", call.RoleGuest, false}, {"88002", call.RoleGuest, true}, {"88002", call.RoleHost, false}} {
		if got := must(n.Token(t.Context(), tc.alias, "Lan", tc.role, "", true)); got.Muted != tc.want {
			t.Errorf("%+v: muted %v", tc, got.Muted)
		}
	}
}

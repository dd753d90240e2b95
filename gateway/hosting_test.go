package gateway_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/lobby"
)

// fakeAdmin is the SFU's roster of browsers.
type fakeAdmin struct {
	mu     sync.Mutex
	rows   []call.Participant
	closed []string
	// close, when set, is asked before a room is closed.
	close func(ctx context.Context) error
	told  []string // by Tell
}

// Describe implements gateway.Describer.
func (a *fakeAdmin) Describe(_ context.Context, _, identity, name string, attributes map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.rows {
		row := &a.rows[i]
		if row.Identity != identity {
			continue
		}
		if name != "" {
			row.Name = name
		}
		changed := maps.Clone(row.Attributes)
		if changed == nil {
			changed = map[string]string{}
		}
		for k, v := range attributes {
			changed[k] = v
			if v == "" {
				delete(changed, k)
			}
		}
		row.Attributes = changed
		return nil
	}
	return gateway.ErrNoParticipant
}

// Tell implements gateway.Messenger.
func (a *fakeAdmin) Tell(_ context.Context, room, identity, topic string, message []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, room+" "+identity+" "+topic+" "+string(message))
	return nil
}

func (a *fakeAdmin) Token(context.Context, string, string, string, string) (url, token string, err error) {
	return "ws://sfu", "jwt", nil
}

func (a *fakeAdmin) Participants(context.Context, string) ([]call.Participant, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]call.Participant(nil), a.rows...), nil
}

func (a *fakeAdmin) comes(rows ...call.Participant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rows = rows
}

func (*fakeAdmin) Remove(context.Context, string, string) error     { return nil }
func (*fakeAdmin) Mute(context.Context, string, string, bool) error { return nil }
func (*fakeAdmin) Healthy(context.Context) bool                     { return true }

func (a *fakeAdmin) CloseRoom(ctx context.Context, room string) error {
	a.mu.Lock()
	first := a.close
	a.mu.Unlock()
	if first != nil {
		if err := first(ctx); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = append(a.closed, room)
	return nil
}

// ReadTicket implements gateway.TicketReader: a ticket is ROLE:IDENTITY.
func (*fakeAdmin) ReadTicket(ticket string) (room, identity, role string, err error) {
	switch ticket {
	case "host":
		return "88001", "web-1", call.RoleHost, nil
	case "guest":
		return "88001", "web-2", call.RoleGuest, nil
	}
	return "", "", "", errors.New("forged")
}

var host = call.Participant{Identity: "web-1", Kind: call.Browser, Attributes: map[string]string{"roomgate.role": call.RoleHost}}

func startHosted(t *testing.T, spec gateway.MeetingSpec) (*node, *fakeAdmin) {
	t.Helper()
	n := startLobby(t)
	spec.Alias = "88001"
	must(n.CreateMeeting(context.Background(), spec))
	return n, n.admin
}

func TestHostsLetPeopleIn(t *testing.T) {
	n, _ := startHosted(t, gateway.MeetingSpec{HostPIN: "9999", GuestPIN: "1234", Lobby: true, JoinMuted: true})
	first, second := n.dialIn("first", "88001*1234"), n.dialIn("second", "88001*1234")
	eventually(t, "two wait", func() bool { return len(must(n.Waiting("88001"))) == 2 })
	for _, w := range must(n.Waiting("88001")) {
		if w.For != lobby.WaitAdmit || w.CallID != w.ID || w.Kind != call.Phone || w.Name == "" {
			t.Errorf("%+v", w)
		}
	}
	chair := n.dialIn("chair", "88001*9999")
	n.comesTo(chair, "active 88001")
	if got := n.state(first); got != "lobby 88001" {
		t.Errorf("a guest is %s without a yes", got)
	}
	if err := errors.Join(n.Admit("88001", "first", true), n.Admit("88001", "second", false)); err != nil {
		t.Fatal(err)
	}
	n.comesTo(first, "active 88001")
	if c := must(n.Call("first")); !c.Muted {
		t.Error("the guest is not muted")
	}
	if c := must(n.Call("chair")); c.Muted {
		t.Error("the host is muted")
	}
	eventually(t, "nobody waits any more", func() bool { return len(must(n.Waiting("88001"))) == 0 })
	eventually(t, "the second is turned away", func() bool { return second.cause() == call.Rejected })
	if err := n.Admit("88001", "nobody", true); !errors.Is(err, gateway.ErrNoParticipant) {
		t.Error(err)
	}
}

func TestGuestsWaitForTheHost(t *testing.T) {
	n, admin := startHosted(t, gateway.MeetingSpec{HostPIN: "9999", WaitForHost: true})
	guest := n.dialIn("guest", "88001")
	eventually(t, "answered", func() bool { return guest.answered() != nil })
	guest.press("#") // no host
	n.comesTo(guest, "lobby 88001")
	eventually(t, "the guest waits", func() bool { return len(must(n.Waiting("88001"))) == 1 })
	if must(n.Waiting("88001"))[0].For != lobby.WaitHost {
		t.Error("waits for a yes")
	}
	ctx := context.Background()
	if err := n.MayEnter(ctx, "88001", gateway.Knock{}); !errors.Is(err, gateway.ErrWaitHost) {
		t.Errorf("a browser: %v", err)
	}
	admin.comes(host)
	n.comesTo(guest, "active 88001")
	if err := n.MayEnter(ctx, "88001", gateway.Knock{}); err != nil {
		t.Errorf("a browser with the host there: %v", err)
	}
	if n.HostOf(ctx, "88001", "guest") || n.HostOf(ctx, "88002", "host") || n.HostOf(ctx, "88001", "x") || !n.HostOf(ctx, "88001", "host") {
		t.Error("tickets are mistaken")
	}
	admin.comes()
	if n.HostOf(ctx, "88001", "host") {
		t.Error("a host who has left moderates")
	}
}

func TestLockedMeetings(t *testing.T) {
	n, _ := startHosted(t, gateway.MeetingSpec{HostPIN: "9999", GuestPIN: "1234"})
	ctx := context.Background()
	if err := n.Lock(ctx, "88001", true); err != nil {
		t.Fatal(err)
	}
	late := n.dialIn("late", "88001*1234")
	eventually(t, "late is told and hung up", func() bool { return late.cause() == call.Rejected })
	if err := n.MayEnter(ctx, "88001", gateway.Knock{PIN: "1234"}); !errors.Is(err, gateway.ErrLocked) {
		t.Error(err)
	}
	if err := n.MayEnter(ctx, "88001", gateway.Knock{PIN: "1"}); !errors.Is(err, gateway.ErrPIN) {
		t.Error(err)
	}
	if err := n.MayEnter(ctx, "88001", gateway.Knock{PIN: "9999"}); err != nil {
		t.Error(err)
	}
	chair := n.dialIn("chair", "88001*9999")
	n.comesTo(chair, "active 88001")
	if err := n.Lock(ctx, "88001", false); err != nil {
		t.Fatal(err)
	}
	n.comesTo(n.dialIn("next", "88001*1234"), "active 88001")
	if err := n.Lock(ctx, "nothing", true); !errors.Is(err, gateway.ErrNoMeeting) {
		t.Error(err)
	}
}

func TestBrowsersKnock(t *testing.T) {
	n, _ := startHosted(t, gateway.MeetingSpec{HostPIN: "9999", Lobby: true})
	ctx := context.Background()
	for _, who := range []string{"An", "Lan"} {
		if err := n.MayEnter(ctx, "88001", gateway.Knock{ID: who, Name: who}); !errors.Is(err, gateway.ErrWaitAdmit) {
			t.Fatal(err)
		}
	}
	list := must(n.Waiting("88001"))
	if len(list) != 2 || list[0].For != lobby.WaitAdmit || list[0].Kind != call.Browser || list[0].CallID != "" {
		t.Fatalf("%+v", list)
	}
	want := map[string]error{}
	for _, w := range list {
		if err := n.Admit("88001", w.ID, w.Name == "An"); err != nil {
			t.Fatal(err)
		}
	}
	want["An"], want["Lan"] = nil, gateway.ErrDenied
	for who, err := range want {
		if got := n.MayEnter(ctx, "88001", gateway.Knock{ID: who, Name: who}); !errors.Is(got, err) {
			t.Errorf("%s: %v, want %v", who, got, err)
		}
	}
	if err := n.MayEnter(ctx, "88001", gateway.Knock{ID: "chair"}); !errors.Is(err, gateway.ErrWaitAdmit) || len(must(n.Waiting("88001"))) != 1 {
		t.Errorf("a host without PIN: %v", err)
	}
	if err := n.MayEnter(ctx, "88001", gateway.Knock{ID: "chair", PIN: "9999"}); err != nil || len(must(n.Waiting("88001"))) != 0 {
		t.Errorf("a host: %v, waiting %v", err, must(n.Waiting("88001")))
	}
	if err := n.MayEnter(ctx, "88001", gateway.Knock{ID: "other", Name: "An"}); !errors.Is(err, gateway.ErrWaitAdmit) {
		t.Errorf("somebody of the same name: %v", err)
	}
}

func TestMeetingsEndInTime(t *testing.T) {
	for name, spec := range map[string]gateway.MeetingSpec{
		"its time is over":        {MaxDuration: time.Second},
		"only terminals are left": {RoomsOnly: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			n, admin := startHosted(t, spec)
			l := n.dialIn("a", "88001")
			n.comesTo(l, "active 88001")
			eventually(t, "the meeting is ended", func() bool { return l.cause() == call.MeetingEnded })
			if _, err := n.Meeting("88001"); err != nil {
				t.Error("the meeting is gone")
			}
			eventually(t, "browsers are put out too", func() bool {
				admin.mu.Lock()
				defer admin.mu.Unlock()
				return len(admin.closed) == 1
			})
		})
	}
}

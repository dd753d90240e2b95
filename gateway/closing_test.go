package gateway_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/store"
	"github.com/roomgate/roomgate/gateway"
)

// closes is how often the SFU has closed rooms.
func (a *fakeAdmin) closes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.closed)
}

// startClosing is a node with a meeting, and an SFU that answers as close says.
func startClosing(t *testing.T, close func(ctx context.Context) error) (n *node, admin *fakeAdmin, skip func(time.Duration)) {
	t.Helper()
	var later atomic.Int64
	admin = &fakeAdmin{close: close}
	n = startNodeAs(t, func(c *gateway.Config) {
		c.Admin = admin
		c.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	}, gateway.Settings{})
	must(n.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88001"}))
	return n, admin, func(d time.Duration) { later.Add(int64(d)) }
}

// An SFU that does not answer keeps nobody waiting, and does what it was asked to when
// it is back.
func TestSlowServerClosesRooms(t *testing.T) {
	answer := make(chan struct{})
	n, admin, _ := startClosing(t, func(ctx context.Context) error {
		select {
		case <-answer:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	l := n.dialIn("a", "88001")
	eventually(t, "a is in", func() bool { return l.answered() != nil })
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.DeleteMeeting(impatient, "88001"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a is put out", func() bool { return l.cause() == call.MeetingEnded })
	if admin.closes() != 0 {
		t.Fatal("closed already")
	}
	close(answer)
	eventually(t, "browsers, too", func() bool { return admin.closes() == 1 })
}

func TestFailingServerIsAskedAgain(t *testing.T) {
	var asked atomic.Int32
	n, admin, skip := startClosing(t, func(context.Context) error {
		if asked.Add(1) <= 3 {
			return errors.New("no answer")
		}
		return nil
	})
	if err := n.EndMeeting(t.Context(), "88001"); err != nil {
		t.Fatal(err)
	}
	for i := int32(1); i <= 3; i++ {
		eventually(t, "asked", func() bool { return asked.Load() == i })
		if admin.closes() != 0 {
			t.Fatal("closed by a request that failed")
		}
		skip(time.Minute)
	}
	eventually(t, "closed", func() bool { return admin.closes() == 1 })
}

// Who was on the way in when the meeting was deleted leaves it, too; those of a new
// meeting stay.
func TestStragglersLeave(t *testing.T) {
	for name, again := range map[string]bool{"deleted": false, "made anew": true} {
		t.Run(name, func(t *testing.T) {
			n, admin, skip := startClosing(t, nil)
			if err := n.DeleteMeeting(t.Context(), "88001"); err != nil {
				t.Fatal(err)
			}
			if admin.closes() != 1 {
				t.Fatalf("closed %d times", admin.closes())
			}
			if again {
				must(n.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88001"}))
			}
			// Another room, closed after that: the first has been looked at by then.
			must(n.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88002"}))
			skip(20 * time.Second)
			if again {
				if err := n.DeleteMeeting(t.Context(), "88002"); err != nil {
					t.Fatal(err)
				}
				skip(20 * time.Second)
				eventually(t, "the other is closed twice", func() bool { return admin.closes() == 3 })
				admin.mu.Lock()
				defer admin.mu.Unlock()
				for _, room := range admin.closed[1:] {
					if room != "88002" {
						t.Errorf("%v are closed", admin.closed)
					}
				}
				return
			}
			eventually(t, "closed again", func() bool { return admin.closes() == 2 })
		})
	}
}

// A meeting that another node has deleted is closed here, too: that node may have died
// before it could, and this one may have an SFU of its own.
func TestDeletedElsewhere(t *testing.T) {
	keys := must(seal.Parse(seal.NewKey()))
	file := filepath.Join(t.TempDir(), "x.db")
	open := func() *directory.Directory {
		db := must(store.Open(t.Context(), file))
		t.Cleanup(func() { db.Close() })
		return must(directory.Open(t.Context(), directory.Config{DB: db, Keys: keys}))
	}
	here, there := open(), open()
	must(there.SaveMeeting(t.Context(), directory.Meeting{Alias: "88001"}))
	if err := here.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin := &fakeAdmin{}
	n := startNodeAs(t, func(c *gateway.Config) { c.Admin, c.Directory = admin, here }, gateway.Settings{})
	if err := there.DeleteMeeting(t.Context(), "88001"); err != nil {
		t.Fatal(err)
	}
	if err := here.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.Refresh()
	eventually(t, "closed", func() bool { return admin.closes() == 1 })
}

package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/lobby"
)

// Why a browser is not let in.
var (
	ErrLocked    = errors.New("the meeting is locked")
	ErrWaitHost  = errors.New("the meeting begins when its host is there")
	ErrWaitAdmit = errors.New("a host has to let you in")
	ErrNotYet    = errors.New("it is not yet time for the meeting")
	ErrOver      = errors.New("the meeting is over")
	ErrDenied    = errors.New("the host has not let you in")
)

// Waiting is somebody who waits to be let into a meeting.
type Waiting struct {
	ID     string // of the call, or of the browser's knocking
	CallID string // of legs
	Name   string
	Kind   call.ParticipantKind
	Since  time.Time
	// For is lobby.WaitAdmit (a host is to decide), WaitHost (to come) or WaitTime.
	For lobby.Verdict
}

// Knock is a browser's wish to come in, repeated until there is an answer.
type Knock struct {
	ID   string // that the browser made up; "" does not wait
	Name string
	PIN  string
}

// TicketReader is an SFUAdmin that reads the tickets it has given to browsers.
type TicketReader interface {
	ReadTicket(token string) (room, identity, role string, err error)
}

// door holds the browsers that knock.
type door struct {
	mu     sync.Mutex
	knocks map[string]*knocking // by meeting and ID
}

type knocking struct {
	Waiting
	meeting string
	seen    time.Time
	answer  lobby.Verdict
}

// The patience of the door: a browser that has not asked for so long is gone, and
// no more than so many wait.
const (
	knockTime = 15 * time.Second
	mostKnock = 1000
)

// answered notes a knock and tells what a host said to it; fresh: it is new.
func (d *door) answered(alias string, k Knock, now time.Time) (v lobby.Verdict, fresh bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.knocks == nil {
		d.knocks = map[string]*knocking{}
	}
	for key, other := range d.knocks {
		if now.Sub(other.seen) > knockTime {
			delete(d.knocks, key)
		}
	}
	key := alias + "\x00" + k.ID
	there := d.knocks[key]
	if there == nil {
		if k.ID == "" || len(d.knocks) >= mostKnock {
			return 0, false
		}
		there = &knocking{meeting: alias, Waiting: Waiting{ID: "web-" + newID(), Name: k.Name, Kind: call.Browser, Since: now, For: lobby.WaitAdmit}}
		d.knocks[key] = there
		fresh = true
	}
	there.seen = now
	if there.answer == lobby.Denied {
		delete(d.knocks, key)
	}
	return there.answer, fresh
}

func (d *door) forget(alias, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.knocks, alias+"\x00"+id)
}

// list is who knocks at a meeting.
func (d *door) list(alias string, now time.Time) (list []Waiting) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.knocks {
		if k.meeting == alias && k.answer == 0 && now.Sub(k.seen) <= knockTime {
			list = append(list, k.Waiting)
		}
	}
	return list
}

func (d *door) answer(alias, id string, v lobby.Verdict) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.knocks {
		if k.meeting == alias && k.ID == id {
			k.answer = v
			return true
		}
	}
	return false
}

// MayEnter tells a browser that shows no API key whether it is let into a meeting
// now: nil, or why not.
func (g *Gateway) MayEnter(ctx context.Context, alias string, k Knock) error {
	spec, err := g.specForJoining(alias)
	if err != nil {
		return err
	}
	role, _, err := g.roleOfBrowser(ctx, spec, "", k.PIN, "")
	if err != nil {
		return err
	}
	if err := g.outOfTime(alias); err != nil {
		return err
	}
	if role == call.RoleHost { // who may have knocked before giving the PIN
		g.door.forget(alias, k.ID)
		return nil
	}
	if spec.WaitForHost && !spec.Locked {
		g.lookAround(ctx, alias)
	}
	g.mu.Lock()
	m := g.meetings[alias]
	verdict := lobby.Verdict(0)
	if m != nil {
		verdict = m.keepsOut()
	}
	g.mu.Unlock()
	switch verdict {
	case lobby.Locked:
		return ErrLocked
	case lobby.WaitHost:
		return ErrWaitHost
	case lobby.WaitAdmit:
		return g.knock(alias, k)
	}
	return nil
}

func (g *Gateway) knock(alias string, k Knock) error {
	answer, fresh := g.door.answered(alias, k, g.in.Now())
	if fresh {
		g.events.publish(Event{Kind: EventLobbyWaiting, Meeting: alias, Text: k.Name})
	}
	switch answer {
	case lobby.In:
		return nil
	case lobby.Denied:
		return ErrDenied
	}
	return ErrWaitAdmit
}

// Waiting lists who waits to be let into a meeting, the first to come first.
func (g *Gateway) Waiting(alias string) ([]Waiting, error) {
	if _, err := g.Meeting(alias); err != nil {
		return nil, err
	}
	list := g.door.list(alias, g.in.Now())
	for _, a := range g.waiting(alias) {
		who := a.s.describe()
		a.s.mu.Lock()
		list = append(list, Waiting{ID: a.s.id, CallID: a.s.id, Name: a.s.fullName(), Kind: who.Kind, Since: a.since, For: a.waits})
		a.s.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b Waiting) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// Admit lets somebody who waits into a meeting, or with yes false turns them away.
func (g *Gateway) Admit(alias, id string, yes bool) error {
	answer := lobby.Denied
	if yes {
		answer = lobby.In
	}
	if g.door.answer(alias, id, answer) {
		return nil
	}
	for _, a := range g.waiting(alias) {
		if a.s.id != id {
			continue
		}
		a.s.mu.Lock()
		a.answer = answer
		a.s.mu.Unlock()
		a.nudge()
		return nil
	}
	return ErrNoParticipant
}

// Lock keeps further guests out of a meeting, or lets them in again.
func (g *Gateway) Lock(ctx context.Context, alias string, locked bool) error {
	g.mu.Lock()
	m, ok := g.meetings[alias]
	ok = ok && !m.private
	kept := ok && m.kept
	if ok && !kept {
		spec := m.spec()
		spec.Locked = locked
		m.set(spec)
	}
	g.mu.Unlock()
	if !ok {
		return ErrNoMeeting
	}
	if kept {
		if err := g.keepLocked(ctx, alias, locked); err != nil {
			return err
		}
	}
	for _, a := range g.waiting(alias) {
		a.nudge()
	}
	return nil
}

// keepLocked has the directory know of a lock, and with it the other nodes.
func (g *Gateway) keepLocked(ctx context.Context, alias string, locked bool) error {
	m, ok := g.in.Directory.Meeting(alias)
	if !ok {
		return ErrNoMeeting
	}
	m.Locked = locked
	if _, err := g.in.Directory.SaveMeeting(ctx, m); err != nil {
		return fmt.Errorf("lock of %s: %w", alias, err)
	}
	g.Refresh()
	return nil
}

// HostOf reports whether a ticket is that of a host who is in the meeting now.
func (g *Gateway) HostOf(ctx context.Context, alias, ticket string) bool {
	reader, ok := g.in.Admin.(TicketReader)
	if !ok || ticket == "" {
		return false
	}
	room, identity, role, err := reader.ReadTicket(ticket)
	if err != nil || room != alias || role != call.RoleHost {
		return false
	}
	rows, err := g.in.Admin.Participants(ctx, alias)
	return err == nil && slices.ContainsFunc(rows, func(p call.Participant) bool {
		return p.Identity == identity && p.Attributes[attrRole] == call.RoleHost
	})
}

// EndMeeting puts everybody out of a meeting, which stays. For browsers it does not wait
// for long.
func (g *Gateway) EndMeeting(ctx context.Context, alias string) error {
	asked, err := g.endMeeting(alias)
	if err == nil {
		g.waitClosed(ctx, alias, asked)
	}
	return err
}

// endMeeting does not wait for the SFU.
func (g *Gateway) endMeeting(alias string) (asked <-chan struct{}, err error) {
	g.mu.Lock()
	m, ok := g.meetings[alias]
	g.mu.Unlock()
	g.forgetRedials(alias)
	if !ok || m.private {
		return nil, ErrNoMeeting
	}
	for _, s := range g.living() {
		if s.inMeeting(m) {
			s.leg.Hangup(call.Cause{Code: call.MeetingEnded})
		}
	}
	return g.closeRoom(alias, false), nil
}

package gateway

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// Rooms of the SFU that are to be closed. An SFU that is slow, or away for a while, is
// asked until it has done so: whoever is in a meeting that was deleted or ended shall not
// stay there together.

const (
	// closeWait is how long whoever ends a meeting waits for the SFU; what is left then
	// is done without them.
	closeWait = 2 * time.Second
	// closeTime bounds one request.
	closeTime = 10 * time.Second
	// firstClose and lastClose are the pauses between requests, which double.
	firstClose = time.Second
	lastClose  = 30 * time.Second
	// closeFor is how long a room is tried to be closed.
	closeFor = 12 * time.Hour
	// straggle is when a room is closed once more, whose meeting was deleted: somebody
	// may have been on the way in with a ticket of before.
	straggle = 15 * time.Second
)

// closing is a room to be closed; guarded by Gateway.mu.
type closing struct {
	since time.Time
	next  time.Time
	pause time.Duration
	asked chan struct{} // of a request under way: closed when it is over; nil: there is none
	// gone: the meeting was deleted, so that the room is closed a second time.
	gone, second bool
}

// closeRoom puts browsers out of a meeting, and legs of other nodes. gone: the meeting
// does not exist any more. It does not wait; what it returns is closed when the SFU has
// answered, or failed to, for the first time.
func (g *Gateway) closeRoom(room string, gone bool) <-chan struct{} {
	if g.in.Admin == nil {
		return nil
	}
	now := g.in.Now()
	g.mu.Lock()
	c := g.closings[room]
	if c == nil {
		c = &closing{}
		g.closings[room] = c
	}
	c.gone = c.gone || gone
	c.since, c.next, c.pause, c.second = now, now, firstClose, false
	g.mu.Unlock()
	return g.askToClose(room)
}

// waitClosed waits for the SFU to close a room, but not for long.
func (g *Gateway) waitClosed(ctx context.Context, room string, asked <-chan struct{}) {
	if asked == nil {
		return
	}
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-asked:
	case <-timer.C:
		g.log.Warn("the meeting server is slow; a room is closed when it answers", zap.String("meeting", room))
	case <-ctx.Done():
	}
}

// askToClose asks the SFU to close a room, unless it is being asked, and tells when it
// has answered; nil: there is nothing to ask.
func (g *Gateway) askToClose(room string) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.closings[room]
	switch {
	case c == nil || g.closed:
		return nil
	case c.asked != nil:
		return c.asked
	}
	asked := make(chan struct{})
	c.asked = asked
	g.wait.Add(1)
	go func() {
		defer g.wait.Done()
		defer close(asked)
		ctx, cancel := context.WithTimeout(g.ctx, closeTime)
		defer cancel()
		g.closedRoom(room, g.in.Admin.CloseRoom(ctx, room))
	}()
	return asked
}

// closedRoom takes the answer to a request.
func (g *Gateway) closedRoom(room string, err error) {
	now := g.in.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.closings[room]
	c.asked = nil
	log := g.log.With(zap.String("meeting", room))
	switch {
	case err == nil && c.gone && !c.second:
		c.second, c.next, c.pause = true, now.Add(straggle), firstClose
	case err == nil:
		delete(g.closings, room)
	case now.Sub(c.since) > closeFor:
		delete(g.closings, room)
		log.Error("a room of the meeting server was never closed", zap.Error(err))
	default:
		c.next, c.pause = now.Add(c.pause), min(2*c.pause, lastClose)
		log.Info("a room of the meeting server was not closed; it is tried again", zap.Time("at", c.next), zap.Error(err))
	}
}

// closeDue asks for the rooms whose time has come, without waiting.
func (g *Gateway) closeDue() {
	now := g.in.Now()
	var due []string
	g.mu.Lock()
	for room, c := range g.closings {
		if c.second && c.asked == nil && g.meetings[room] != nil {
			delete(g.closings, room) // there is a new meeting of that name: those in it are its own
			continue
		}
		if c.asked == nil && !now.Before(c.next) {
			due = append(due, room)
		}
	}
	g.mu.Unlock()
	for _, room := range due {
		g.askToClose(room)
	}
}

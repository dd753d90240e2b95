package h323

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/face"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/dtmf"
	"github.com/roomgate/roomgate/media/h224"
	"github.com/roomgate/roomgate/media/rtpconn"
)

// leg implements call.Leg: one terminal's side of a call. Its goroutine, run, owns
// every field below the line; the others have a lock or never change.
type leg struct {
	*face.Leg
	*face.Cameras
	e    *Endpoint
	log  *zap.Logger
	mail chan event

	gone  chan struct{}   // closed when its goroutine has ended
	life  context.Context // ends with kill, and with the leg
	kill  context.CancelFunc
	media sessions

	// ---- owned by run ----
	state state
	link  *link         // the signalling connection; nil before there is one
	sig   *callsig.Call // what is said on it
	ctl   channel       // H.245
	can   media.Capabilities
	// secrecy is the key agreement of media.
	secrecy secrecy
	home    *home // the gatekeeper that admitted the call; nil without one
	timers  [timerKinds]face.Timer
	ended   bool
	told    bool // Connected was emitted
	brief   bool // the short wait before it has begun
	keys    dtmf.Presses
	refer   string // where the far side asks to be connected to, until it is decided

	in  *answering // of an incoming call, until it is answered
	out *calling   // of an outgoing call
}

var (
	_ call.Leg           = (*leg)(nil)
	_ call.StatsReporter = (*leg)(nil)
	_ call.DigitSender   = (*leg)(nil)
	_ call.TextShower    = (*leg)(nil)
	_ call.Transferrer   = (*leg)(nil)
	_ call.ContentHolder = (*leg)(nil)

	_ call.CameraController = (*leg)(nil)
)

// mailSize is how many events wait for a leg; more make their senders wait.
const mailSize = 32

func (e *Endpoint) newLeg(info call.Info, peer netip.Addr) *leg {
	l := &leg{
		e: e, mail: make(chan event, mailSize), gone: make(chan struct{}),
	}
	l.life, l.kill = context.WithCancel(context.Background())
	info.ID, info.Protocol, info.Created, info.Encryption = uuid.NewString(), call.H323, time.Now(), "none"
	info.Remote.Transport = "tcp"
	l.log = e.log.With(zap.String("leg", info.ID))
	l.Leg = face.New(info, l.log)
	l.Cameras = face.NewCameras(e.cfg.Camera, l.log, func(m h224.Message) { l.offer(gotCamera{m}) })
	l.media = sessions{
		cfg: &e.cfg, net: e.towards(peer), signalling: peer, cname: info.ID,
		onEvent:    func(r media.Role, ev rtpconn.Event) { l.offer(gotMedia{r, ev}) },
		onKeyframe: func(r media.Role) { l.offer(wantKeyframe{r}) },
		onBitrate:  func(r media.Role, bps int) { l.offer(wantBitrate{r, bps}) },
		Bundle:     rtpconn.Bundle{OnTrack: l.openTrack},
	}
	l.media.traversal = h460.NewMedia(!e.cfg.Traversal.Client, l.media.traversed)
	l.ctl.leg = l
	return l
}

// openTrack hands a track to whoever bridges the leg; what is said about cameras stays
// here.
func (l *leg) openTrack(t media.Track) {
	if !l.Hear(t) {
		l.OpenTrack(t)
	}
}

// start registers the leg and runs it; false when the endpoint is closing.
func (l *leg) start() bool {
	e := l.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		l.kill()
		return false
	}
	e.legs[l] = struct{}{}
	e.active++
	e.wg.Add(1)
	go l.run()
	return true
}

// run is the leg's goroutine.
func (l *leg) run() {
	defer l.e.wg.Done()
	defer l.finish()
	for !l.ended {
		select {
		case ev := <-l.mail:
			if tick, ok := ev.(gotTimer); ok && !l.timers[tick.kind].Take(tick.round) {
				continue
			}
			l.state(ev)
		case cause := <-l.Wishes():
			l.state(wantHangup{cause})
		case <-l.life.Done():
			l.hangup(call.Cause{Code: call.Draining})
		}
		l.ctl.flush()
	}
}

// finish leaves nothing behind.
func (l *leg) finish() {
	for i := range l.timers {
		l.stop(timerKind(i))
	}
	l.kill()
	e := l.e
	e.cfg.Trace.End(l.Info().ID)
	e.mu.Lock()
	delete(e.legs, l)
	e.mu.Unlock()
	close(l.gone)
	l.discardUnread()
}

// end tells the gateway that the call is over, and closes what belongs to it.
// RELEASE COMPLETE, where it is due, was sent before.
func (l *leg) end(cause call.Cause) {
	if l.ended {
		return
	}
	l.ended = true
	l.ctl.close()
	l.leaveLink()
	l.Cameras.Close()
	l.media.Close()
	l.leavePending()
	e := l.e
	e.mu.Lock()
	e.active--
	e.mu.Unlock()
	if l.in != nil && l.in.waiting != nil {
		l.in.waiting(ended(cause))
	}
	info := l.Info()
	l.log.Info("leg closed", zap.Stringer("cause", cause), zap.Duration("after", time.Since(info.Created)))
	l.End(cause)
}

// ended is the error of an Accept that the end of the call overtook.
func ended(cause call.Cause) error {
	if cause.Code == call.IncompatibleMedia {
		return call.ErrNoCommonMedia
	}
	return call.ErrEnded
}

// leaveLink takes the call off its signalling connection.
func (l *leg) leaveLink() {
	if l.sig != nil {
		l.e.forget(l.sig.CallID, l)
		l.disengage()
		if d := l.e.cfg.Directory; d != nil {
			d.Over(l.sig.CallID)
		}
	}
	if l.link != nil {
		l.link.leave(l, l.sig.Reference, l.sig.Caller)
		l.link = nil
	}
}

// leavePending takes the leg out of those that wait for an answer.
func (l *leg) leavePending() {
	if l.in == nil || !l.in.pending {
		return
	}
	l.in.pending = false
	l.e.mu.Lock()
	l.e.pending--
	l.e.mu.Unlock()
}

// post hands an event to the leg's goroutine; false when that has ended.
func (l *leg) post(ev event) bool {
	select {
	case <-l.gone:
		return false
	case l.mail <- ev:
	}
	select {
	case <-l.gone: // it may have come too late to be read
		l.discardUnread()
	default:
	}
	return true
}

// discardUnread closes the connections that nobody takes any more.
func (l *leg) discardUnread() {
	for {
		select {
		case ev := <-l.mail:
			discard(ev)
		default:
			return
		}
	}
}

func discard(ev event) {
	switch ev := ev.(type) {
	case gotLink:
		if ev.link != nil {
			ev.link.drop()
		}
	case openedControl:
		if ev.conn != nil {
			ev.conn.Abort()
		}
	}
}

// offer is post for those who must not wait; false when the queue is full.
func (l *leg) offer(ev event) bool {
	select {
	case l.mail <- ev:
		return true
	default:
		return false
	}
}

// task runs something that may take time beside the leg. It has to end with
// l.life.
func (l *leg) task(f func()) {
	l.e.wg.Add(1) // the leg's own goroutine is counted, so that the count is not zero
	go func() {
		defer l.e.wg.Done()
		f()
	}()
}

func (l *leg) enter(s state) { l.state = s }

func (l *leg) String() string { return fmt.Sprintf("h323 leg %s", l.Info().ID) }

package sip

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/face"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/dtmf"
	"github.com/roomgate/roomgate/media/h224"
	"github.com/roomgate/roomgate/media/rtpconn"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/offer"
)

// leg implements call.Leg: one terminal's side of a call. Its goroutine, run,
// owns every field below the line; the others have a lock or never change.
type leg struct {
	*face.Leg
	*face.Cameras
	e    *Endpoint
	log  *zap.Logger
	mail chan event

	gone   chan struct{}   // closed when the last transaction is over too
	life   context.Context // ends with kill: transactions that belong to nobody
	kill   context.CancelFunc
	call   context.Context // ends with the call
	hungUp context.CancelFunc
	media  sessions

	mu       sync.Mutex
	arrivals dialog.Arrivals

	// ---- owned by run ----
	state  state
	dlg    *dialog.Dialog
	ids    []dialog.ID // under which requests find this leg
	neg    dialog.Negotiation
	can    media.Capabilities
	timers [timerKinds]face.Timer
	ended  bool
	busy   int // client transactions under way

	in  *answering // of an incoming call, until it is confirmed
	out *calling   // of an outgoing call

	sent      *sentOK // a 2xx of ours that waits for its ACK
	acks      map[uint32]*sipgo.Request
	cancelled chan struct{} // closed when a CANCEL came for the INVITE
	strayAcks <-chan *sipgo.Request
	change    *change // a re-INVITE or UPDATE of ours under way
	session   dialog.SessionTimer
	overdue   bool // our refresh was sent and has not succeeded
	peer      abilities
	auth      *digest.Session
	transfer  *transfer
	referral  *referral
	keys      dtmf.Presses

	slidesTried bool // a line for slides was offered to who had none
}

// abilities is what the far side said it can do.
type abilities struct{ update, info, refer, timer bool }

var (
	_ call.Leg           = (*leg)(nil)
	_ call.StatsReporter = (*leg)(nil)
	_ call.Transferrer   = (*leg)(nil)
	_ call.DigitSender   = (*leg)(nil)
	_ call.TextShower    = (*leg)(nil)
	_ call.ContentHolder = (*leg)(nil)

	_ call.CameraController = (*leg)(nil)
)

// mailSize is how many events wait for a leg; more make their senders wait.
const mailSize = 32

func (e *Endpoint) newLeg(info call.Info, peer netip.Addr, policy offer.Policy) *leg {
	l := &leg{
		e: e, mail: make(chan event, mailSize), gone: make(chan struct{}),
		acks: make(map[uint32]*sipgo.Request),
	}
	l.life, l.kill = context.WithCancel(context.Background())
	l.call, l.hungUp = context.WithCancel(l.life)
	info.ID, info.Protocol, info.Created, info.Encryption = uuid.NewString(), call.SIP, time.Now(), "none"
	l.log = e.log.With(zap.String("leg", info.ID))
	l.Leg = face.New(info, l.log)
	l.Cameras = face.NewCameras(e.cfg.Camera, l.log, func(m h224.Message) { l.offer(gotCamera{m}) })
	l.media = sessions{
		cfg: &e.cfg, net: e.local(peer), signalling: peer,
		secure: info.Remote.Transport == "tls", encryption: policy, cname: info.ID,
		onEvent:    func(r media.Role, ev rtpconn.Event) { l.offer(gotMedia{r, ev}) },
		onKeyframe: func() { l.offer(wantKeyframe{}) },
		Bundle:     rtpconn.Bundle{OnTrack: l.openTrack},
		onFloor:    l.floorHeard,
		cameras:    l.Cameras,
	}
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
	for l.state != nil {
		select {
		case ev := <-l.mail:
			if r, ok := ev.(gotResult); ok {
				l.busy--
				r.then()
			} else {
				l.state(ev)
			}
		case cause := <-l.Wishes():
			l.state(wantHangup{cause})
		case ack := <-l.strayAcks: // an ACK with the branch of its INVITE
			l.state(gotRequest{req: ack})
		case <-l.cancelled:
			l.cancelled = nil
			l.state(gotCancel{})
		case <-l.life.Done():
			l.end(call.Cause{Code: call.Draining})
			return
		}
		if l.over() {
			l.state = nil
		}
	}
}

// finish leaves nothing behind.
func (l *leg) finish() {
	l.end(call.Cause{Code: call.Failure})
	for i := range l.timers {
		l.stop(timerKind(i))
	}
	l.kill() // transactions that still run belong to nobody now
	e := l.e
	e.cfg.Trace.End(l.Info().ID)
	e.mu.Lock()
	delete(e.legs, l)
	for _, id := range l.ids {
		delete(e.dialogs, id)
	}
	if l.in != nil {
		delete(e.invites, l.in.key)
	}
	e.mu.Unlock()
	close(l.gone)
	l.refuseUnread()
}

// end tells the gateway that the call is over and closes its media; what
// signalling is left to do goes on.
func (l *leg) end(cause call.Cause) {
	if l.ended {
		return
	}
	l.ended = true
	for i := range l.timers {
		if timerKind(i) != timerAck && timerKind(i) != timerRetransmit {
			l.stop(timerKind(i))
		}
	}
	l.hungUp()
	l.media.close()
	l.leavePending()
	e := l.e
	e.mu.Lock()
	e.active--
	e.mu.Unlock()
	if l.change != nil {
		l.change.reply(call.ErrEnded)
		l.change = nil
	}
	if l.transfer != nil {
		l.transfer.finish(call.ErrEnded)
	}
	info := l.Info()
	l.log.Info("leg closed", zap.String("cause", cause.String()), zap.Duration("after", time.Since(info.Created)))
	l.End(cause)
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
		l.refuseUnread()
	default:
	}
	return true
}

// refuseUnread refuses the requests that nobody reads any more: the dialog they
// name is over (RFC 3261 §12.2.2).
func (l *leg) refuseUnread() {
	for {
		select {
		case ev := <-l.mail:
			if r, ok := ev.(gotRequest); ok && r.tx != nil {
				l.e.respond(r.tx, r.req, 481)
			}
		default:
			return
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

// ask posts a wish of the gateway and waits for the outcome.
func (l *leg) ask(ctx context.Context, wish func(reply func(error)) event) error {
	return face.Ask(ctx, l.Leg, l.mail, wish)
}

func (l *leg) arrived(cseq uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.arrivals.Receive(cseq)
}

// register makes requests of a dialog find this leg; bounded, since a forking
// proxy decides how many there are.
func (l *leg) register(id dialog.ID) bool {
	const most = 32
	if len(l.ids) >= most {
		return false
	}
	for _, known := range l.ids {
		if known == id {
			return true
		}
	}
	l.ids = append(l.ids, id)
	l.e.mu.Lock()
	l.e.dialogs[id] = l
	l.e.mu.Unlock()
	return true
}

// negotiated publishes the outcome of an exchange.
func (l *leg) negotiated(announce bool) { l.Agreed(l.media.agreement(), announce) }

// connected tells the gateway that the call stands.
func (l *leg) connected() {
	l.negotiated(false)
	l.Connected()
}

// learn notes what a message of the far side says about it.
func (l *leg) learn(m headed) {
	if ts := tokens(m, "allow"); len(ts) > 0 {
		l.peer.update, l.peer.info, l.peer.refer = false, false, false
		for _, t := range ts {
			switch t {
			case "update":
				l.peer.update = true
			case "info":
				l.peer.info = true
			case "refer":
				l.peer.refer = true
			}
		}
	}
	if supports(m, "timer") {
		l.peer.timer = true
	}
	if isFocus(m) {
		l.Change(func(info *call.Info) { info.Remote.Focus = true })
	}
	agent := value(m, "user-agent", "server")
	if agent == "" {
		return
	}
	l.Change(func(info *call.Info) {
		if info.Remote.UserAgent == "" {
			info.Remote.UserAgent, info.Remote.Product = agent, product(agent)
		}
	})
}

func (l *leg) String() string { return fmt.Sprintf("sip leg %s", l.Info().ID) }

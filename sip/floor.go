package sip

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
	"github.com/roomgate/roomgate/sip/bfcp"
	"github.com/roomgate/roomgate/sip/bfcp/link"
	"github.com/roomgate/roomgate/sip/offer"
)

// Floor control of a leg (RFC 8856): its port is opened before the description that
// names it is written, and speaks once the far side's is known.

// errNoContent: the far side takes no second video.
var errNoContent = errors.New("the far side takes no content")

// FloorConfig says how calls control who presents.
type FloorConfig struct {
	// Transport is what offers of ours name: "UDP" (default), "TCP" or "TLS". What
	// is offered to us is taken over any of them.
	Transport string
	// ClientOnly never controls the floor: a terminal.
	ClientOnly bool
	// Name is shown to terminals where others present: "roomgate".
	Name string
}

// transport is the one of an m-line.
func (c FloorConfig) transport() link.Transport {
	switch strings.ToUpper(c.Transport) {
	case "TCP":
		return link.TCP
	case "TLS":
		return link.TLS
	}
	return link.UDP
}

// floorNumbers are what a leg is as a server: nobody else may guess them.
type floorNumbers struct {
	conference uint32
	user       uint16
}

// describeFloor completes our side with floor control over a transport; "" keeps to
// the one that is open.
func (s *sessions) describeFloor(l *offer.Local, transport string) error {
	if transport == "" && s.floor != nil {
		transport = string(s.floor.Transport())
	}
	if transport == "" {
		return nil
	}
	if s.floor != nil && string(s.floor.Transport()) != transport {
		s.dropFloor()
	}
	if s.floor == nil {
		opened, err := link.Open(link.Config{
			Transport: link.Transport(transport), Pool: s.cfg.Ports, Local: s.net.Local,
			Options: portpool.Options{Interface: s.net.Interface, DSCP: s.net.SignallingDSCP},
			Log:     s.cfg.Log.Named("bfcp"), OnEvent: s.onFloor, Tap: s.traceFloor(link.Transport(transport)),
		})
		if err != nil {
			return err
		}
		s.floor = opened
	}
	if s.numbers.user == 0 {
		s.numbers = floorNumbers{conference: rand.Uint32N(1<<31-1) + 1, user: uint16(rand.N(1<<15-1) + 1)}
	}
	l.Floor = &offer.LocalFloor{
		Transport: transport, Port: s.floor.Port(), Client: true, Server: !s.cfg.Floor.ClientOnly,
		Conference: s.numbers.conference, User: s.numbers.user, Floor: 1,
	}
	return nil
}

// offeredFloor is the transport of an offer's floor control, if content is wanted.
func offeredFloor(remote *offer.Description, can media.Capabilities) string {
	if len(can.Content) == 0 {
		return ""
	}
	return remote.WantsFloor()
}

// applyFloor speaks to whom was agreed on.
func (s *sessions) applyFloor(result *offer.Result) error {
	g := result.Floor
	if g == nil || s.floor == nil {
		return nil
	}
	p := link.Params{
		Server: g.Server, Conference: g.Conference, User: g.User, Floors: g.Floors, Name: s.cfg.Floor.Name,
		Remote: g.Remote, Active: g.Active, New: g.Renew,
	}
	if s.cfg.Latching != LatchOff {
		p.Trusted = []netip.Addr{s.signalling.Unmap()}
	}
	if s.floor.Transport() == link.TLS {
		list := make([]secure.Fingerprint, len(g.Fingerprints))
		for i, f := range g.Fingerprints {
			list[i] = secure.Fingerprint{Hash: f.Hash, Value: f.Value}
		}
		var err error
		if p.TLS, err = secure.TLS(list); err != nil {
			return err
		}
	}
	s.floor.Apply(p)
	return nil
}

func (s *sessions) dropFloor() {
	if s.floor != nil {
		s.floor.Close()
		s.floor = nil
	}
}

// floored reports whether floor control stands.
func (s *sessions) floored() bool { return s.floor != nil && s.last != nil && s.last.Floor != nil }

// floorHeard is told by the link what happened. It must not wait; the leg may be
// busy closing the link.
func (l *leg) floorHeard(ev bfcp.Event) {
	if l.offer(gotFloor{ev}) {
		return
	}
	l.e.wg.Add(1)
	go func() {
		defer l.e.wg.Done()
		l.post(gotFloor{ev})
	}()
}

var floorEvents = map[bfcp.Event]call.EventKind{
	bfcp.Requested: call.ContentRequested, bfcp.OursIs: call.ContentGranted, bfcp.Refused: call.ContentRefused,
	bfcp.Lost: call.ContentLost, bfcp.Taken: call.ContentStarted, bfcp.Freed: call.ContentStopped,
}

// floorEvent tells the gateway.
func (l *leg) floorEvent(ev gotFloor) {
	if kind, ok := floorEvents[ev.ev]; ok {
		l.Emit(call.Event{Kind: kind})
		return
	}
	l.log.Debug("floor control", zap.Stringer("event", ev.ev))
}

// RequestContent implements call.ContentHolder by the floor of BFCP. A terminal that
// has no line for slides yet gets one by re-INVITE.
func (l *leg) RequestContent(ctx context.Context) error {
	return l.ask(ctx, func(reply func(error)) event { return wantContent{l.requestContent, reply} })
}

// ReleaseContent implements call.ContentHolder.
func (l *leg) ReleaseContent(ctx context.Context) error {
	return l.ask(ctx, func(reply func(error)) event {
		return wantContent{func(reply func(error)) {
			if l.media.floored() {
				l.media.floor.Release()
			}
			reply(nil)
		}, reply}
	})
}

// AnswerContent implements call.ContentHolder.
func (l *leg) AnswerContent(ctx context.Context, grant bool) error {
	return l.ask(ctx, func(reply func(error)) event {
		return wantContent{func(reply func(error)) {
			if l.media.floored() {
				l.media.floor.Answer(grant)
			}
			reply(nil)
		}, reply}
	})
}

// requestContent runs on the leg's goroutine.
func (l *leg) requestContent(reply func(error)) {
	switch {
	case l.media.Get(media.Content) != nil && l.media.floored():
		l.media.floor.Request()
		reply(nil)
	case l.media.Get(media.Content) != nil: // two pictures, and nobody to ask
		l.Emit(call.Event{Kind: call.ContentGranted})
		reply(nil)
	case l.media.floored() && len(l.can.Content) > 0 && !l.slidesTried:
		l.slidesTried = true
		l.update(wantUpdate{l.can, func(err error) {
			if err != nil {
				reply(err)
				return
			}
			l.requestContent(reply)
		}})
	default:
		reply(errNoContent)
	}
}

package h323

import (
	"bytes"
	"context"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/transport"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/trace"
)

// channel is the H.245 control channel of a leg: what is said (session) and the way
// it travels. The leg's goroutine owns it.
type channel struct {
	leg     *leg
	session *control.Session // nil before our capabilities are known
	early   []*h245.MultimediaSystemControlMessage
	outbox  [][]byte // encoded, and not sent yet
	hasty   [][]byte // sent with the SETUP, before it was known whether they are heard

	// tunnel is whether H.245 travels in call signalling: we would, both said so.
	tunnel  choice
	conn    *transport.Conn // of its own
	chosen  bool            // conn was opened by the right side: no other takes its place
	ours    netip.AddrPort  // where we listen for it, as the far side was told
	theirs  netip.AddrPort  // where the far side listens
	dialled bool            // a connection to theirs is being opened, or was
	ear     *portpool.Listener
	stop    context.CancelFunc // of connections being opened
}

// choice is a decision that may be open.
type choice uint8

const (
	open choice = iota
	yes
	no
)

// maxEarly bounds the H.245 messages that are kept until our capabilities are known.
const maxEarly = 64

// begin makes the session, and hears what was said before.
func (c *channel) begin() error {
	if c.session != nil {
		return nil
	}
	l := c.leg
	s, err := control.New(control.Config{
		Capabilities: l.can, Encryption: string(l.encryption()),
		TerminalType: l.terminalType(),
		Send:         c.say, Emit: l.controlEvent, Local: l.media.local,
		Identity: l.e.identity(), KeepAlive: controlKeepAlive, Yields: !l.e.cfg.Terminal, Security: &l.secrecy,
		Traversal: l.media.traversal,
	})
	if err != nil {
		return err
	}
	c.session = s
	early := c.early
	c.early = nil
	for _, m := range early {
		s.Receive(time.Now(), m)
	}
	c.schedule()
	return nil
}

// controlKeepAlive is how often a roundTripDelayRequest shows that somebody is there.
const controlKeepAlive = 30 * time.Second

// say takes a message of the session.
func (c *channel) say(m *h245.MultimediaSystemControlMessage) {
	pdu, err := m.Marshal()
	if err != nil {
		c.leg.log.Error("H.245 message not encoded", zap.Error(err))
		return
	}
	c.outbox = append(c.outbox, pdu)
}

// hear takes PDUs of the far side, in one item of h245Control or one TPKT.
func (c *channel) hear(pdu []byte) {
	list, err := h245.Parse(pdu)
	if err != nil {
		c.leg.e.counters.malformed.Add(1)
		c.leg.log.Debug("H.245 message not understood", zap.Error(err))
	}
	for _, m := range list {
		switch {
		case c.session != nil && !c.waits():
			c.session.Receive(time.Now(), m)
		case len(c.early) < maxEarly:
			c.early = append(c.early, m)
		}
	}
	c.schedule()
}

// waits reports whether H.245 has to wait for the answer to our half keys: what we can
// encrypt is told at its beginning.
func (c *channel) waits() bool {
	l := c.leg
	return l.secrecy.open() && l.sig != nil && l.sig.State() != callsig.Active
}

// resume goes on when the wait is over.
func (c *channel) resume() {
	if c.session == nil || c.waits() {
		return
	}
	early := c.early
	c.early = nil
	for _, m := range early {
		c.session.Receive(time.Now(), m)
	}
	if c.conn != nil {
		c.start()
	}
	c.schedule()
}

// start opens the conversation, if it can be had.
func (c *channel) start() {
	if c.session != nil && !c.session.Started() && !c.waits() {
		c.session.Start(time.Now())
		c.schedule()
	}
}

// schedule sets the timer of the session.
func (c *channel) schedule() {
	if c.session == nil || c.leg.ended {
		return
	}
	if next := c.session.Next(); !next.IsZero() {
		c.leg.after(timerTick, max(time.Until(next), time.Millisecond))
	} else {
		c.leg.stop(timerTick)
	}
}

// tick lets time pass.
func (c *channel) tick() {
	if c.session != nil {
		c.session.Tick(time.Now())
		c.schedule()
	}
}

// items are the channels of fast start as a message carries them. One that cannot
// be encoded is left out: the others do.
func items(list []*h245.OpenLogicalChannel) (out [][]byte) {
	for _, o := range list {
		if item, err := o.Marshal(); err == nil {
			out = append(out, item)
		}
	}
	return out
}

// maxItems bounds the channels of fast start that are looked at.
const maxItems = 128

// channels reads those of a message. What cannot be read is passed over, as if it
// had not been proposed.
func channels(list [][]byte) (out []*h245.OpenLogicalChannel) {
	for _, item := range list[:min(len(list), maxItems)] {
		if o, err := h245.ParseOpenLogicalChannel(item); err == nil {
			out = append(out, o)
		}
	}
	return out
}

// take gives what waits to a message of call signalling that goes out anyway.
func (c *channel) take() [][]byte {
	if c.tunnel != yes {
		return nil
	}
	list := c.outbox
	c.outbox = nil
	return list
}

// flush sends what waits, where there is a way.
func (c *channel) flush() {
	if len(c.outbox) == 0 || c.leg.ended {
		return
	}
	switch {
	case c.tunnel == yes:
		c.leg.tunnelControl()
	case c.conn != nil && c.tunnel == no:
		list := c.outbox
		c.outbox = nil
		for _, pdu := range list {
			c.write(pdu)
		}
	}
}

func (c *channel) write(pdu []byte) {
	c.leg.e.tap(false, "H.245", c.conn, pdu)
	c.leg.traceControl(trace.Message{Local: c.conn.Local(), Remote: c.conn.Remote()}, pdu)
	if err := c.conn.Send(pdu); err != nil {
		c.leg.log.Debug("H.245 message not sent", zap.Error(err))
	}
}

// learn takes what a message of call signalling says about the way of H.245.
func (c *channel) learn(m *callsig.Message) {
	if m.Tunnelling != nil && c.tunnel == open {
		c.tunnel = no
		if *m.Tunnelling && c.leg.tunnels() {
			c.tunnel = yes
		} else {
			c.outbox = append(c.hasty, c.outbox...)
		}
		c.hasty = nil
	}
	if m.Tunnelling != nil && !*m.Tunnelling && c.tunnel == yes && c.leg.sig.State() != callsig.Active {
		c.tunnel = no // H.323 clause 8.2.1: once FALSE, it stays FALSE
	}
	if m.H245Address.IsValid() && m.H245Address.Port() != 0 {
		c.theirs = m.H245Address
	}
}

// takes hears what a message of call signalling carries.
func (c *channel) takes(m *callsig.Message) {
	for _, pdu := range m.Control {
		c.hear(pdu)
	}
}

// listen opens our ear for a connection of its own; what it returns is told to the
// far side. It is invalid where there is no port.
func (c *channel) listen() netip.AddrPort {
	if c.ear != nil || c.conn != nil {
		return c.ours
	}
	l := c.leg
	ear, err := l.e.cfg.Ports.Listen(l.media.net.Local, portpool.Options{DSCP: l.media.net.SignallingDSCP})
	if err != nil {
		l.log.Warn("no port for H.245", zap.Error(err))
		return netip.AddrPort{}
	}
	c.ear = ear
	c.ours = netip.AddrPortFrom(l.media.net.Advertised, ear.Port().Port())
	l.task(func() {
		for {
			conn, err := ear.Accept()
			if err != nil {
				return
			}
			wrapped := transport.New(conn, transport.Config{})
			if !l.post(openedControl{conn: wrapped, accepted: true}) {
				wrapped.Abort()
			}
		}
	})
	return c.ours
}

// dial opens a connection to where the far side listens, unless there is one.
func (c *channel) dial() {
	if !c.theirs.IsValid() || c.dialled || c.conn != nil || c.tunnel == yes {
		return
	}
	if c.leg.media.traversal.Serves() { // nobody is where it says: it has to come to us
		if c.ear == nil && c.leg.sig.State() == callsig.Active {
			c.leg.startH245()
		}
		return
	}
	c.tunnel = no
	c.dialled = true
	l, to := c.leg, c.theirs
	ctx, cancel := context.WithCancel(l.life)
	c.stop = cancel
	l.task(func() {
		conn, err := l.e.dialTCP(ctx, to)
		var wrapped *transport.Conn
		if err == nil {
			wrapped = transport.New(conn, transport.Config{})
		}
		if !l.post(openedControl{conn: wrapped, err: err}) && wrapped != nil {
			wrapped.Abort()
		}
	})
}

// opened takes a connection. When both sides have opened one, that of the side with
// the smaller address is closed (H.323 clause 8.2.3).
func (c *channel) opened(ev openedControl) {
	l := c.leg
	if ev.err != nil {
		l.log.Info("no H.245 connection to the far side", zap.Stringer("address", c.theirs), zap.Error(ev.err))
		c.dialled = false
		return
	}
	if c.conn != nil && (c.chosen || !c.prefer(ev.accepted)) || c.tunnel == yes {
		ev.conn.Abort()
		return
	}
	if c.conn != nil {
		c.conn.Abort()
		c.chosen = true
	}
	c.tunnel, c.conn = no, ev.conn
	conn := ev.conn
	l.task(func() {
		_ = conn.Run(func(payload []byte) { l.post(gotControl{conn, payload}) })
		l.post(lostControl{conn})
	})
	c.start()
}

// prefer decides between two connections: whether the newer one is the one to keep.
func (c *channel) prefer(accepted bool) bool {
	smaller := lessAddress(c.ours, c.theirs)
	return accepted == smaller // ours is the smaller one: what we opened goes
}

// lessAddress compares as numbers of IP address and port.
func lessAddress(a, b netip.AddrPort) bool {
	if c := bytes.Compare(a.Addr().AsSlice(), b.Addr().AsSlice()); c != 0 {
		return c < 0
	}
	return a.Port() < b.Port()
}

// packet takes a TPKT of the connection.
func (c *channel) packet(ev gotControl) {
	if ev.conn != c.conn {
		return
	}
	c.leg.e.tap(true, "H.245", ev.conn, ev.payload)
	c.chosen = true
	if c.conn != nil {
		c.leg.traceControl(trace.Message{In: true, Local: c.conn.Local(), Remote: c.conn.Remote()}, ev.payload)
	}
	c.hear(ev.payload)
}

// lost takes the end of a connection; true when it was the one in use.
func (c *channel) lost(ev lostControl) bool {
	if ev.conn != c.conn {
		return false
	}
	c.conn = nil
	return true
}

// close says endSession and closes what is open. Tunnelled messages that still wait
// were taken by the RELEASE COMPLETE.
func (c *channel) close() {
	if c.stop != nil {
		c.stop()
	}
	if c.ear != nil {
		_ = c.ear.Close() // nobody is expected any more
	}
	if c.session != nil {
		c.session.Close(time.Now())
	}
	if c.conn != nil {
		for _, pdu := range c.outbox {
			c.write(pdu)
		}
		c.conn.Close()
	}
	c.outbox = nil
}

// reset forgets the control channel of an attempt that failed.
func (c *channel) reset() {
	c.close()
	*c = channel{leg: c.leg}
}

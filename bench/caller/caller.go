// Package caller places H.323 calls that cost the load next to nothing: fast start,
// H.245 within call signalling, one goroutine for each call.
package caller

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/tpkt"
	"github.com/roomgate/roomgate/media"
)

// Call is an answered call.
type Call struct {
	// SetUp is from the SETUP to the CONNECT.
	SetUp    time.Duration
	Answered time.Time

	conn     net.Conn
	reader   *tpkt.Reader
	sig      *callsig.Call
	at       netip.AddrPort // of our media
	done     chan struct{}
	mu       sync.Mutex // of what follows, and of sending
	session  *control.Session
	outbox   [][]byte
	answered bool
}

// ErrRefused is returned for a call that was not answered.
var ErrRefused = errors.New("call refused")

// Place calls an alias from an address, with media at another of ours, and returns
// when the call is answered and sound can be sent.
func Place(ctx context.Context, from netip.Addr, to netip.AddrPort, name string, at netip.AddrPort, can media.Capabilities) (*Call, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from.AsSlice()}}
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	c := &Call{conn: conn, reader: tpkt.NewReader(conn), at: at, done: make(chan struct{})}
	if err := c.place(ctx, to, name, can); err != nil {
		return nil, errors.Join(fmt.Errorf("call to %s: %w", name, err), conn.Close())
	}
	go c.follow()
	return c, nil
}

func (c *Call) place(ctx context.Context, to netip.AddrPort, name string, can media.Capabilities) (err error) {
	c.sig = &callsig.Call{Reference: 1, Caller: true, Self: h225.EndpointType{Terminal: &h225.TerminalInfo{}}}
	rand.Read(c.sig.CallID[:]) // never fails
	c.session, err = control.New(control.Config{
		Capabilities: can, TerminalType: 50, Send: c.say, Emit: func(control.Event) {},
		Local: func(media.Role) (control.Transport, error) { return control.Transport{RTP: c.at, RTCP: c.at}, nil },
	})
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	carry := callsig.Carry{Tunnelling: true}
	for _, o := range c.session.OfferFastStart() {
		if item, err := o.Marshal(); err == nil {
			carry.FastStart = append(carry.FastStart, item)
		}
	}
	began := time.Now()
	err = c.send(c.sig.Setup(callsig.SetupOptions{
		Called: []h225.AliasAddress{alias.Of(name)}, From: []h225.AliasAddress{alias.Of("bench")}, Destination: to, Rate: 64000,
	}, carry))
	for err == nil && !c.answered {
		if err = c.receive(); c.answered && c.SetUp == 0 {
			c.Answered = time.Now()
			c.SetUp = c.Answered.Sub(began)
		}
	}
	for err == nil && !c.stands(media.Audio) && len(can.Audio) > 0 {
		err = c.receive()
	}
	for err == nil && !c.stands(media.Main) && len(can.Video) > 0 {
		err = c.receive()
	}
	if err != nil {
		return err
	}
	return c.conn.SetDeadline(time.Time{})
}

func (c *Call) stands(role media.Role) bool {
	_, ok := c.To(role)
	return ok
}

// To is where packets of a role go.
func (c *Call) To(role media.Role) (netip.AddrPort, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.session.Medium(role)
	if m == nil || !m.RTP.IsValid() {
		return netip.AddrPort{}, false
	}
	return m.RTP, true
}

// say takes a message of the session; c.mu is held.
func (c *Call) say(m *h245.MultimediaSystemControlMessage) {
	if pdu, err := m.Marshal(); err == nil {
		c.outbox = append(c.outbox, pdu)
	}
}

func (c *Call) send(payload []byte, err error) error {
	if err != nil {
		return err
	}
	packet, err := tpkt.Append(nil, payload)
	if err == nil {
		_, err = c.conn.Write(packet)
	}
	return err
}

// receive takes one message.
func (c *Call) receive() error {
	payload, err := c.reader.Next()
	if err != nil {
		return err
	}
	m, err := callsig.Parse(payload)
	if err != nil || m.Err != nil {
		return errors.Join(err, m.Err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sig.Take(m.Type())
	now := time.Now()
	if len(m.FastStart) > 0 && !c.session.Started() {
		var answers []*h245.OpenLogicalChannel
		for _, item := range m.FastStart {
			if o, err := h245.ParseOpenLogicalChannel(item); err == nil {
				answers = append(answers, o)
			}
		}
		if err := c.session.AcceptFastStart(now, answers); err != nil {
			return err
		}
	}
	for _, pdu := range m.Control {
		list, err := h245.Parse(pdu)
		if err != nil {
			return err
		}
		for _, one := range list {
			c.session.Receive(now, one)
		}
	}
	switch m.Type() {
	case q931.Connect:
		c.answered = true
	case q931.ReleaseComplete:
		return fmt.Errorf("%w: %s", ErrRefused, m.Cause())
	}
	if len(c.outbox) == 0 {
		return nil
	}
	list := c.outbox
	c.outbox = nil
	return c.send(c.sig.Tunnel(callsig.Carry{Tunnelling: true, Control: list}))
}

// follow takes what comes until the call is over.
func (c *Call) follow() {
	defer close(c.done)
	for c.receive() == nil {
	}
}

// Hangup ends the call.
func (c *Call) Hangup(context.Context) error {
	c.mu.Lock()
	err := c.send(c.sig.ReleaseComplete(call.Cause{Code: call.NormalClearing}, callsig.Carry{Tunnelling: true}))
	c.mu.Unlock()
	err = errors.Join(err, c.conn.Close())
	<-c.done
	return err
}

package bfcp

import (
	"slices"
	"time"
)

// Client asks a floor control server for the floor: what a terminal is, and a
// gateway towards an MCU.
type Client struct {
	transactions
	state   clientState
	id      uint16 // of our request, once the server has given one
	wanted  bool   // false while asked: released before the answer came
	theirs  bool   // somebody else holds the floor
	greeted bool
	again   time.Time // the next Hello
	asked   time.Time // over a reliable transport: when a FloorRequest is given up
}

var _ Session = (*Client)(nil)

type clientState uint8

const (
	clientIdle  clientState = iota
	clientAsked             // a FloorRequest is out, or pending
	clientHolds
)

// NewClient makes one; Start begins the conversation.
func NewClient(cfg Config) *Client { return &Client{transactions: newTransactions(cfg)} }

// patience is how long a FloorRequest waits for its response over TCP, where it
// may even wait for the connection.
const patience = 5 * time.Second

// Start implements Session: Hello, then FloorQuery to hear of the others.
func (c *Client) Start(now time.Time) {
	c.hello(now)
	if c.state == clientAsked && c.id == 0 && !c.cfg.Unreliable {
		c.askFloor(now) // what was said before the connection stood was not heard
	}
}

func (c *Client) hello(now time.Time) {
	c.later(now)
	c.ask(now, &Hello{}, func(now time.Time, m *Message) {
		if m == nil || c.greeted {
			return
		}
		c.greeted = true
		c.cfg.Emit(Connected)
		c.ask(now, &FloorQuery{Floors: c.cfg.Floors}, func(now time.Time, m *Message) {
			if m != nil {
				c.floorStatus(m)
			}
		})
	})
}

func (c *Client) later(now time.Time) { c.again = now.Add(keepAlive) }

// Next implements Session.
func (c *Client) Next() time.Time { return earliest(earliest(c.next(), c.again), c.asked) }

// Tick implements Session.
func (c *Client) Tick(now time.Time) {
	if !c.again.IsZero() && !now.Before(c.again) {
		if c.cfg.Unreliable || !c.greeted {
			c.hello(now)
		} else {
			c.again = time.Time{}
		}
	}
	if !c.asked.IsZero() && !now.Before(c.asked) {
		c.requestAnswered(now, nil)
	}
	if c.repeat(now) {
		c.lost()
	}
}

// lost: the server does not answer.
func (c *Client) lost() {
	if c.broken {
		return
	}
	c.broken = true
	greeted := c.greeted
	c.bereft()
	if greeted {
		c.cfg.Emit(Broken)
	}
}

// Disconnected implements Session. A FloorRequest that nobody answered yet is asked
// again over the next connection, within its time.
func (c *Client) Disconnected(now time.Time) {
	c.reset()
	c.again = time.Time{}
	deadline := c.asked
	unheard := c.state == clientAsked && c.id == 0 && c.wanted && now.Before(deadline)
	if unheard {
		c.state = clientIdle // nothing was refused
	}
	c.lost()
	if unheard {
		c.state, c.asked = clientAsked, deadline
	}
}

// Receive implements Session.
func (c *Client) Receive(now time.Time, m *Message) {
	c.hear(now, m)
	if c.answered(now, m) {
		return
	}
	unasked := !m.Response && m.Transaction != 0
	switch b := m.Body.(type) {
	case *FloorRequestStatus:
		if unasked {
			c.acknowledge(m, &FloorRequestStatusAck{})
		}
		c.requestStatus(now, b)
	case *FloorStatus:
		if unasked {
			c.acknowledge(m, &FloorStatusAck{})
		}
		c.floorStatus(m)
	case *Hello:
		c.respond(now, m, capable(m.Version))
	case *Goodbye:
		c.respond(now, m, &GoodbyeAck{})
		c.bereft()
	case *Unknown:
		if unasked {
			c.refuse(now, m, UnknownPrimitive, "")
		}
	}
}

func (c *Client) acknowledge(m *Message, b Body) {
	if c.cfg.Unreliable {
		h := c.header(m.Transaction, true)
		h.Conference, h.User = m.Conference, m.User
		c.cfg.Send(&Message{Header: h, Body: b})
	}
}

// bereft: the server is gone, and with it the floor.
func (c *Client) bereft() {
	was := c.state
	c.state, c.id, c.greeted, c.asked = clientIdle, 0, false, time.Time{}
	switch was {
	case clientHolds:
		c.cfg.Emit(Lost)
	case clientAsked:
		c.cfg.Emit(Refused)
	}
	c.setTheirs(false)
}

// Request implements Session.
func (c *Client) Request(now time.Time) {
	switch c.state {
	case clientHolds:
		c.cfg.Emit(OursIs)
	case clientAsked:
		c.wanted = true
	default:
		c.state, c.wanted, c.id = clientAsked, true, 0
		if !c.cfg.Unreliable {
			c.asked = now.Add(patience)
		}
		c.askFloor(now)
	}
}

func (c *Client) askFloor(now time.Time) {
	c.ask(now, &FloorRequest{Floors: c.cfg.Floors[:1]}, c.requestAnswered)
}

// requestAnswered takes the response to a FloorRequest.
func (c *Client) requestAnswered(now time.Time, m *Message) {
	c.asked = time.Time{}
	if m != nil {
		if b, ok := m.Body.(*FloorRequestStatus); ok {
			c.requestStatus(now, b)
			return
		}
	}
	if c.state == clientAsked {
		c.state = clientIdle
		c.cfg.Emit(Refused)
	}
}

// requestStatus follows our request (RFC 8855 §10.1.2).
func (c *Client) requestStatus(now time.Time, b *FloorRequestStatus) {
	info := b.Information
	if info == nil || c.state == clientIdle || c.id != 0 && info.ID != c.id {
		return
	}
	c.id = info.ID
	was := c.state
	switch info.Status() {
	case Pending, Accepted, 0:
		if !c.wanted {
			c.sendRelease(now)
		}
	case Granted:
		if !c.wanted {
			c.sendRelease(now)
			return
		}
		if was != clientHolds {
			c.state = clientHolds
			c.cfg.Emit(OursIs)
		}
	default:
		c.state, c.id = clientIdle, 0
		switch {
		case was == clientHolds:
			c.cfg.Emit(Lost)
		case c.wanted:
			c.cfg.Emit(Refused)
		}
	}
}

// Release implements Session (RFC 8855 §10.2).
func (c *Client) Release(now time.Time) {
	switch {
	case c.state == clientHolds, c.state == clientAsked && c.id != 0:
		c.sendRelease(now)
	case c.state == clientAsked:
		c.wanted = false // the answer will name the request to release
	}
}

func (c *Client) sendRelease(now time.Time) {
	id := c.id
	c.state, c.id, c.wanted = clientIdle, 0, false
	c.ask(now, &FloorRelease{Request: id}, nil)
}

// floorStatus sees whether somebody else holds the floor (RFC 8855 §10.3.2).
func (c *Client) floorStatus(m *Message) {
	b, ok := m.Body.(*FloorStatus)
	if !ok {
		return
	}
	theirs := false
	for _, r := range b.Requests {
		if r.Status() != Granted || r.ID == c.id && c.state == clientHolds {
			continue
		}
		if u := r.Beneficiary; u != nil && u.ID == c.cfg.User || u == nil && r.RequestedBy != nil && r.RequestedBy.ID == c.cfg.User {
			continue
		}
		if len(r.Floors) > 0 && !slices.ContainsFunc(r.Floors, func(f FloorState) bool { return f.Floor == c.cfg.Floors[0] }) {
			continue
		}
		theirs = true
	}
	c.setTheirs(theirs)
}

func (c *Client) setTheirs(theirs bool) {
	if c.theirs == theirs {
		return
	}
	c.theirs = theirs
	if theirs {
		c.cfg.Emit(Taken)
	} else {
		c.cfg.Emit(Freed)
	}
}

// Answer implements Session: a server does not ask.
func (c *Client) Answer(time.Time, bool) {}

// Malformed implements Session.
func (c *Client) Malformed(_ time.Time, m *Message, err error) { c.malformed(m, err) }

// Close implements Session: what we hold goes back.
func (c *Client) Close(now time.Time) {
	if c.id != 0 {
		m := &Message{Header: c.header(c.number(), false), Body: &FloorRelease{Request: c.id}}
		c.cfg.Send(m)
		c.state, c.id = clientIdle, 0
	}
	if c.cfg.Unreliable && c.greeted && c.version == 2 {
		c.cfg.Send(&Message{Header: c.header(c.number(), false), Body: &Goodbye{}})
	}
}

package client

import (
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/exchange"
)

// Client is the side of an endpoint. Safe for concurrent use.
type Client struct {
	c       Config
	log     *zap.Logger
	replies *exchange.Replies
	signer  *auth.Signer
	checker *auth.Checker

	mu       sync.Mutex
	requests *exchange.Requests
	state    State
	hosts    []host // to try, the configured one first
	current  int    // of hosts
	method   auth.Method
	signs    bool      // the gatekeeper has signed, and will again
	next     time.Time // when something has to be done: a keep-alive, another attempt
	failures int       // in a row
	calls    map[CallID]*call
	granted  *h225.RegistrationConfirmPreGrantedARQ
	gkSignal h225.TransportAddress // where calls go that need no admission
}

// host is a gatekeeper that may serve us.
type host struct {
	path     ras.Path
	id       string
	register bool // it does not know us yet
	assigned bool // named by another gatekeeper
}

// New makes a client that begins with its first Tick.
func New(c Config) (*Client, error) {
	if err := c.defaults(); err != nil {
		return nil, err
	}
	cl := &Client{
		c: c, log: c.Log, replies: exchange.NewReplies(20*time.Second, 256), signer: auth.NewSigner(c.Now),
		requests: exchange.NewRequests(), calls: make(map[CallID]*call), state: State{Phase: Waiting},
		hosts: []host{{path: ras.Path{Remote: c.Gatekeeper, Stream: c.Stream}, id: c.GatekeeperID}},
	}
	cl.checker = auth.NewChecker(auth.Config{
		Methods: []auth.Method{auth.Baseline}, Now: c.Now,
		Password: func(string) (string, bool) { return c.Password, true },
	})
	return cl, nil
}

// State tells how the client stands.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// errCoding: a message of ours cannot be coded; encode has logged it.
var errCoding = errors.New("message cannot be coded")

// turn is one step, under the lock; what it collects happens when the lock is gone.
type turn struct {
	*Client
	now   time.Time
	out   []outgoing
	after []func()
}

type outgoing struct {
	to      ras.Path
	pdu     []byte // nil: could not be coded
	answers *exchange.Request
}

func (c *Client) turn(step func(*turn)) {
	t := &turn{Client: c, now: c.c.Now()}
	c.mu.Lock()
	before := c.state.Phase
	step(t)
	if c.state.Phase != before {
		state := c.state
		t.after = append(t.after, func() { c.c.OnState(state) })
	}
	c.mu.Unlock()
	for _, o := range t.out {
		if o.pdu == nil {
			continue
		}
		if o.answers != nil {
			c.replies.Finish(*o.answers, o.pdu)
		}
		c.send(o.to, o.pdu)
	}
	for _, f := range t.after {
		f()
	}
}

func (c *Client) send(to ras.Path, pdu []byte) {
	if to.Stream == nil {
		c.c.Send(to, pdu)
	} else if err := to.Stream.SendRAS(pdu); err != nil {
		c.log.Debug("connection does not take a message", zap.Error(err))
	}
}

// encode signs with the method that was agreed on.
func (t *turn) encode(m *h225.RASMessage) []byte {
	pdu, err := m.Marshal()
	if with, ok := t.credentials(); ok && ras.KindOf(m) != ras.GRQ {
		pdu, err = t.signer.RAS(m, t.method, with)
	}
	if err != nil {
		t.log.Error("message cannot be coded", zap.Stringer("kind", ras.KindOf(m)), zap.Error(err))
		return nil
	}
	return pdu
}

// credentials are what messages are signed with; false: with nothing. The lock is held.
func (c *Client) credentials() (auth.Credentials, bool) {
	with := auth.Credentials{SendersID: c.c.User, GeneralID: c.state.GatekeeperID, Password: c.c.Password}
	if c.method == auth.Baseline && c.state.ID != "" {
		with.SendersID = c.state.ID
	}
	return with, c.method != 0 && c.c.Password != ""
}

// Sign encodes a message of call signalling, signed as those of RAS are when it goes to the
// gatekeeper: nobody else is to see what the password makes.
func (c *Client) Sign(id CallID, m *q931.Message, u *h225.H323UserInformation) ([]byte, error) {
	c.mu.Lock()
	with, ok := c.credentials()
	method, a := c.method, c.calls[id]
	ok = ok && a != nil && a.routed
	c.mu.Unlock()
	if ok {
		pdu, err := c.signer.Signal(m, u, method, with)
		if !errors.Is(err, auth.ErrNoPlace) {
			return pdu, err
		}
	}
	if err := h225.Attach(m, u); err != nil {
		return nil, err
	}
	return m.Marshal()
}

// ask sends a request to the gatekeeper; done runs in a turn of its own.
func (t *turn) ask(to ras.Path, m *h225.RASMessage, done func(*turn, *h225.RASMessage, error)) {
	number, err := t.requests.Number()
	if err != nil {
		done(t, nil, err)
		return
	}
	ras.SetNumber(m, number)
	pdu := t.encode(m)
	if pdu == nil {
		done(t, nil, errCoding)
		return
	}
	c := t.Client
	t.requests.Start(t.now, ras.KindOf(m), number, to, to.Multicast, pdu, func(answer *h225.RASMessage, err error) {
		c.turn(func(t *turn) {
			if err == nil && ras.Reason(answer) != "" {
				err = &Refused{ras.KindOf(answer), ras.Reason(answer)}
			}
			done(t, answer, err)
		})
	})
	t.out = append(t.out, outgoing{to: to, pdu: pdu})
}

// gatekeeper is the one of the moment.
func (t *turn) gatekeeper() *host { return &t.hosts[t.current] }

// Tick does what time brings; Endpoint calls it several times a second.
func (c *Client) Tick() {
	now := c.c.Now()
	c.mu.Lock()
	again, failed := c.requests.Due(now)
	c.mu.Unlock()
	for _, s := range again {
		c.send(s.To, s.PDU)
	}
	for _, done := range failed {
		done(nil, exchange.ErrNoAnswer)
	}
	c.turn(func(t *turn) {
		t.report()
		if t.now.Before(t.next) {
			return
		}
		switch t.state.Phase {
		case Waiting:
			t.begin()
		case Registered:
			if t.state.TimeToLive > 0 {
				t.keepAlive()
			}
		}
	})
}

// alternates notes the gatekeepers to go to when this one does not answer.
func (t *turn) alternates(list []h225.AlternateGK) {
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b h225.AlternateGK) int { return int(a.Priority) - int(b.Priority) })
	present := *t.gatekeeper()
	t.hosts = slices.DeleteFunc(t.hosts, func(h host) bool { return h.assigned && h.path != present.path })
	for _, gk := range list[:min(len(list), 16)] {
		at, ok := alias.AddrPort(&gk.RASAddress)
		if !ok || at.Port() == 0 || slices.ContainsFunc(t.hosts, func(h host) bool { return h.path.Remote == at }) {
			continue
		}
		h := host{path: ras.Path{Remote: at}, register: gk.NeedToRegister, assigned: true}
		if gk.GatekeeperIdentifier != nil {
			h.id = *gk.GatekeeperIdentifier
		}
		t.hosts = append(t.hosts, h)
	}
	t.current = slices.IndexFunc(t.hosts, func(h host) bool { return h.path == present.path })
}

package uac

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/icholy/digest"
)

// Account is who calls.
type Account struct{ User, Password string }

// Call is an answered call.
type Call struct {
	// SetUp is from the first INVITE, which is challenged, to the 200.
	SetUp    time.Duration
	Answered time.Time
	Media    []Media

	agent    *Agent
	exchange *exchange
	request  request
}

// request is what stays the same in the requests of a dialog.
type request struct {
	method, uri   string
	from, to      string
	id            string
	sequence      int
	authorization string // a whole header line, or empty
	contact       string
	body          string
	more          string // further header lines
}

func (a *Agent) format(r request) []byte {
	return a.formatBranch(r, strconv.FormatUint(a.ids.Add(1), 36))
}

func (a *Agent) formatBranch(r request, branch string) []byte {
	b := fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n"+
		"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: %s\r\n%s%s",
		r.method, r.uri, a.local, branch, r.from, r.to, r.id, r.sequence, r.method, r.contact, r.authorization, r.more)
	if r.body != "" {
		b = append(b, "Content-Type: application/sdp\r\n"...)
	}
	return fmt.Appendf(b, "Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
}

// authorize answers the challenge of a 401 or 407 (RFC 8760).
func (r *request) authorize(m message, who Account) error {
	name, reply := "WWW-Authenticate", "Authorization"
	if m.status == 407 {
		name, reply = "Proxy-Authenticate", "Proxy-Authorization"
	}
	var last error
	for _, value := range m.all(name) {
		c, err := digest.ParseChallenge(value)
		if err == nil {
			var answer *digest.Credentials
			answer, err = digest.Digest(c, digest.Options{Method: r.method, URI: r.uri, Username: who.User, Password: who.Password, Count: 1})
			if err == nil {
				r.authorization = fmt.Sprintf("%s: %s\r\n", reply, answer)
				return nil
			}
		}
		last = err
	}
	return fmt.Errorf("challenge of %s: %w", r.method, last)
}

func (a *Agent) newRequest(method, uri, to, id string, who Account) request {
	return request{
		method: method, uri: uri, id: id, sequence: 1, to: "<" + to + ">",
		from:    fmt.Sprintf("<sip:%s@%s>;tag=%d", who.User, a.server.Addr(), a.ids.Add(1)),
		contact: fmt.Sprintf("<sip:%s@%s>", who.User, a.local),
	}
}

// Register binds the account for an hour, answering a challenge.
func (a *Agent) Register(ctx context.Context, who Account) error {
	id, x := a.open()
	defer a.drop(id)
	domain := "sip:" + a.server.Addr().String()
	r := a.newRequest("REGISTER", domain, "sip:"+who.User+"@"+a.server.Addr().String(), id, who)
	r.more = "Expires: 3600\r\n"
	for {
		m, err := a.transact(ctx, x, a.format(r), r.sequence, r.method)
		switch {
		case err != nil:
			return err
		case m.status == 200:
			return nil
		case (m.status == 401 || m.status == 407) && r.authorization == "":
			if err := r.authorize(m, who); err != nil {
				return err
			}
			r.sequence++
		default:
			return refusal(m)
		}
	}
}

func refusal(m message) error {
	after, _ := strconv.Atoi(m.get("Retry-After"))
	return &Refused{Status: m.status, RetryAfter: after}
}

// Invite calls an alias, answers the challenge, and acknowledges the answer.
func (a *Agent) Invite(ctx context.Context, alias, sdp string, who Account) (*Call, error) {
	id, x := a.open()
	uri := fmt.Sprintf("sip:%s@%s", alias, a.server)
	r := a.newRequest("INVITE", uri, uri, id, who)
	r.body, r.more = sdp, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"
	began := time.Now()
	for {
		branch := strconv.FormatUint(a.ids.Add(1), 36)
		m, err := a.transact(ctx, x, a.formatBranch(r, branch), r.sequence, r.method)
		if err != nil {
			a.drop(id)
			return nil, err
		}
		if m.status < 300 {
			return a.confirm(r, m, x, began), nil
		}
		ack := r // of the same transaction (§17.1.1.3)
		ack.method, ack.to, ack.body, ack.more, ack.authorization = "ACK", m.get("To"), "", "", ""
		a.send(a.formatBranch(ack, branch))
		if (m.status != 401 && m.status != 407) || r.authorization != "" {
			a.drop(id)
			return nil, refusal(m)
		}
		if err := r.authorize(m, who); err != nil {
			a.drop(id)
			return nil, err
		}
		r.sequence++
	}
}

// confirm acknowledges a 200; from here the ACK is repeated by itself.
func (a *Agent) confirm(r request, m message, x *exchange, began time.Time) *Call {
	now := time.Now()
	r.to, r.body, r.more, r.authorization = m.get("To"), "", "", ""
	if target := m.contact(); target != "" {
		r.uri = target
	}
	r.method = "ACK"
	ack := a.format(r)
	x.ack.Store(&ack)
	a.send(ack)
	c := &Call{SetUp: now.Sub(began), Answered: now, Media: describe(m.body), agent: a, exchange: x, request: r}
	return c
}

// Ended is closed when the server has hung up.
func (c *Call) Ended() <-chan struct{} { return c.exchange.ended }

// To is where packets of a kind go.
func (c *Call) To(kind string) (Media, bool) {
	for _, m := range c.Media {
		if m.Kind == kind {
			return m, true
		}
	}
	return Media{}, false
}

// Hangup sends BYE and waits for its answer.
func (c *Call) Hangup(ctx context.Context) error {
	defer c.agent.drop(c.request.id)
	select {
	case <-c.exchange.ended:
		return nil
	default:
	}
	r := c.request
	r.method, r.sequence = "BYE", r.sequence+1
	_, err := c.agent.transact(ctx, c.exchange, c.agent.format(r), r.sequence, r.method)
	return err
}

package gatekeeper

import (
	"errors"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

// account finds an account by one of its names.
func (t *turn) account(name string) (Account, bool) { return t.settings.account(name) }

func (s *Settings) account(name string) (Account, bool) {
	if s.Accounts == nil || name == "" {
		return Account{}, false
	}
	return s.Accounts.Account(name)
}

// password serves the checker: who signs calls itself by an alias, or by the
// identifier that it has of us. The lock is held: messages are checked in turns.
func (g *Gatekeeper) password(sender string) (string, bool) {
	if e := g.table.byID[sender]; e != nil {
		sender = e.Account
	}
	a, ok := g.settings.account(ras.TextKey(sender))
	return a.Password, ok
}

// errLocked: too many wrong passwords came from there.
var errLocked = errors.New("locked out")

// check believes the tokens of a message, or says why not: auth.ErrAbsent when there
// are none. user is the name that failures count for.
func (t *turn) check(in *incoming, user string) (account string, method auth.Method, err error) {
	source := in.from.Remote.Addr()
	if t.c.Lockout != nil && t.c.Lockout.Locked(source, user) > 0 {
		return "", 0, errLocked
	}
	who, err := t.checker.RAS(in.message, in.pdu)
	switch {
	case errors.Is(err, auth.ErrAbsent):
		return "", 0, err
	case err != nil:
		t.log.Info("authentication failed", zap.Stringer("remote", in.from.Remote), zap.Stringer("kind", in.kind), zap.Error(err))
		if t.c.Lockout != nil && (errors.Is(err, auth.ErrHash) || errors.Is(err, auth.ErrSender)) {
			t.c.Lockout.Failed(source, user)
		}
		return "", 0, err
	}
	if t.c.Lockout != nil {
		t.c.Lockout.Succeeded(source, user)
	}
	sender := who.Sender
	if e := t.table.byID[sender]; e != nil {
		sender = e.Account
	}
	a, _ := t.account(ras.TextKey(sender))
	return a.Username, who.Method, nil
}

// signFor makes messages to an endpoint carry a token when its method is one that both
// sides sign with (H.235.1).
func (t *turn) signFor(account, id string, method auth.Method) signature {
	a, ok := t.account(account)
	if method != auth.Baseline || !ok {
		return signature{}
	}
	return signature{method, auth.Credentials{SendersID: t.c.ID, GeneralID: id, Password: a.Password}}
}

// proved reports whether a message of a registered endpoint comes from who registered.
// With H.235.1 every message is signed. With the other methods many sign their
// registrations only; for the rest the identifier, which nobody can guess, is proof.
func (t *turn) proved(in *incoming, e *entry) bool {
	if e.Account == "" || e.Method == 0 {
		return true
	}
	in.sign = t.signFor(e.Account, e.ID, e.Method)
	account, _, err := t.check(in, e.Account)
	if errors.Is(err, auth.ErrAbsent) {
		return e.Method != auth.Baseline && in.kind != ras.RRQ
	}
	return err == nil && account == e.Account
}

// canProve reports whether a terminal that searches knows a method of ours. One that
// does not say may still do.
func (t *turn) canProve(q *h225.GatekeeperRequest) bool {
	if len(q.AuthenticationCapability) == 0 {
		return true
	}
	_, ok := auth.Choose(t.c.Methods, q.AuthenticationCapability, q.AlgorithmOIDS)
	return ok
}

// offerMethod tells a terminal how to prove its password (H.225.0 clause 7.8.2).
func (t *turn) offerMethod(q *h225.GatekeeperRequest, c *h225.GatekeeperConfirm) {
	if !t.needsPassword(q.EndpointAlias) {
		return
	}
	if m, ok := auth.Choose(t.c.Methods, q.AuthenticationCapability, q.AlgorithmOIDS); ok {
		mechanism, algorithm := m.Advertise()
		c.AuthenticationMode, c.AlgorithmOID = &mechanism, &algorithm
	}
}

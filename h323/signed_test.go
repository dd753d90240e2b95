package h323_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/ras/gatekeeper"
)

// members all have the same password.
type members struct{}

func (members) Account(name string) (gatekeeper.Account, bool) {
	return gatekeeper.Account{Username: name, Password: "secret"}, true
}

// wiretap keeps the first message of each kind that came in.
type wiretap struct {
	mu       sync.Mutex
	messages map[string][]byte
}

func (w *wiretap) attach(c *h323.Config) {
	w.messages = make(map[string][]byte)
	c.Tap = func(r h323.Record) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if r.In && w.messages[r.Type] == nil {
			w.messages[r.Type] = bytes.Clone(r.Payload)
		}
	}
}

func (w *wiretap) message(t *testing.T, kind string) ([]byte, *h225.H323UserInformation) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	m, err := q931.Parse(w.messages[kind])
	require.NoError(t, err, kind)
	u, err := h225.FromQ931(m)
	require.NoError(t, err, kind)
	return w.messages[kind], u
}

// zoneOf has members only; they prove it by a method.
func zoneOf(t *testing.T, method auth.Method, model gatekeeper.Model, tap *wiretap) *site {
	t.Helper()
	return startZone(t, "127.0.0.1", false, tap.attach, gatekeeper.Config{
		Methods:  []auth.Method{method},
		Settings: gatekeeper.Settings{Mode: gatekeeper.OnlyAccounts, Model: model, Accounts: members{}},
	})
}

// enter starts an agent and registers it.
func enter(t *testing.T, s *site, name string, tap *wiretap) *agent {
	t.Helper()
	a := start(t, func(c *h323.Config) {
		tap.attach(c)
		c.Terminal, c.Aliases = true, []string{name}
	})
	_, err := a.Register(within(t), "h323:"+s.ras.String(), name, "guess")
	require.Error(t, err)
	unregister, err := a.Register(within(t), "h323:"+s.ras.String(), name, "secret")
	require.NoError(t, err)
	t.Cleanup(unregister)
	return a
}

// converse has a call come about and end.
func converse(t *testing.T, from, to *agent, target string) {
	t.Helper()
	caller, err := from.Dial(within(t), call.Target{Address: target, Can: phone})
	require.NoError(t, err)
	callee := to.next()
	require.NoError(t, callee.Accept(within(t), phone))
	stand(t, phone, caller, callee)
	hangUp(t, caller, callee)
}

// Whoever registered with a password signs the signalling of calls through the gatekeeper
// too, as H.235.1 wants it; the signatures are checked over the octets of the wire.
func TestSignedSignalling(t *testing.T) {
	for _, method := range auth.Methods() {
		t.Run(method.String(), func(t *testing.T) {
			var heard wiretap
			s := zoneOf(t, method, gatekeeper.Routed, &heard)
			a := enter(t, s, "room9", new(wiretap))
			r, ok := s.zone.Lookup("room9")
			require.True(t, ok)
			converse(t, a, s.agent, "88001")
			converse(t, s.agent, a, "room9")
			for _, kind := range []string{"SETUP", "CONNECT"} {
				octets, u := heard.message(t, kind)
				for password, want := range map[string]error{"guess": auth.ErrHash, "secret": nil} {
					checker := auth.NewChecker(auth.Config{
						Methods: []auth.Method{method}, GeneralID: "gk", Password: func(string) (string, bool) { return password, true },
					})
					who, err := checker.Signal(u, octets)
					require.ErrorIs(t, err, want, kind)
					if want == nil {
						require.Contains(t, []string{"room9", r.ID}, who.Sender)
					}
				}
			}
		})
	}
}

// What goes to others than the gatekeeper shows nothing that a password could be guessed
// from.
func TestDirectSignallingIsNotSigned(t *testing.T) {
	var caller, callee wiretap
	s := zoneOf(t, auth.Password, gatekeeper.Direct, new(wiretap))
	a, b := enter(t, s, "room8", &caller), enter(t, s, "room9", &callee)
	converse(t, a, b, "room9")
	_, u := callee.message(t, "SETUP")
	require.Empty(t, u.H323UUPDU.H323MessageBody.Setup.CryptoTokens)
	_, u = caller.message(t, "CONNECT")
	require.Empty(t, u.H323UUPDU.H323MessageBody.Connect.CryptoTokens)
}

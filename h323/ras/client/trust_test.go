package client_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/client"
	"github.com/roomgate/roomgate/h323/ras/gatekeeper"
)

// everybody has an account.
type everybody struct{}

func (everybody) Account(name string) (gatekeeper.Account, bool) {
	return gatekeeper.Account{Username: name, Password: "secret"}, true
}

// unsigned takes the signature off confirmations that pass while on.
type unsigned struct {
	t *testing.T
	node
	on bool
}

func (u *unsigned) Receive(from ras.Path, pdu []byte) {
	if m, err := h225.ParseRAS(pdu); err == nil && u.on && m.RegistrationConfirm != nil {
		require.NotEmpty(u.t, m.RegistrationConfirm.CryptoTokens)
		m.RegistrationConfirm.CryptoTokens = nil
		pdu, err = m.Marshal()
		require.NoError(u.t, err)
	}
	u.node.Receive(from, pdu)
}

// Some gatekeepers check signatures and make none (GNU Gatekeeper 5.15). One that has
// signed has to go on.
func TestGatekeeperThatDoesNotSign(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second bool // unsigned at first, afterwards
		stays         bool
	}{
		{"never signs", true, true, true},
		{"signs", false, false, true},
		{"begins to sign", true, false, true},
		{"stops signing", false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork(t)
			n.gatekeeper("192.0.2.1:1719", func(c *gatekeeper.Config) {
				c.Methods = []auth.Method{auth.Baseline}
				c.Settings = gatekeeper.Settings{Mode: gatekeeper.OnlyAccounts, Accounts: everybody{}}
			})
			e := n.client("192.0.2.9:40000", "192.0.2.1:1719", func(c *client.Config) {
				c.User, c.Password, c.Aliases = "room", "secret", c.Aliases[:1]
			})
			for at, node := range n.nodes {
				if node == e.Client {
					n.nodes[at] = &unsigned{t, node, c.first}
				}
			}
			n.pass(time.Second)
			require.Equal(t, client.Registered, e.State().Phase, "%v", e.State().Err)
			for _, node := range n.nodes {
				if u, ok := node.(*unsigned); ok {
					u.on = c.second
				}
			}
			states := len(e.states)
			n.pass(2 * time.Minute)
			if c.stays {
				require.Len(t, e.states, states)
				require.Equal(t, client.Registered, e.State().Phase, "%v", e.State().Err)
			} else {
				require.Greater(t, len(e.states), states)
				require.NotEqual(t, client.Registered, e.states[states].Phase)
			}
		})
	}
}

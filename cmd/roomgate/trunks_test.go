package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/client"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/terminal"
)

// TestOneNodeRegisters: of two nodes on one database one is registered with the carrier,
// a third gateway here; when it is gone the other is. Both call out, and count together.
func TestOneNodeRegisters(t *testing.T) {
	carrier := serve(t, roomAccount)
	at := carrier.n.sip.Addresses()[0].String()
	both := fmt.Sprintf("database: {url: %q}\nsecret_key: %s\nnetworks: [{cidr: 127.0.0.0/8, address: 127.0.0.1}]\n", postgrestest.URL(t), seal.NewKey())
	a, b := serve(t, both), serve(t, both)
	require.Eventually(t, func() bool { return len(a.n.nodes.Peers()) == 1 && len(b.n.nodes.Peers()) == 1 }, 10*time.Second, 10*time.Millisecond)
	_, err := a.n.directory.SaveTrunk(t.Context(), directory.Trunk{
		Name: "vnpt", Username: "room1", Password: "s3cret", Register: true, ProbeSeconds: 2, Targets: []directory.Target{{Address: at}},
		Allowed: []string{"VN"}, MaxPerDay: 2,
	})
	require.NoError(t, err)
	_, err = a.n.directory.SaveRule(t.Context(), directory.Rule{Position: 1, Pattern: `09\d{8}`, ViaTrunk: "vnpt"})
	require.NoError(t, err)
	registered := func(r *running) bool {
		l := r.n.sip.Lines()
		return len(l) == 1 && l[0].Registration.State == sip.Registered
	}
	require.Eventually(t, func() bool {
		return registered(a) != registered(b) && len(b.n.sip.Lines()) == 1 && len(carrier.n.sip.Registrations()) == 1
	}, 15*time.Second, 10*time.Millisecond)
	dial := func(r *running) error {
		_, err := r.api().Dial(t.Context(), client.DialRequest{Target: "tel:0912345678", Meeting: "m"})
		return err
	}
	require.Eventually(t, func() bool { return len(b.n.sip.Lines()[0].Targets) == 1 }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, dial(a))
	require.NoError(t, dial(b))
	for _, r := range []*running{a, b} {
		var problem *client.Problem
		require.ErrorAs(t, dial(r), &problem)
		assert.Equal(t, client.ProblemTrunk+"day-calls", problem.Type)
	}
	states, err := b.api().TrunkStates(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 2, states[0].Today.Calls)

	first, second := a, b
	if registered(b) {
		first, second = b, a
	}
	first.signals <- syscall.SIGTERM
	first.signals <- syscall.SIGTERM // whatever calls there are
	first.ended(20 * time.Second)
	require.Eventually(t, func() bool { return registered(second) && len(carrier.n.sip.Registrations()) == 1 }, 20*time.Second, 10*time.Millisecond)
	c, err := config.Load(second.file)
	require.NoError(t, err)
	assert.Equal(t, []finding{{"trunk vnpt", good, "udp " + at + ", takes the account"}}, checkTrunks(t.Context(), c))
	assert.Len(t, carrier.n.sip.Registrations(), 1, "the check changed nothing")
}

// api is a client of a node.
func (r *running) api() *client.Client {
	return client.New("http://"+r.n.web.listeners[0].Addr().String(), testKey, r.client)
}

// TestRefusalsAreEvents: who is not let out is seen in the stream of events.
func TestRefusalsAreEvents(t *testing.T) {
	r := serve(t, roomAccount)
	_, err := r.n.directory.SaveTrunk(t.Context(), directory.Trunk{Name: "vnpt", Targets: []directory.Target{{Address: "127.0.0.1:9"}}, ProbeSeconds: -1})
	require.NoError(t, err)
	_, err = r.n.directory.SaveRule(t.Context(), directory.Rule{Position: 1, Pattern: `[01]\d+`, ViaTrunk: "vnpt"})
	require.NoError(t, err)
	events := r.n.gateway.Events(t.Context(), 0)
	host := r.n.sip.Addresses()[0].String()
	report, err := terminal.Run(t.Context(), terminal.Options{
		Protocol: "sip", Call: "0912345678@" + host, Register: "room1:s3cret@" + host, Address: "127.0.0.1", AudioOnly: true, Duration: time.Second,
	})
	require.NoError(t, err)
	assert.False(t, report.Connected)
	deadline := time.After(10 * time.Second)
	for {
		select {
		case e := <-events:
			if e.Kind == "trunk.refused" {
				assert.Equal(t, `vnpt out destination: number "0912345678", caller "room1": +84912345678 is not among the destinations of the trunk`, e.Text)
				return
			}
		case <-deadline:
			t.Fatal("no event; " + strings.TrimSpace(report.Cause))
		}
	}
}

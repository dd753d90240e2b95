package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/client"
	"github.com/roomgate/roomgate/terminal"
)

// member is an H.323 terminal's registration with the gateway over real UDP.
type member struct {
	*client.Endpoint
	states chan client.State
}

func (r *running) register(change func(*client.Config)) *member {
	r.t.Helper()
	m := &member{states: make(chan client.State, 64)}
	c := client.Config{
		Gatekeeper: r.n.h323.zone.Addresses()[0],
		Aliases:    []h225.AliasAddress{alias.Of("Phòng họp"), alias.Of("2001")},
		Signalling: func(netip.Addr) netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:1") },
		Vendor:     h225.VendorIdentifier{ProductID: []byte("Terminal"), VersionID: []byte("1.0")},
		OnState:    func(s client.State) { m.states <- s },
	}
	change(&c)
	var err error
	m.Endpoint, err = client.Open(c, "127.0.0.1:0")
	require.NoError(r.t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Serve(ctx) }()
	r.t.Cleanup(func() {
		stop()
		require.NoError(r.t, <-done)
	})
	return m
}

// settles waits until the registration has succeeded or failed.
func (m *member) settles(t *testing.T) client.State {
	t.Helper()
	for {
		select {
		case s := <-m.states:
			if s.Phase == client.Registered || s.Phase == client.Waiting {
				return s
			}
		case <-time.After(10 * time.Second):
			t.Fatal("neither registered nor refused")
		}
	}
}

const gatekeeperOn = `
h323: {ras: "127.0.0.1:0", signalling: "127.0.0.1:0", gatekeeper: {discovery: false}}
accounts: [{username: room1, password: s3cret, aliases: ["1001"]}]
`

// TestGatekeeper: a terminal registers, the API shows it, it may call what leads
// somewhere, and is gone when it leaves.
func TestGatekeeper(t *testing.T) {
	r := serve(t, gatekeeperOn)
	registrations := func() (list []map[string]any) {
		code, body := r.get(false, "/api/v1/registrations")
		require.Equal(t, http.StatusOK, code, body)
		var page struct {
			Registrations []map[string]any `json:"registrations"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &page))
		return page.Registrations
	}
	t.Run("registered", func(t *testing.T) {
		inner := *r
		inner.t = t
		m := inner.register(func(*client.Config) {})
		s := m.settles(t)
		require.Equal(t, client.Registered, s.Phase, "%v", s.Err)
		list := registrations()
		require.Len(t, list, 2, "one line for each alias")
		names := map[string]bool{}
		for _, reg := range list {
			names[reg["alias"].(string)] = true
			require.Equal(t, "h323", reg["protocol"])
			require.Equal(t, "udp", reg["transport"])
			require.Equal(t, "h323:127.0.0.1:1", reg["contact"])
			require.Equal(t, "Terminal 1.0", reg["user_agent"])
		}
		require.Equal(t, map[string]bool{"Phòng họp": true, "2001": true}, names)

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		grant, err := m.Admit(ctx, client.Call{ID: client.CallID{1}, To: []h225.AliasAddress{alias.Of("demo")}, Bandwidth: 768_000})
		require.NoError(t, err)
		require.Equal(t, r.n.h323.Endpoint.Addresses()[0], grant.Signalling)
		require.NoError(t, m.Disengage(ctx, client.CallID{1}))
		r.write(gatekeeperOn + "\ndial_rules: [{pattern: '9.*', reject: forbidden}]\n")
		r.signals <- syscall.SIGHUP
		r.reloads(1)
		_, err = m.Admit(ctx, client.Call{ID: client.CallID{2}, To: []h225.AliasAddress{alias.Of("911")}})
		require.Equal(t, &client.Refused{Kind: ras.ARJ, Reason: "calledPartyNotRegistered"}, err)
	})
	require.Empty(t, registrations(), "it said that it left")
	_, metrics := r.get(false, "/metrics")
	for _, line := range []string{`{direction="in",kind="RRQ"} 1`, `{direction="out",kind="RCF"} 1`, `{direction="out",kind="ARJ"} 1`, `{direction="out",kind="UCF"} 1`} {
		require.Contains(t, metrics, "roomgate_h323_messages_total"+line)
	}

	t.Run("password", func(t *testing.T) {
		inner := *r
		inner.t = t
		own := func(c *client.Config) { c.Aliases = []h225.AliasAddress{alias.Of("1001")} }
		s := inner.register(own).settles(t)
		require.Equal(t, &client.Refused{Kind: ras.RRJ, Reason: "securityDenial"}, s.Err)
		s = inner.register(func(c *client.Config) {
			own(c)
			c.User, c.Password = "room1", "s3cret"
		}).settles(t)
		require.Equal(t, client.Registered, s.Phase, "%v", s.Err)
	})
}

// TestMember: the gateway registers with another gatekeeper as the gateway for a prefix,
// and calls to what only that knows are asked for there.
func TestMember(t *testing.T) {
	parent := serve(t, gatekeeperOn)
	at := parent.n.h323.zone.Addresses()[0]
	r := serve(t, fmt.Sprintf(`
h323: {ras: off, signalling: "127.0.0.1:0", allow_direct: false, register: {gatekeeper: %q, username: room1, password: s3cret, prefixes: ["88"]}}
`, at))
	require.Eventually(t, func() bool {
		found, ok := parent.n.h323.zone.Lookup("88001")
		return ok && found.Account == "room1" && found.Reach() == r.n.h323.Endpoint.Addresses()[0]
	}, 10*time.Second, 10*time.Millisecond)

	// A call from the parent's side comes in although strangers may not call.
	report, err := terminal.Run(t.Context(), terminal.Options{
		Protocol: "h323", Call: "88001@" + parent.n.h323.Endpoint.Addresses()[0].String(), Address: "127.0.0.1", AudioOnly: true, Duration: time.Second,
	})
	require.True(t, report.Connected, "%v", err)
	require.EqualValues(t, 1, r.n.gateway.Status(t.Context()).Total)
	require.Eventually(t, func() bool { // it tells the end of the call
		calls, _ := parent.n.h323.zone.Usage()
		return calls == 0
	}, 10*time.Second, 10*time.Millisecond)
}

// TestTerminalsCallEachOther: both registered with passwords, one dials the other's
// number. In the routed model the gateway is between them, in the direct one it is not.
func TestTerminalsCallEachOther(t *testing.T) {
	for _, model := range []string{"routed", "direct"} {
		t.Run(model, func(t *testing.T) {
			r := serve(t, fmt.Sprintf(`
h323: {ras: "127.0.0.1:0", signalling: "127.0.0.1:0", allow_direct: false, gatekeeper: {discovery: false, mode: %s}}
accounts: [{username: room1, password: s3cret, aliases: ["1001"]}, {username: room2, password: s3cret, aliases: ["1002"]}]
`, model))
			at := r.n.h323.zone.Addresses()[0]
			options := func(user string) terminal.Options {
				return terminal.Options{
					Protocol: "h323", Register: user + ":s3cret@" + at.String(), User: user, Address: "127.0.0.1", AudioOnly: true,
				}
			}
			ready, answered := make(chan struct{}), make(chan terminal.Report, 1)
			go func() {
				o := options("room2")
				o.Listen, o.Ready = true, func(string) { close(ready) }
				report, _ := terminal.Run(t.Context(), o)
				answered <- report
			}()
			<-ready
			caller := options("room1")
			caller.Call, caller.Duration = "1002", time.Second
			report, err := terminal.Run(t.Context(), caller)
			require.NoError(t, err)
			require.True(t, report.Connected)
			require.InDelta(t, 1000, report.Audio.FrequencyHz, 20, "they hear each other")
			require.True(t, (<-answered).Connected)
			require.Equal(t, map[string]uint64{"routed": 2, "direct": 0}[model], r.n.gateway.Status(t.Context()).Total)
			require.Empty(t, r.n.h323.zone.Registrations(), "both left")
		})
	}
}

package sip_test

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/hunt"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// calledOver places a call from a carrier, which has a trunk to us, and gives who we
// think calls.
func calledOver(t *testing.T, a *agent, to call.Target) (remote call.Remote, called string, cause call.CauseCode) {
	t.Helper()
	carrier := start(t, func(c *sip.Config) {
		c.Trunks = []sip.Trunk{{Name: "vnpt", Out: &sip.Outbound{Probe: -1, Username: to.Username, Targets: []hunt.Target{{Address: a.address("udp").String()}}}}}
	})
	if to.Address == "" {
		to.Address = "88001"
	}
	over := ended(over(t, carrier, to))
	select {
	case in := <-a.calls:
		info := in.Info()
		require.NoError(t, in.Hangup(call.Cause{Code: call.UserBusy}))
		await(t, in, call.Ended)
		return info.Remote, info.Called, (<-over).Cause.Code
	case e := <-over:
		return call.Remote{}, "", e.Cause.Code
	}
}

func ended(l call.Leg) <-chan call.Event {
	out := make(chan call.Event, 1)
	go func() {
		for e := range l.Events() {
			if e.Kind == call.Ended {
				out <- e
			}
		}
	}()
	return out
}

// TestWhoCallsOverATrunk: P-Asserted-Identity counts where it is trusted, and nobody
// calls in the name of an account of ours elsewhere.
func TestWhoCallsOverATrunk(t *testing.T) {
	asserted := call.Target{From: "hall", Domain: "rooms.example", Asserted: call.Identity{User: "+84912345678", Name: "An"}}
	for _, tc := range []struct {
		name  string
		trunk sip.Trunk
		to    call.Target
		want  call.Remote // Alias, Name, Private
		cause call.CauseCode
	}{
		{"trusted", sip.Trunk{Networks: loopback, TrustIdentity: true}, asserted, call.Remote{Alias: "+84912345678", Name: "An"}, call.UserBusy},
		{"trusted, withheld", sip.Trunk{Networks: loopback, TrustIdentity: true}, call.Target{From: "x", Asserted: call.Identity{User: "0912345678"}, Anonymous: true}, call.Remote{Alias: "0912345678", Name: "Anonymous", Private: true}, call.UserBusy},
		{"not trusted", sip.Trunk{Networks: loopback}, call.Target{From: "0901", FromName: "B", Domain: "vnpt.vn", Asserted: call.Identity{User: "+84912345678", Name: "An"}}, call.Remote{Alias: "0901", Name: "B"}, call.UserBusy},
		{"not trusted, in the name of an account", sip.Trunk{Networks: loopback}, asserted, call.Remote{}, call.Rejected},
	} {
		t.Run(tc.name, func(t *testing.T) {
			forged := make(chan string, 1)
			a := start(t, func(c *sip.Config) {
				withAccounts(c)
				c.Direct = false
				tc.trunk.Name = "telco"
				c.Trunks = []sip.Trunk{tc.trunk}
				c.OnForged = func(trunk, caller, called string) { forged <- trunk + " " + caller + " " + called }
			})
			remote, _, cause := calledOver(t, a, tc.to)
			assert.Equal(t, tc.cause, cause)
			if cause == call.Rejected {
				assert.Equal(t, "telco hall 88001", <-forged)
				return
			}
			assert.Equal(t, tc.want, call.Remote{Alias: remote.Alias, Name: remote.Name, Private: remote.Private})
			assert.Equal(t, "telco", remote.Trunk)
			assert.False(t, remote.Registered)
		})
	}
}

// TestTrunkByDigest: a trunk may be told by its password, alone or besides its address.
func TestTrunkByDigest(t *testing.T) {
	owns := func(called string) bool { return called == "88001" }
	for _, tc := range []struct {
		name     string
		direct   bool
		networks []netip.Prefix
		to       call.Target
		trunk    string
		cause    call.CauseCode
	}{
		{"digest alone", false, nil, call.Target{From: "0912345678", Username: "acc", Password: "s3cret"}, "telco", call.UserBusy},
		{"digest alone where strangers may call", true, nil, call.Target{From: "0912345678", Username: "acc", Password: "s3cret"}, "telco", call.UserBusy},
		{"a stranger to a number of the trunk", true, nil, call.Target{From: "0912345678"}, "", call.Unauthorized},
		{"a stranger to another number", true, nil, call.Target{From: "0912345678", Address: "88002"}, "", call.UserBusy},
		{"a wrong password", false, nil, call.Target{From: "0912345678", Username: "acc", Password: "wrong"}, "", call.Unauthorized},
		{"address and digest", false, loopback, call.Target{From: "0912345678", Username: "acc", Password: "s3cret"}, "telco", call.UserBusy},
		{"the address without a password", true, loopback, call.Target{From: "0912345678"}, "", call.Unauthorized},
		{"the password of an account from the address", true, loopback, call.Target{From: "0912345678", Username: "hall", Password: "secret"}, "", call.Rejected},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := start(t, func(c *sip.Config) {
				withAccounts(c)
				c.Direct = tc.direct
				c.Trunks = []sip.Trunk{{Name: "telco", Challenge: true, Username: "acc", Password: "s3cret", Owns: owns, Networks: tc.networks}}
			})
			remote, _, cause := calledOver(t, a, tc.to)
			assert.Equal(t, tc.cause, cause)
			assert.Equal(t, tc.trunk, remote.Trunk)
			assert.False(t, remote.Registered)
		})
	}
}

// TestCallToOurContact: a carrier that we are registered with calls our contact; it is
// the trunk without any network, and To says which number was called.
func TestCallToOurContact(t *testing.T) {
	c := newCarrier(t, registrarOf("s3cret", 600))
	a := start(t, func(cfg *sip.Config) {
		withTrunk(func(o *sip.Outbound) { o.Register, o.Username, o.Password = true, "acc", "s3cret" }, c)(cfg)
		cfg.Direct = false
	})
	require.Eventually(t, func() bool { return len(a.Lines()) > 0 && a.Lines()[0].Registration.State == sip.Registered }, patience, time.Millisecond)
	contact := c.got(sipgo.REGISTER)[1].Contact().Address
	for called, extra := range map[string]string{"+842471000001": "", "+842471000002": "P-Called-Party-ID: <sip:+842471000002@vnpt.vn>\r\n"} {
		invite := "INVITE " + contact.String() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + c.at() + ";branch=z9hG4bK" + called[8:] + "\r\nMax-Forwards: 70\r\n" +
			"From: <sip:0912345678@vnpt.vn>;tag=1\r\nTo: <sip:+842471000001@vnpt.vn>\r\nCall-ID: " + called + "\r\nCSeq: 1 INVITE\r\nContact: <sip:c@" + c.at() + ">\r\n" + extra +
			"Content-Type: application/sdp\r\nContent-Length: "
		body := wireSDP
		_, err := c.conn.WriteToUDPAddrPort([]byte(invite+strconv.Itoa(len(body))+"\r\n\r\n"+body), a.address("udp"))
		require.NoError(t, err)
		leg := a.next()
		assert.Equal(t, "vnpt", leg.Info().Remote.Trunk)
		assert.Equal(t, called, leg.Info().Called)
		require.NoError(t, leg.Hangup(call.Cause{Code: call.UserBusy}))
		await(t, leg, call.Ended)
	}
}

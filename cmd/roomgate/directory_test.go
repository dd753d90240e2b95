package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/signature"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras/client"
	"github.com/roomgate/roomgate/terminal"
)

// TestDirectoryAccounts: what is put into the directory may register at once, by
// either protocol, and is called by its aliases; what is taken out may not.
func TestDirectoryAccounts(t *testing.T) {
	r := serve(t, gatekeeperOn)
	call := func() terminal.Report {
		report, _ := terminal.Run(t.Context(), terminal.Options{
			Protocol: "sip", Call: "demo@" + r.n.sip.Addresses()[0].String(), Register: "hall:s3cret-1@" + r.n.sip.Addresses()[0].String(),
			Address: "127.0.0.1", AudioOnly: true, Duration: 500 * time.Millisecond,
		})
		return report
	}
	register := func() client.State {
		return r.register(func(c *client.Config) {
			c.Aliases, c.User, c.Password = []h225.AliasAddress{alias.Of("7001")}, "hall", "s3cret-1"
		}).settles(t)
	}
	assert.False(t, call().Connected, "nobody knows it yet")

	e, err := r.n.directory.SaveEndpoint(t.Context(), directory.Endpoint{
		Name: "Hội trường", Username: "hall", Password: "s3cret-1", Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: "7001"}},
	})
	require.NoError(t, err)
	assert.True(t, call().Connected)
	s := register()
	require.Equal(t, client.Registered, s.Phase, "%v", s.Err)
	assert.True(t, r.n.known("7001"))

	require.NoError(t, r.n.directory.DeleteEndpoint(t.Context(), e.ID, 0))
	assert.False(t, call().Connected)
}

// TestMeetingsAndRulesAreKept: a meeting and a dial rule work at once, and after the
// gateway was started again.
func TestMeetingsAndRulesAreKept(t *testing.T) {
	r := serve(t, "")
	_, err := r.n.gateway.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88001", Name: "Giao ban", GuestPIN: "1234"})
	require.NoError(t, err)
	_, err = r.n.gateway.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88001"})
	assert.ErrorIs(t, err, gateway.ErrMeetingExists)
	_, err = r.n.directory.SaveRule(t.Context(), directory.Rule{Prefix: "77", Meeting: "88001*1234"})
	require.NoError(t, err)

	dials := func(r *running) {
		ctx, hangup := context.WithCancel(t.Context())
		ended := r.call(ctx, "771")
		m, err := r.n.gateway.Meeting("88001")
		require.NoError(t, err)
		assert.Equal(t, 1, m.Legs)
		assert.Equal(t, "Giao ban", m.Name)
		assert.False(t, m.OnDemand)
		hangup()
		<-ended
	}
	dials(r)
	r.signals <- syscall.SIGTERM
	r.ended(20 * time.Second)
	r = r.again()
	dials(r)

	_ = r.n.gateway.DeleteMeeting(t.Context(), "88001") // the meeting server does not answer
	_, ok := r.n.directory.Meeting("88001")
	assert.False(t, ok)
	_, err = r.n.gateway.Meeting("88001")
	assert.ErrorIs(t, err, gateway.ErrNoMeeting)
}

// TestMeetingDeletedElsewhere: when a meeting is deleted on another node, or by the
// command line, its calls end here too.
func TestMeetingDeletedElsewhere(t *testing.T) {
	r := serve(t, "")
	c, err := config.Load(r.file)
	require.NoError(t, err)
	other, err := openDirectory(t.Context(), c, r.n.log)
	require.NoError(t, err)
	defer other.DB.Close()
	_, err = other.SaveMeeting(t.Context(), directory.Meeting{Alias: "88002"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.n.gateway.MeetingExists("88002") }, 10*time.Second, 10*time.Millisecond)
	ended := r.call(t.Context(), "88002")
	require.NoError(t, other.DeleteMeeting(t.Context(), "88002"))
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the call goes on")
	}
}

// TestWebhookIsTold: a call is told to a webhook, signed, in order.
func TestWebhookIsTold(t *testing.T) {
	r := serve(t, "")
	types := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		assert.NoError(t, signature.Verify("a-secret-of-16-chars", req.Header.Get(signature.Header), body, time.Now(), time.Minute))
		types <- req.Header.Get("Roomgate-Event")
	}))
	defer receiver.Close()
	_, err := r.n.directory.SaveWebhook(t.Context(), directory.Webhook{URL: receiver.URL, Secret: "a-secret-of-16-chars", Events: []string{"call.started", "call.ended"}})
	require.NoError(t, err)
	ctx, hangup := context.WithCancel(t.Context())
	ended := r.call(ctx, "demo")
	hangup()
	<-ended
	for _, want := range []string{"call.started", "call.ended"} {
		select {
		case got := <-types:
			assert.Equal(t, want, got)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s was not told", want)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/terminal"
)

// room is a terminal that is registered and answers a call.
type room struct {
	report chan terminal.Report
	leave  context.CancelFunc
}

// room registers a terminal and waits until the gateway knows.
func (r *running) room(protocol, user, password string) *room {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	out := &room{report: make(chan terminal.Report, 1), leave: cancel}
	o := terminal.Options{
		Protocol: protocol, Listen: true, Register: user + ":" + password + "@" + r.n.sip.Addresses()[0].String(), Address: "127.0.0.1", AudioOnly: true,
	}
	if protocol == "h323" {
		o.Register = user + ":" + password + "@" + r.n.h323.zone.Addresses()[0].String()
	}
	go func() {
		report, _ := terminal.Run(ctx, o)
		out.report <- report
	}()
	require.Eventually(r.t, func() bool { return r.n.protocolOf(user) != "" }, 10*time.Second, 10*time.Millisecond)
	return out
}

// rings calls a terminal through the gateway, and wants both to hear.
func (r *running) rings(user string, called *room) {
	r.t.Helper()
	report, err := terminal.Run(r.t.Context(), terminal.Options{
		Protocol: "sip", Call: user + "@" + r.n.sip.Addresses()[0].String(), Address: "127.0.0.1", AudioOnly: true, Duration: 4 * time.Second,
	})
	require.NoError(r.t, err)
	assert.True(r.t, report.Connected, "%+v", report)
	select {
	case there := <-called.report:
		assert.True(r.t, there.Connected, "%+v", there)
		require.NotNil(r.t, there.Audio, "%+v", there)
		assert.Positive(r.t, there.Audio.Packets)
	case <-time.After(10 * time.Second):
		r.t.Fatal("the terminal was not called")
	}
}

const roomAccount = "accounts: [{username: room1, password: s3cret}]\n"

// TestBindingsSurviveARestart: a terminal that registered is called after the
// gateway was started again, without registering anew.
func TestBindingsSurviveARestart(t *testing.T) {
	r := serve(t, roomAccount)
	room := r.room("sip", "room1", "s3cret")
	defer room.leave()
	at := r.n.sip.Addresses()[0].String()
	r.signals <- syscall.SIGTERM
	r.ended(20 * time.Second)
	r.base = strings.Replace(r.base, `udp: "127.0.0.1:0"`, fmt.Sprintf("udp: %q", at), 1) // where it was before
	r.write(roomAccount)
	r = r.again()
	require.Equal(t, 1, len(r.n.sip.Registrations()))
	r.rings("room1", room)
}

// TestTwoNodes: register at one node, call through the other, stop the first,
// register at the other, call again. Endpoints and meetings are of both.
func TestTwoNodes(t *testing.T) {
	both := fmt.Sprintf("database: {url: %q}\nsecret_key: %s\nnetworks: [{cidr: 127.0.0.0/8, address: 127.0.0.1}]\n"+
		"h323: {ras: '127.0.0.1:0', signalling: '127.0.0.1:0', gatekeeper: {discovery: false}}\n", postgrestest.URL(t), seal.NewKey())
	a, b := serve(t, both), serve(t, both)
	_, err := a.n.directory.SaveEndpoint(t.Context(), directory.Endpoint{Name: "Phòng 1", Username: "room1", Password: "s3cret"})
	require.NoError(t, err)
	_, err = a.n.directory.SaveEndpoint(t.Context(), directory.Endpoint{Name: "Phòng 2", Username: "room2", Password: "s3cret"})
	require.NoError(t, err)
	_, err = a.n.gateway.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88001"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return b.n.gateway.MeetingExists("88001") && b.n.known("room2") }, 10*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return len(a.n.nodes.Peers()) == 1 && len(b.n.nodes.Peers()) == 1 }, 10*time.Second, 10*time.Millisecond)

	for _, protocol := range []string{"sip", "h323"} {
		user := map[string]string{"sip": "room1", "h323": "room2"}[protocol]
		room := a.room(protocol, user, "s3cret")
		if protocol == "h323" { // written behind, once a second
			require.Eventually(t, func() bool { return b.n.protocolOf(user) != "" }, 10*time.Second, 10*time.Millisecond)
		}
		b.rings(user, room)
		room.leave()
	}
	a.signals <- syscall.SIGTERM
	a.ended(20 * time.Second)
	require.Eventually(t, func() bool { return len(b.n.nodes.Peers()) == 0 }, 20*time.Second, 10*time.Millisecond)
	room := b.room("sip", "room1", "s3cret")
	defer room.leave()
	b.rings("room1", room)
}

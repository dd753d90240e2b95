package sip_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/digest"
)

// register registers a hand-made terminal over UDP.
func (w *wire) register(user, password string) {
	w.t.Helper()
	session := digest.NewSession(user, password)
	var authorization []string
	for cseq := 1; cseq < 4; cseq++ {
		w.branch++
		lines := []string{
			fmt.Sprintf("REGISTER sip:%s SIP/2.0", w.conn.RemoteAddr()),
			fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK-r%s-%d;rport", w.conn.LocalAddr(), w.conn.LocalAddr(), w.branch),
			"Max-Forwards: 70", fmt.Sprintf("From: <sip:%s@127.0.0.1>;tag=r1", user), fmt.Sprintf("To: <sip:%s@127.0.0.1>", user),
			"Call-ID: reg-" + w.callID, fmt.Sprintf("CSeq: %d REGISTER", cseq),
			fmt.Sprintf("Contact: <sip:%s@%s>;expires=120", user, w.conn.LocalAddr()),
		}
		lines = append(append(lines, authorization...), "Content-Length: 0", "", "")
		message := strings.Join(lines, "\r\n")
		_, err := w.conn.Write([]byte(message))
		require.NoError(w.t, err)
		raw := w.raw()
		m, err := sipgo.ParseMessage(raw)
		require.NoError(w.t, err)
		res := m.(*sipgo.Response)
		if res.StatusCode == 200 {
			return
		}
		require.Equal(w.t, 401, res.StatusCode)
		require.NoError(w.t, session.Challenge(res))
		req, err := sipgo.ParseMessage([]byte(message))
		require.NoError(w.t, err)
		require.NoError(w.t, session.Authorize(req.(*sipgo.Request)))
		authorization = []string{"Authorization: " + req.(*sipgo.Request).GetHeader("Authorization").Value()}
	}
	w.t.Fatal("not registered")
}

func (w *wire) raw() []byte {
	w.t.Helper()
	buf := make([]byte, 65535)
	require.NoError(w.t, w.conn.SetReadDeadline(time.Now().Add(patience)))
	n, err := w.conn.Read(buf)
	require.NoError(w.t, err)
	return buf[:n]
}

func withAccounts(c *sip.Config) {
	c.Domains = []string{"rooms.example"}
	c.Accounts = []sip.Account{{User: "hall", Password: "secret", Aliases: []string{"88100"}, Name: "Great Hall"}}
}

// A registered terminal is called by its alias, where it registered from; all
// its bindings ring, and the first to answer gets the call.
func TestCallToRegisteredTerminal(t *testing.T) {
	a := start(t, withAccounts)
	first, second := newWire(t, a), newWire(t, a)
	first.register("hall", "secret")
	second.register("hall", "secret")
	require.Len(t, a.Registrations(), 2)
	for _, address := range []string{"88100", "sip:hall@rooms.example"} {
		leg, err := a.Dial(within(t), call.Target{Address: address, Can: phone})
		require.NoError(t, err)
		one, two := first.expect("INVITE"), second.expect("INVITE")
		first.respond(one, 180, "Ringing", "")
		second.respond(two, 180, "Ringing", "")
		await(t, leg, call.Ringing)
		second.respond(two, 200, "OK", wireSDP)
		await(t, leg, call.Connected)
		first.expect("CANCEL")
		second.expect("ACK")
		first.respond(one, 487, "Request Terminated", "")
		require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
		second.respond(second.expect("BYE"), 200, "OK", "")
	}
	// Known and not registered is not unknown.
	b := start(t, withAccounts)
	leg, err := b.Dial(within(t), call.Target{Address: "88100", Can: phone})
	require.NoError(t, err)
	require.Equal(t, call.Unavailable, await(t, leg, call.Ended).Cause.Code)
}

// A second 2xx of another branch is acknowledged and hung up at once
// (RFC 3261 §13.2.2.4).
func TestSecondAnswerIsEnded(t *testing.T) {
	a := start(t, withAccounts)
	first, second := newWire(t, a), newWire(t, a)
	first.register("hall", "secret")
	second.register("hall", "secret")
	leg, err := a.Dial(within(t), call.Target{Address: "hall", Can: phone})
	require.NoError(t, err)
	one, two := first.expect("INVITE"), second.expect("INVITE")
	first.respond(one, 200, "OK", wireSDP)
	await(t, leg, call.Connected)
	second.respond(two, 200, "OK", wireSDP)
	second.expect("ACK")
	second.respond(second.expect("BYE"), 200, "OK", "")
	first.expect("ACK")
	require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
	first.respond(first.expect("BYE"), 200, "OK", "")
}

// respond answers a request that came.
func (w *wire) respond(req reply, status int, reason, body string) {
	w.t.Helper()
	w.respondAs(strings.ReplaceAll(w.conn.LocalAddr().String(), ":", "-"), req, status, reason, body)
}

// respondAs answers as the fork with a tag; extra are header lines.
func (w *wire) respondAs(tag string, req reply, status int, reason, body string, extra ...string) {
	w.t.Helper()
	to := req.header.Get("To")
	if !strings.Contains(to, "tag=") {
		to += ";tag=" + tag
	}
	lines := []string{fmt.Sprintf("SIP/2.0 %d %s", status, reason)}
	for _, via := range req.header.Values("Via") {
		lines = append(lines, "Via: "+via)
	}
	lines = append(lines, "From: "+req.header.Get("From"), "To: "+to, "Call-ID: "+req.header.Get("Call-Id"),
		"CSeq: "+req.header.Get("Cseq"), fmt.Sprintf("Contact: <sip:wire@%s>", w.conn.LocalAddr()))
	lines = append(lines, extra...)
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body)
	_, err := w.conn.Write([]byte(strings.Join(lines, "\r\n")))
	require.NoError(w.t, err)
}

// A fork that answered reliably may change its media before it is over; another
// fork may still win, with an answer of its own (RFC 3262 §5, RFC 6337 §3.1.1).
func TestForkAfterReliableAnswer(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	leg, err := a.Dial(within(t), call.Target{Address: fmt.Sprintf("sip:w@%s", w.conn.LocalAddr()), Can: phone})
	require.NoError(t, err)
	invite := w.expect("INVITE")
	w.respondAs("one", invite, 183, "Session Progress", wireSDP, "Require: 100rel", "RSeq: 5")
	prack := w.expect("PRACK")
	require.Equal(t, "5 "+invite.header.Get("Cseq"), prack.header.Get("Rack"))
	w.respond(prack, 200, "OK", "")
	await(t, leg, call.EarlyMedia)
	// The fork that answered updates its media within its early dialog.
	_, err = w.conn.Write([]byte(strings.Join([]string{
		fmt.Sprintf("UPDATE sip:roomgate@%s SIP/2.0", w.conn.RemoteAddr()),
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bKearly;rport", w.conn.LocalAddr()), "Max-Forwards: 70",
		"From: " + prack.header.Get("To"), "To: " + prack.header.Get("From"), "Call-ID: " + invite.header.Get("Call-Id"),
		"CSeq: 1 UPDATE", fmt.Sprintf("Contact: <sip:wire@%s>", w.conn.LocalAddr()), "Content-Type: application/sdp",
		fmt.Sprintf("Content-Length: %d", len(wireSDP)), "", wireSDP}, "\r\n")))
	require.NoError(t, err)
	updated := w.final("1 UPDATE")
	require.Equal(t, 200, updated.status)
	require.Contains(t, updated.body, "m=audio ")
	w.respondAs("two", invite, 200, "OK", strings.Replace(wireSDP, "RTP/AVP 0 101", "RTP/AVP 8 101", 1))
	ack := w.expect("ACK")
	require.Contains(t, ack.header.Get("To"), "tag=two")
	await(t, leg, call.Connected)
	require.Equal(t, media.PCMA, leg.Info().Streams[0].Send.Codec)
}

// Who calls: with digest, from a trunk, or nobody we know.
func TestWhoCalls(t *testing.T) {
	outside := start(t, nil)
	dial := func(t *testing.T, to *agent, target call.Target) call.Leg {
		target.Address, target.Can = to.uri("88001", "udp"), phone
		leg, err := outside.Dial(within(t), target)
		require.NoError(t, err)
		return leg
	}
	t.Run("digest", func(t *testing.T) {
		a := start(t, func(c *sip.Config) { withAccounts(c); c.Direct = false })
		dial(t, a, call.Target{From: "hall@rooms.example", Username: "hall", Password: "secret"})
		remote := a.next().Info().Remote
		require.True(t, remote.Registered)
		require.Equal(t, "hall", remote.Alias)
		require.Equal(t, "Great Hall", remote.Name)
	})
	t.Run("wrong password", func(t *testing.T) {
		a := start(t, withAccounts)
		leg := dial(t, a, call.Target{From: "hall@rooms.example", Username: "hall", Password: "wrong"})
		require.Contains(t, []call.CauseCode{call.Unauthorized, call.Rejected}, await(t, leg, call.Ended).Cause.Code)
		require.Empty(t, a.calls)
	})
	t.Run("somebody else's name", func(t *testing.T) {
		a := start(t, withAccounts)
		leg := dial(t, a, call.Target{From: "hall@rooms.example"})
		require.Equal(t, call.Unauthorized, await(t, leg, call.Ended).Cause.Code)
	})
	t.Run("direct", func(t *testing.T) {
		a := start(t, withAccounts)
		dial(t, a, call.Target{From: "someone@elsewhere.example"})
		remote := a.next().Info().Remote
		require.False(t, remote.Registered)
		require.Empty(t, remote.Trunk)
	})
	t.Run("direct is off", func(t *testing.T) {
		a := start(t, func(c *sip.Config) { withAccounts(c); c.Direct = false })
		leg := dial(t, a, call.Target{From: "someone@elsewhere.example"})
		require.Equal(t, call.Unauthorized, await(t, leg, call.Ended).Cause.Code)
	})
	t.Run("trunk", func(t *testing.T) {
		a := start(t, func(c *sip.Config) {
			withAccounts(c)
			c.Direct = false
			c.Trunks = []sip.Trunk{{Name: "telco", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
		})
		dial(t, a, call.Target{From: "+84241234567@telco.example"})
		require.Equal(t, "telco", a.next().Info().Remote.Trunk)
		require.NoError(t, a.Reload(nil, nil, sip.Limits{}))
		leg := dial(t, a, call.Target{From: "+84241234567@telco.example"})
		require.Equal(t, call.Unauthorized, await(t, leg, call.Ended).Cause.Code, "no trunk any more")
	})
}

// A terminal that registered over a connection calls and is called over it,
// without a challenge (RFC 5626 §5.3).
func TestFlowOfARegistration(t *testing.T) {
	a := start(t, withAccounts)
	conn, err := net.Dial("tcp", a.address("tcp").String())
	require.NoError(t, err)
	defer conn.Close()
	reader := textproto.NewReader(bufio.NewReader(conn))
	write := func(lines ...string) {
		_, err := conn.Write([]byte(strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n")))
		require.NoError(t, err)
	}
	session := digest.NewSession("hall", "secret")
	var authorization string
	for cseq := 1; ; cseq++ {
		lines := []string{
			"REGISTER sip:rooms.example SIP/2.0", fmt.Sprintf("Via: SIP/2.0/TCP 10.9.9.9:5060;branch=z9hG4bKf%d;rport", cseq),
			"From: <sip:hall@rooms.example>;tag=f", "To: <sip:hall@rooms.example>", "Call-ID: flow",
			fmt.Sprintf("CSeq: %d REGISTER", cseq), "Contact: <sip:hall@10.9.9.9:5060;transport=tcp>;expires=120", "Max-Forwards: 70",
		}
		if authorization != "" {
			lines = append(lines, "Authorization: "+authorization)
		}
		write(lines...)
		line, err := reader.ReadLine()
		require.NoError(t, err)
		header, err := reader.ReadMIMEHeader()
		require.NoError(t, err)
		if strings.Contains(line, " 200 ") {
			break
		}
		require.Contains(t, line, " 401 ")
		res := sipgo.NewResponse(401, "Unauthorized")
		for _, h := range header.Values("Www-Authenticate") {
			res.AppendHeader(sipgo.NewHeader("WWW-Authenticate", h))
		}
		require.NoError(t, session.Challenge(res))
		m, err := sipgo.ParseMessage([]byte(strings.Join(append(lines, "", ""), "\r\n")))
		require.NoError(t, err)
		require.NoError(t, session.Authorize(m.(*sipgo.Request)))
		authorization = m.(*sipgo.Request).GetHeader("Authorization").Value()
	}
	write("INVITE sip:88001@rooms.example SIP/2.0", "Via: SIP/2.0/TCP 10.9.9.9:5060;branch=z9hG4bKinv;rport",
		"From: <sip:hall@rooms.example>;tag=i", "To: <sip:88001@rooms.example>", "Call-ID: flow-call", "CSeq: 1 INVITE",
		"Contact: <sip:hall@10.9.9.9:5060;transport=tcp>", "Max-Forwards: 70")
	in := a.next()
	require.True(t, in.Info().Remote.Registered)
	require.NoError(t, in.Hangup(call.Cause{Code: call.UserBusy}))

	leg, err := a.Dial(context.Background(), call.Target{Address: "hall", Can: phone})
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	for {
		line, err := reader.ReadLine()
		require.NoError(t, err)
		if strings.HasPrefix(line, "INVITE sip:hall@10.9.9.9:5060") {
			break
		}
	}
	require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
}

// A registered terminal is asked whether it is still there; any answer counts.
func TestPing(t *testing.T) {
	a := start(t, func(c *sip.Config) { withAccounts(c); c.PingEvery = 100 * time.Millisecond })
	w := newWire(t, a)
	w.register("hall", "secret")
	for range 2 {
		w.respond(w.expect("OPTIONS"), 405, "Method Not Allowed", "")
	}
	require.Len(t, a.Registrations(), 1)
}

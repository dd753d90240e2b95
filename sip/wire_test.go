package sip_test

import (
	"bufio"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip"
)

// wire is a peer that writes SIP by hand: for what no proper user agent sends.
type wire struct {
	t      *testing.T
	conn   *net.UDPConn
	to     string // tag of the far side
	callID string
	branch int
}

func newWire(t *testing.T, a *agent) *wire {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(a.address("udp")))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return &wire{t: t, conn: conn, callID: fmt.Sprintf("%s@wire", conn.LocalAddr())}
}

const wireSDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
	"m=audio 30002 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"

// request writes a request; extra are header lines, body comes with its type.
func (w *wire) request(method string, cseq int, kind, body string, extra ...string) {
	w.t.Helper()
	w.branch++
	to := "<sip:88001@127.0.0.1>"
	if w.to != "" {
		to += ";tag=" + w.to
	}
	lines := []string{
		fmt.Sprintf("%s sip:88001@%s SIP/2.0", method, w.conn.RemoteAddr()),
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK-%s-%d;rport", w.conn.LocalAddr(), w.conn.LocalAddr(), w.branch),
		"Max-Forwards: 70",
		"From: <sip:wire@127.0.0.1>;tag=w1",
		"To: " + to,
		"Call-ID: " + w.callID,
		fmt.Sprintf("CSeq: %d %s", cseq, method),
		fmt.Sprintf("Contact: <sip:wire@%s>", w.conn.LocalAddr()),
	}
	lines = append(lines, extra...)
	if body != "" {
		lines = append(lines, "Content-Type: "+kind)
	}
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body)
	_, err := w.conn.Write([]byte(strings.Join(lines, "\r\n")))
	require.NoError(w.t, err)
}

// reply is a message that came.
type reply struct {
	line   string
	status int
	header textproto.MIMEHeader
	body   string
}

// read takes the next message.
func (w *wire) read() (reply, bool) {
	buf := make([]byte, 65535)
	require.NoError(w.t, w.conn.SetReadDeadline(time.Now().Add(patience)))
	n, err := w.conn.Read(buf)
	if err != nil {
		return reply{}, false
	}
	head, body, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
	line, rest, _ := strings.Cut(head, "\r\n")
	header, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(rest + "\r\n\r\n"))).ReadMIMEHeader()
	r := reply{line: line, header: header, body: body}
	_, _ = fmt.Sscanf(line, "SIP/2.0 %d", &r.status)
	return r, true
}

// final takes the final response to a request with this CSeq.
func (w *wire) final(cseq string) reply {
	w.t.Helper()
	for {
		r, ok := w.read()
		if !ok {
			w.t.Fatalf("no final response to %s", cseq)
		}
		if r.status >= 200 && r.header.Get("Cseq") == cseq {
			return r
		}
	}
}

// expect takes a request of the far side.
func (w *wire) expect(method string) reply {
	w.t.Helper()
	for {
		r, ok := w.read()
		if !ok {
			w.t.Fatalf("no %s came", method)
		}
		if strings.HasPrefix(r.line, method+" ") {
			return r
		}
	}
}

var tagOf = regexp.MustCompile(`tag=([^;>\s]+)`)

// establish sets a call up by hand.
func (w *wire) establish(a *agent) call.Leg {
	w.t.Helper()
	w.request("INVITE", 1, "application/sdp", wireSDP)
	leg := a.next()
	accepted := make(chan error, 1)
	go func() { accepted <- leg.Accept(within(w.t), phone) }()
	ok := w.final("1 INVITE")
	require.Equal(w.t, 200, ok.status)
	w.to = tagOf.FindStringSubmatch(ok.header.Get("To"))[1]
	w.request("ACK", 1, "", "")
	require.NoError(w.t, <-accepted)
	await(w.t, leg, call.Connected)
	return leg
}

// Requests outside of a call get what RFC 3261 §8.2 asks for.
func TestOutsideOfACall(t *testing.T) {
	a := start(t, nil)
	for _, tc := range []struct {
		name, method, kind, body string
		extra                    []string
		status                   int
		header, holds            string
	}{
		{name: "options", method: "OPTIONS", status: 200, header: "Allow", holds: "PRACK"},
		{name: "unknown method", method: "FLY", status: 501, header: "Allow", holds: "INVITE"},
		{name: "publish", method: "PUBLISH", status: 405, header: "Allow", holds: "INVITE"},
		{name: "message", method: "MESSAGE", kind: "text/plain", body: "hi", status: 405, header: "Allow", holds: "INVITE"},
		{name: "bye", method: "BYE", status: 481},
		{name: "late cancel", method: "CANCEL", status: 481},
		{name: "info", method: "INFO", status: 481},
		{name: "refer", method: "REFER", status: 403},
		{name: "unknown extension", method: "INVITE", kind: "application/sdp", body: wireSDP,
			extra: []string{"Require: 100rel, teleport"}, status: 420, header: "Unsupported", holds: "teleport"},
		{name: "no session description", method: "INVITE", kind: "text/html", body: "<p>", status: 415, header: "Accept", holds: "application/sdp"},
		{name: "compressed body", method: "INVITE", kind: "application/sdp", body: wireSDP,
			extra: []string{"Content-Encoding: gzip"}, status: 415, header: "Accept-Encoding", holds: "identity"},
		{name: "short session", method: "INVITE", kind: "application/sdp", body: wireSDP,
			extra: []string{"Supported: timer", "Session-Expires: 30"}, status: 422, header: "Min-Se", holds: "90"},
		{name: "bad session timer", method: "INVITE", kind: "application/sdp", body: wireSDP,
			extra: []string{"Session-Expires: soon"}, status: 400, header: "Warning", holds: "Session-Expires"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWire(t, a)
			w.request(tc.method, 7, tc.kind, tc.body, tc.extra...)
			got := w.final("7 " + tc.method)
			require.Equal(t, tc.status, got.status, got.line)
			require.Contains(t, strings.Join(got.header.Values(tc.header), ", "), tc.holds)
			require.NotEmpty(t, tagOf.FindString(got.header.Get("To")), "a final response has a To tag")
			if tc.method == "INVITE" {
				w.to = tagOf.FindStringSubmatch(got.header.Get("To"))[1]
				w.branch-- // the ACK to a refusal is of the same transaction
				w.request("ACK", 7, "", "")
			}
		})
	}
}

// One INVITE over two paths is one call (RFC 3261 §8.2.2.2).
func TestMergedRequest(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	w.request("INVITE", 1, "application/sdp", wireSDP)
	leg := a.next()
	w.request("INVITE", 1, "application/sdp", wireSDP)
	require.Equal(t, 482, w.final("1 INVITE").status)
	require.NoError(t, leg.Hangup(call.Cause{Code: call.UserBusy}))
	require.Equal(t, 486, w.final("1 INVITE").status)
}

// A retransmission is absorbed and answered alike.
func TestRetransmittedInvite(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	w.request("INVITE", 1, "application/sdp", wireSDP)
	leg := a.next()
	w.branch--
	w.request("INVITE", 1, "application/sdp", wireSDP)
	require.NoError(t, leg.Hangup(call.Cause{Code: call.Unavailable, RetryAfter: 9}))
	got := w.final("1 INVITE")
	require.Equal(t, 480, got.status)
	require.Equal(t, "9", got.header.Get("Retry-After"))
	require.Contains(t, got.header.Get("Reason"), "Q.850;cause=20")
	require.Empty(t, a.calls)
}

// One tag stands in every response, the 487 after CANCEL included.
func TestCancelKeepsTheTag(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	w.request("INVITE", 1, "application/sdp", wireSDP)
	leg := a.next()
	require.NoError(t, leg.Progress(within(t), call.Provisional{Ringing: true}))
	var ringing reply
	for ringing.status != 180 {
		r, ok := w.read()
		require.True(t, ok)
		ringing = r
	}
	w.branch--
	w.request("CANCEL", 1, "", "")
	got := w.final("1 INVITE")
	require.Equal(t, 487, got.status)
	require.Equal(t, ringing.header.Get("To"), got.header.Get("To"))
	require.Equal(t, call.Cancelled, await(t, leg, call.Ended).Cause.Code)
}

// In a call, odd requests get their answer and the call lives.
func TestOddRequestsInACall(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	leg := w.establish(a)
	cseq := 10
	for _, tc := range []struct {
		name, method, kind, body string
		extra                    []string
		status                   int
	}{
		{name: "options", method: "OPTIONS", status: 200},
		{name: "text", method: "MESSAGE", kind: "text/plain", body: "hi", status: 200},
		{name: "unknown", method: "FLY", status: 501},
		{name: "subscribe", method: "SUBSCRIBE", status: 405},
		{name: "prack out of place", method: "PRACK", extra: []string{"RAck: 1 1 INVITE"}, status: 481},
		{name: "cancel out of place", method: "CANCEL", status: 481},
		{name: "notify without subscription", method: "NOTIFY", extra: []string{"Event: refer"}, status: 481},
		{name: "notify of something else", method: "NOTIFY", extra: []string{"Event: presence"}, status: 489},
		{name: "refer without target", method: "REFER", status: 400},
		{name: "empty info", method: "INFO", status: 200},
		{name: "strange info", method: "INFO", kind: "application/x-strange", body: "?", status: 415},
		{name: "unusable offer", method: "INVITE", kind: "application/sdp", body: "v=0\r\n", status: 488},
		{name: "offer without common codec", method: "UPDATE", kind: "application/sdp",
			body: strings.Replace(wireSDP, "0 101", "18 101", 1), status: 488},
		{name: "refresh", method: "UPDATE", status: 200},
		{name: "unknown extension", method: "UPDATE", extra: []string{"Require: teleport"}, status: 420},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cseq++
			w.request(tc.method, cseq, tc.kind, tc.body, tc.extra...)
			got := w.final(fmt.Sprintf("%d %s", cseq, tc.method))
			require.Equal(t, tc.status, got.status, got.line)
			if tc.method == "INVITE" {
				w.branch--
				w.request("ACK", cseq, "", "")
			}
		})
	}
	w.request("INFO", 2, "", "") // a CSeq of the past (RFC 3261 §12.2.2)
	require.Equal(t, 500, w.final("2 INFO").status)
	w.request("BYE", cseq+1, "", "")
	require.Equal(t, 200, w.final(fmt.Sprintf("%d BYE", cseq+1)).status)
	require.Equal(t, call.NormalClearing, await(t, leg, call.Ended).Cause.Code)
	w.request("ACK", 1, "", "") // after BYE: nothing happens
	w.request("INFO", cseq+2, "", "")
	require.Equal(t, 481, w.final(fmt.Sprintf("%d INFO", cseq+2)).status)
}

func TestInfoDigits(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	leg := w.establish(a)
	for i, tc := range []struct{ kind, body string }{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"},
		{"application/dtmf", "5"},
		{"audio/telephone-event", "5"},
	} {
		w.request("INFO", 20+i, tc.kind, tc.body)
		require.Equal(t, 200, w.final(fmt.Sprintf("%d INFO", 20+i)).status)
		require.Equal(t, '5', await(t, leg, call.Keypad).Digit)
	}
}

// Early media that comes while the ringing waits for its PRACK goes out after that,
// and what came last is not forgotten (RFC 3262 §3).
func TestEarlyMediaWhileRingingIsUnacknowledged(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	w.request("INVITE", 1, "application/sdp", wireSDP, "Require: 100rel")
	leg := a.next()
	require.NoError(t, leg.Progress(within(t), call.Provisional{Ringing: true}))
	require.NoError(t, leg.Progress(within(t), call.Provisional{EarlyMedia: &phone}))
	require.NoError(t, leg.Progress(within(t), call.Provisional{Ringing: true}))
	rings := w.provisional()
	require.Equal(t, 180, rings.status, rings.line)
	w.to = tagOf.FindStringSubmatch(rings.header.Get("To"))[1]
	w.request("PRACK", 2, "", "", "RAck: "+rings.header.Get("Rseq")+" 1 INVITE")
	require.Equal(t, 200, w.final("2 PRACK").status)
	early := w.provisional()
	for early.header.Get("Rseq") == rings.header.Get("Rseq") { // sent again before the PRACK came
		early = w.provisional()
	}
	require.Equal(t, 183, early.status, early.line)
	require.Contains(t, early.body, "m=audio")
	await(t, leg, call.MediaChanged)
	accepted := make(chan error, 1)
	go func() { accepted <- leg.Accept(within(t), phone) }()
	w.request("PRACK", 3, "", "", "RAck: "+early.header.Get("Rseq")+" 1 INVITE")
	require.Equal(t, 200, w.final("1 INVITE").status)
	w.request("ACK", 1, "", "")
	require.NoError(t, <-accepted)
}

// provisional takes the next 1xx of the INVITE that says more than 100.
func (w *wire) provisional() reply {
	w.t.Helper()
	for {
		r, ok := w.read()
		if !ok {
			w.t.Fatal("no provisional response")
		}
		if r.status > 100 && r.status < 200 {
			return r
		}
	}
}

// The answer is sent until it is acknowledged, then given up with a BYE
// (RFC 3261 §13.3.1.4).
func TestLostAck(t *testing.T) {
	a := start(t, func(c *sip.Config) { c.T1 = 10 * time.Millisecond })
	w := newWire(t, a)
	w.request("INVITE", 1, "application/sdp", wireSDP)
	leg := a.next()
	accepted := make(chan error, 1)
	go func() { accepted <- leg.Accept(within(t), phone) }()
	ok := w.final("1 INVITE")
	require.Equal(t, 200, ok.status)
	again := w.final("1 INVITE")
	require.Equal(t, ok.body, again.body, "retransmissions are alike")
	w.expect("BYE")
	require.ErrorIs(t, <-accepted, call.ErrEnded)
	require.Equal(t, call.Timeout, await(t, leg, call.Ended).Cause.Code)
}

// A hangup between 200 and ACK waits for the ACK (RFC 3261 §15).
func TestHangupBeforeAck(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	w.request("INVITE", 1, "application/sdp", wireSDP)
	leg := a.next()
	go func() { _ = leg.Accept(within(t), phone) }()
	ok := w.final("1 INVITE")
	require.NoError(t, leg.Hangup(call.Cause{Code: call.Removed}))
	await(t, leg, call.Ended)
	w.to = tagOf.FindStringSubmatch(ok.header.Get("To"))[1]
	w.request("ACK", 1, "", "")
	w.expect("BYE")
}

// A request with a Record-Route gives a route set that our requests follow, and
// a strict router gets the Request-URI (RFC 3261 §12.2.1.1).
func TestRouteSets(t *testing.T) {
	for name, tc := range map[string]struct{ param, line string }{
		"loose":  {";lr", "BYE sip:wire@"},
		"strict": {"", "BYE sip:proxy@"},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, nil)
			w := newWire(t, a)
			proxy, err := net.ListenPacket("udp", "127.0.0.1:0")
			require.NoError(t, err)
			defer proxy.Close()
			w.request("INVITE", 1, "application/sdp", wireSDP, fmt.Sprintf("Record-Route: <sip:proxy@%s%s>", proxy.LocalAddr(), tc.param))
			leg := a.next()
			accepted := make(chan error, 1)
			go func() { accepted <- leg.Accept(within(t), phone) }()
			ok := w.final("1 INVITE")
			require.Contains(t, ok.header.Get("Record-Route"), proxy.LocalAddr().String())
			w.to = tagOf.FindStringSubmatch(ok.header.Get("To"))[1]
			w.request("ACK", 1, "", "")
			require.NoError(t, <-accepted)
			require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
			buf := make([]byte, 4096)
			require.NoError(t, proxy.SetReadDeadline(time.Now().Add(patience)))
			n, _, err := proxy.ReadFrom(buf)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(string(buf[:n]), tc.line), string(buf[:n]))
			require.Contains(t, string(buf[:n]), "\r\nRoute: <sip:")
		})
	}
}

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pen writes SIP by hand, and keeps the answers that belong to what it wrote.
type pen struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	net  string
}

var penCalls atomic.Int64

// newPen connects to the gateway by udp or tcp.
func newPen(t *testing.T, network string) *pen {
	t.Helper()
	conn, err := net.Dial(network, net.JoinHostPort(gatewayIP, strconv.Itoa(sipPort)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &pen{t: t, conn: conn, in: bufio.NewReaderSize(conn, 65536), net: network}
}

func (p *pen) local() string { return p.conn.LocalAddr().String() }

// sheet is one message: the first line, the fields in order, the body.
type sheet struct {
	first  string
	fields []string // "Name: value"
	body   string
}

// parseSheet takes a message apart.
func parseSheet(text string) sheet {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	return sheet{lines[0], lines[1:], body}
}

// value is the first field of a name, or "".
func (s sheet) value(name string) string {
	for _, f := range s.fields {
		if n, v, ok := strings.Cut(f, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// status is that of a response, 0 of a request.
func (s sheet) status() int {
	rest, ok := strings.CutPrefix(s.first, "SIP/2.0 ")
	if !ok || len(rest) < 3 {
		return 0
	}
	n, _ := strconv.Atoi(rest[:3])
	return n
}

func (s sheet) String() string {
	return s.first + "\r\n" + strings.Join(s.fields, "\r\n") + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(s.body), s.body)
}

// request makes one of a call: to is the dialled user, or the remote target
// and tag of a dialog.
func (p *pen) request(method, user, callID string, seq int, toTag, branch, body string, more ...string) sheet {
	uri := fmt.Sprintf("sip:%s@%s", user, gatewayIP)
	s := sheet{first: method + " " + uri + " SIP/2.0", body: body, fields: append([]string{
		fmt.Sprintf("Via: SIP/2.0/%s %s;rport;branch=z9hG4bK%s", strings.ToUpper(p.net), p.local(), branch),
		"Max-Forwards: 70",
		"From: <sip:pen@" + p.local() + ">;tag=pen",
		"To: <" + uri + ">" + toTag,
		"Call-ID: " + callID,
		fmt.Sprintf("CSeq: %d %s", seq, method),
		"Contact: <sip:pen@" + p.local() + ";transport=" + p.net + ">",
	}, more...)}
	if body != "" {
		s.fields = append(s.fields, "Content-Type: application/sdp")
	}
	return s
}

func newCallID() string { return fmt.Sprintf("pen-%d-%d", time.Now().UnixNano(), penCalls.Add(1)) }

func (p *pen) send(s sheet) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, s.String()); err != nil {
		p.t.Fatal(err)
	}
}

// receive reads the next message.
func (p *pen) receive() (sheet, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if p.net == "udp" {
		buf := make([]byte, 65536)
		n, err := p.in.Read(buf)
		return parseSheet(string(buf[:n])), err
	}
	var head strings.Builder
	for !strings.HasSuffix(head.String(), "\r\n\r\n") {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return sheet{}, err
		}
		head.WriteString(line)
	}
	s := parseSheet(head.String())
	n, _ := strconv.Atoi(s.value("Content-Length"))
	body := make([]byte, n)
	_, err := io.ReadFull(p.in, body)
	s.body = string(body)
	return s, err
}

// final waits for the final answer to a request of a call.
func (p *pen) final(callID, cseq string) sheet {
	p.t.Helper()
	for {
		s, err := p.receive()
		if err != nil {
			p.t.Fatalf("no final answer to %s: %v", cseq, err)
		}
		if s.status() >= 200 && s.value("Call-ID") == callID && s.value("CSeq") == cseq {
			return s
		}
	}
}

// toTag is the tag of the gateway with its semicolon, as written in To.
func toTag(s sheet) string {
	_, tag, ok := strings.Cut(s.value("To"), ";tag=")
	if !ok {
		return ""
	}
	return ";tag=" + tag
}

// penSDP offers a phone's audio.
func (p *pen) sdp() string {
	return "v=0\r\no=- 1 1 IN IP4 " + peerIP + "\r\ns=-\r\nc=IN IP4 " + peerIP + "\r\nt=0 0\r\n" +
		"m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
}

// invite calls and returns the final answer, acknowledged.
func (p *pen) invite(user, callID string, more ...string) sheet {
	p.t.Helper()
	p.send(p.request("INVITE", user, callID, 1, "", callID, p.sdp(), more...))
	s := p.final(callID, "1 INVITE")
	branch := callID
	if s.status() == 200 {
		branch += "ack"
	}
	p.send(p.request("ACK", user, callID, 1, toTag(s), branch, ""))
	return s
}

func (p *pen) bye(user, callID string, answer sheet) {
	p.t.Helper()
	p.send(p.request("BYE", user, callID, 9, toTag(answer), callID+"bye", ""))
	if s := p.final(callID, "9 BYE"); s.status() != 200 {
		p.t.Errorf("BYE answered %s", s.first)
	}
}

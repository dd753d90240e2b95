package edge

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

var here = netip.MustParseAddrPort("198.51.100.7:31000")

// screened is a message in plain form, or its fault.
func screened(message string) (string, fault, *screener) {
	s := &screener{}
	out := s.screen(nil, []byte(message), here, true)
	return string(out), s.fault, s
}

// edit replaces a header line of a good request; "" removes it.
func edit(name, line string) string {
	lines := strings.Split(string(options()), "\r\n")
	for i, l := range lines {
		if strings.HasPrefix(l, name+":") || name == "OPTIONS" && i == 0 {
			if line == "" {
				lines = append(lines[:i], lines[i+1:]...)
			} else {
				lines[i] = line
			}
			break
		}
	}
	return strings.Join(lines, "\r\n")
}

func TestPlainForm(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"Via", "v :  SIP / 2.0 / UDP \t h.example.com ; rport ; branch = z9hG4bK1", "Via: SIP/2.0/UDP h.example.com;rport;branch=z9hG4bK1"},
		{"Via", "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1", "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1"},
		{"Via", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=198.51.100.7"},
		{"Via", "Via: SIP/2.0/UDP 10.0.0.1;received=203.0.113.1;rport=1;branch=z9hG4bK1", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport=31000;received=198.51.100.7"},
		{"Via", "Via: SIP/2.0/TCP a;branch=z9hG4bK1;rport, SIP/2.0/UDP b;x=\"y;z\"", "Via: SIP/2.0/TCP a;branch=z9hG4bK1;rport\r\nVia: SIP/2.0/UDP b;x=\"y;z\""},
		{"From", "f:\"A \\\" B\"\r\n <sip:a@example.com> ; tag = 1", "From: \"A \\\" B\" <sip:a@example.com>;tag=1"},
		{"To", "To: sip:demo@example.com;;tag=2;", "To: sip:demo@example.com;tag=2"},
		{"CSeq", "CSEQ : 0001 \t OPTIONS", "CSeq: 0001 OPTIONS"},
		{"Max-Forwards", "k: path,\r\n\toutbound", "Supported: path, outbound"},
		{"Max-Forwards", "m: \"x\\\",\" <sip:a@b>, <sip:c@d> ; q=0.5", "Contact: \"x ',\" <sip:a@b>\r\nContact: <sip:c@d>;q=0.5"},
		{"Max-Forwards", "Contact:*", "Contact: *"},
		{"Max-Forwards", "Record-Route: <sip:a;lr>,<sip:b;lr>", "Record-Route: <sip:a;lr>\r\nRecord-Route: <sip:b;lr>"},
		{"Max-Forwards", "X-Any :  a\r\n  b ", "X-Any: a b"},
	} {
		out, f, _ := screened(edit(c.name, c.in))
		require.Zero(t, f, c.in)
		require.Contains(t, out, "\r\n"+c.want+"\r\n")
		_, err := sip.ParseMessage([]byte(out))
		require.NoError(t, err)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, line string
		status     int
		reason     string
	}{
		{"OPTIONS", "OPTIONS sip:demo@example.com SIP/3.0", 505, "Version Not Supported"},
		{"OPTIONS", "OPTIONS sip:demo@example.com HTTP/1.1", 400, "Malformed Request-Line"},
		{"OPTIONS", "OPT@ONS sip:demo@example.com SIP/2.0", 400, "Malformed Method"},
		{"OPTIONS", "OPTIONS h323:demo@example.com SIP/2.0", 416, "Unsupported URI Scheme"},
		{"OPTIONS", "OPTIONS sip:demo@example.com:99999 SIP/2.0", 400, "Malformed Request-URI"},
		{"OPTIONS", "OPTIONS sip:%zz@example.com SIP/2.0", 400, "Malformed Request-URI"},
		{"OPTIONS", "OPTIONS sip:a@b@c SIP/2.0", 400, "Malformed Request-URI"},
		{"Via", "", 400, "Missing Via"},
		{"Via", "Via: SIP/2.0 UDP h", 400, "Malformed Via"},
		{"Via", "Via: SIP/2.0/UDP h;x=\"a,b\"", 400, "Malformed Via"},
		{"From", "", 400, "Missing From"},
		{"From", "From: \"open <sip:a@b>;tag=1", 400, "Malformed From"},
		{"From", "From: <sip:a@b", 400, "Malformed From"},
		{"To", "To: <sip:a@b>, <sip:c@d>", 400, "Malformed To"},
		{"To", "To: A, B <sip:a@b>", 400, "Malformed To"},
		{"CSeq", "CSeq: 1 INVITE", 400, "CSeq Names Another Method"},
		{"CSeq", "CSeq: 2147483648 OPTIONS", 400, "Malformed CSeq"},
		{"CSeq", "CSeq: 1", 400, "Malformed CSeq"},
		{"Call-ID", "Call-ID: a b", 400, "Malformed Call-ID"},
		{"Call-ID", "Call-ID:", 400, "Malformed Call-ID"},
		{"Max-Forwards", "Max-Forwards: 256", 400, "Malformed Max-Forwards"},
		{"Max-Forwards", "no colon here", 400, "Malformed Header Line"},
		{"Max-Forwards", "Call-ID: again", 400, "Repeated Call-ID"},
		{"Max-Forwards", "Contact: <sip:a@b>, *", 400, "Malformed Contact"},
		{"Max-Forwards", "Content-Type: ", 400, "Malformed Content-Type"},
		{"Content-Length", "Content-Length: 5", 400, "Content-Length Exceeds Message"},
		{"Content-Length", "Content-Length: 99999999999999999999", 400, "Malformed Content-Length"},
	} {
		_, f, s := screened(edit(c.name, c.line))
		require.Equal(t, fault{c.status, c.reason}, f, c.line)
		answer := s.refusal("gateway")
		if c.name == "Via" {
			require.Equal(t, strings.Contains(c.line, ";x="), answer != nil, "sent-by can be read")
			continue
		}
		require.Equal(t, c.status, status(answer))
		require.Contains(t, string(answer), " "+c.reason+"\r\n")
		require.Contains(t, string(answer), "\r\nServer: gateway\r\n")
	}
}

// TestNobodyIsAnsweredElsewhere: an answer goes to the source, whatever Via
// says, and never to an ACK or a response.
func TestNobodyIsAnsweredElsewhere(t *testing.T) {
	bad := edit("CSeq", "CSeq: x")
	for via, want := range map[string]string{
		"SIP/2.0/UDP 203.0.113.9:7000;branch=z9hG4bK1;received=203.0.113.9;rport": "198.51.100.7:31000",
		"SIP/2.0/UDP 203.0.113.9:7000;branch=z9hG4bK1;maddr=203.0.113.9":          "198.51.100.7:7000",
		"SIP/2.0/UDP victim.example.com":                                          "198.51.100.7:5060",
	} {
		lines := strings.Split(bad, "\r\n")
		lines[1] = "Via: " + via
		_, f, s := screened(strings.Join(lines, "\r\n"))
		require.Equal(t, 400, f.status)
		require.Equal(t, want, s.replyTo().String())
		require.NotNil(t, s.refusal(""))
	}
	_, f, s := screened(strings.ReplaceAll(bad, "OPTIONS", "ACK"))
	require.Equal(t, 400, f.status)
	require.Nil(t, s.refusal(""))
	_, f, s = screened(strings.Replace(bad, "OPTIONS sip:demo@example.com SIP/2.0", "SIP/2.0 200 OK", 1))
	require.Equal(t, 400, f.status)
	require.Nil(t, s.refusal(""))
	_, _, s = screened(edit("From", "From: "+strings.Repeat("x", mostEcho)))
	require.Nil(t, s.refusal(""), "nor is much sent back")
}

// TestTagInAnswer: the To of an answer has a tag, the one that came if any.
func TestTagInAnswer(t *testing.T) {
	for to, want := range map[string]string{
		"<sip:demo@example.com>":       "\r\nTo: <sip:demo@example.com>;tag=",
		"<sip:demo@example.com>;tag=x": "\r\nTo: <sip:demo@example.com>;tag=x\r\n",
		"<sip:broken":                  "\r\nTo: <sip:broken\r\n",
	} {
		bad := strings.Replace(edit("CSeq", "CSeq: x"), "To: <sip:demo@example.com>", "To: "+to, 1)
		_, _, s := screened(bad)
		require.Contains(t, string(s.refusal("")), want)
	}
}

// TestOldTransactions: requests of RFC 2543 get a branch that is the same for
// the INVITE, its ACK and its CANCEL.
func TestOldTransactions(t *testing.T) {
	branch := func(method, cseq, to string) string {
		out, f, _ := screened(method + " sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:b@c>" + to +
			"\r\nCall-ID: x\r\nCSeq: " + cseq + " " + method + "\r\n\r\n")
		require.Zero(t, f)
		msg, err := sip.ParseMessage([]byte(out))
		require.NoError(t, err)
		b, ok := msg.Via().Params.Get("branch")
		require.True(t, ok)
		require.Equal(t, "198.51.100.7", msg.Via().Params.GetOr("received", ""))
		return b
	}
	invite := branch("INVITE", "1", "")
	require.Equal(t, invite, branch("ACK", "1", ";tag=9"))
	require.Equal(t, invite, branch("CANCEL", "1", ""))
	require.NotEqual(t, invite, branch("INVITE", "2", ""))
}

// TestEveryPrefixIsRefused: a cut message never passes and never panics.
func TestEveryPrefixIsRefused(t *testing.T) {
	message := string(withBody(10))
	for i := range len(message) {
		_, f, _ := screened(message[:i])
		require.NotZero(t, f.status, "%q", message[:i])
	}
	_, f, _ := screened(message)
	require.Zero(t, f)
}

func TestScreeningAllocatesNothing(t *testing.T) {
	s := &screener{}
	message := options("Contact: <sip:a@10.0.0.1:5060>", "User-Agent: TE40", "Supported: path, outbound")
	out := make([]byte, 0, maxMessage)
	out = s.screen(out, message, here, true)[:0]
	require.Zero(t, s.fault)
	require.Zero(t, testing.AllocsPerRun(100, func() { out = s.screen(out[:0], message, here, true) }))
}

func BenchmarkScreen(b *testing.B) {
	s := &screener{}
	message := options("Contact: <sip:a@10.0.0.1:5060>", "User-Agent: TE40", "Supported: path, outbound")
	out := make([]byte, 0, maxMessage)
	for b.Loop() {
		out = s.screen(out[:0], message, here, true)
	}
}

func seeds(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(tortureDir, "rfc*", "*.dat"))
	require.NoError(f, err)
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add(options())
}

// FuzzScreen: what passes the edge is what the stack can read, and what we
// answer is what anyone can read.
func FuzzScreen(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &screener{}
		out := s.screen(nil, data, here, true)
		if s.fault.status != 0 {
			if answer := s.refusal("x"); answer != nil {
				if bytes.Count(answer, endOfHeaders) != 1 || !bytes.HasSuffix(answer, endOfHeaders) {
					t.Fatalf("%q is answered by %q", data, answer)
				}
			}
			return
		}
		msg, err := sip.ParseMessage(out)
		if err != nil {
			t.Fatalf("%q passed as %q, which the stack refuses: %v", data, out, err)
		}
		if msg.Via() == nil || msg.From() == nil || msg.To() == nil || msg.CallID() == nil || msg.CSeq() == nil {
			t.Fatalf("%q passed as %q without what the stack needs", data, out)
		}
		if req, ok := msg.(*sip.Request); ok {
			if _, err := sip.ServerTxKeyMake(req); err != nil {
				t.Fatalf("%q passed as %q, which is no transaction: %v", data, out, err)
			}
		}
		again := (&screener{}).screen(nil, out, here, true)
		if !bytes.Equal(again, out) {
			t.Fatalf("plain form is not stable: %q, then %q", out, again)
		}
	})
}

// FuzzFrame: however a stream is cut, the same messages come out.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\r\n\r\n"), uint8(1))
	seeds2 := append(options(), withBody(30)...)
	f.Add(seeds2, uint8(7))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		whole := nextFrame(data, 0, 1000)
		from := 0
		var got frame
		for end := 0; end < len(data) && got.length == 0; {
			end = min(len(data), end+int(step)+1)
			got = nextFrame(data[:end], from, 1000)
			from = got.from
		}
		if whole.length != 0 && !whole.over && (got.length != whole.length || got.lost != whole.lost) && !got.over {
			t.Fatalf("%q: %+v at once, %+v in pieces of %d", data, whole, got, int(step)+1)
		}
		if whole.lost && whole.length <= len(data) {
			s := &screener{}
			s.screen(nil, data[:whole.length], here, false)
			if s.fault.status == 0 && !whole.over {
				t.Fatalf("%q cannot be framed, but passes", data)
			}
		}
	})
}

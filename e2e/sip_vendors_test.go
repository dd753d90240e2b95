package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var addresses = regexp.MustCompile(`(?m)^c=IN IP4 \S+`)

// Calls that real products made, sent again as they were but for the
// addresses: the answer takes something of the offer, names nothing else, and
// keeps its lines in order.
func TestVendorCalls(t *testing.T) {
	g := startGateway(t, "")
	files, err := filepath.Glob("../testdata/sip/vendors/*.sip")
	if err != nil || len(files) == 0 {
		t.Fatalf("fixtures: %v", err)
	}
	invites := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "INVITE ") {
			continue
		}
		invites++
		for _, network := range []string{"udp", "tcp"} {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".sip")+" "+network, func(t *testing.T) {
				replay(t, newPen(t, network), parseSheet(string(text)))
			})
		}
	}
	if invites < 8 {
		t.Errorf("%d INVITEs among the fixtures", invites)
	}
	g.noCalls()
}

// replay makes the call of a product and checks the answer.
func replay(t *testing.T, p *pen, call sheet) {
	t.Helper()
	callID := newCallID()
	patched := p.readdress(call, callID)
	p.send(patched)
	cseq := patched.value("CSeq")
	number, _ := strconv.Atoi(strings.Fields(cseq)[0])
	goodbye := fmt.Sprintf("%d BYE", number+1)
	answer := p.final(callID, cseq)
	ack := sheet{first: strings.Replace(patched.first, "INVITE", "ACK", 1), fields: []string{
		"Via: " + patched.value("Via") + "ack", "Max-Forwards: 70", "From: " + patched.value("From"), "To: " + answer.value("To"),
		"Call-ID: " + callID, "CSeq: " + strings.Fields(cseq)[0] + " ACK",
	}}
	switch {
	case strings.Contains(call.value("Require"), "siprec"):
		if answer.status() != 420 || answer.value("Unsupported") != "siprec" {
			t.Errorf("a recording session was answered %s, Unsupported %q", answer.first, answer.value("Unsupported"))
		}
		ack.fields[0] = "Via: " + patched.value("Via")
		p.send(ack)
		return
	case answer.status() != 200:
		t.Fatalf("answered %s: %q", answer.first, answer.value("Warning"))
	case patched.body == "": // the 200 offers; nothing of it is wanted
		ack.fields = append(ack.fields, "Content-Type: application/sdp")
		ack.body = decline(answer.body)
	default:
		checkAnswer(t, patched.body, answer.body)
	}
	p.send(ack)
	bye := ack
	bye.first, bye.body = strings.Replace(ack.first, "ACK", "BYE", 1), ""
	bye.fields = slices.Clone(ack.fields[:6])
	bye.fields[0] += "bye"
	bye.fields[5] = "CSeq: " + goodbye
	p.send(bye)
	if s := p.final(callID, goodbye); s.status() != 200 && s.status() != 481 {
		t.Errorf("BYE answered %s", s.first)
	}
}

// readdress makes a call of a product one of ours: who it goes to, where
// answers and media go to.
func (p *pen) readdress(call sheet, callID string) sheet {
	out := sheet{first: "INVITE sip:88001@" + gatewayIP + " SIP/2.0", body: addresses.ReplaceAllString(call.body, "c=IN IP4 "+peerIP)}
	via := false
	for _, f := range call.fields {
		name, _, _ := strings.Cut(f, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-length", "l", "route", "record-route":
			continue
		case "via", "v":
			if via {
				continue
			}
			via = true
			f = "Via: SIP/2.0/" + strings.ToUpper(p.net) + " " + p.local() + ";rport;branch=z9hG4bK" + callID
		case "call-id", "i":
			f = "Call-ID: " + callID
		case "contact", "m":
			f = "Contact: <sip:product@" + p.local() + ";transport=" + p.net + ">"
		}
		out.fields = append(out.fields, f)
	}
	return out
}

// mediaLine is one m-line with its attributes.
type mediaLine struct {
	kind, port, proto string
	types             []string
	attributes        []string // without "a="
}

func mediaLines(sdp string) (lines []mediaLine, session []string) {
	for _, l := range strings.Split(strings.ReplaceAll(sdp, "\r\n", "\n"), "\n") {
		if m, ok := strings.CutPrefix(l, "m="); ok {
			if f := strings.Fields(m); len(f) >= 3 {
				lines = append(lines, mediaLine{kind: f[0], port: f[1], proto: f[2], types: f[3:]})
			}
			continue
		}
		a, ok := strings.CutPrefix(l, "a=")
		switch {
		case !ok:
		case len(lines) == 0:
			session = append(session, a)
		default:
			lines[len(lines)-1].attributes = append(lines[len(lines)-1].attributes, a)
		}
	}
	return lines, session
}

// having lists attributes of a name.
func (m mediaLine) having(name string) (out []string) {
	for _, a := range m.attributes {
		if v, ok := strings.CutPrefix(a, name+":"); ok {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

// codec is what a payload type means, "" when no a=rtpmap says it.
func (m mediaLine) codec(payloadType string) string {
	for _, a := range m.having("rtpmap") {
		if pt, name, ok := strings.Cut(a, " "); ok && pt == payloadType {
			return strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), "/1")
		}
	}
	return ""
}

// checkAnswer holds an answer against its offer (RFC 3264 §6).
func checkAnswer(t *testing.T, offer, answer string) {
	t.Helper()
	_, body, ok := strings.Cut(offer, "v=0") // the part of a multipart body
	if !ok {
		t.Fatalf("no offer in %q", offer)
	}
	offered, _ := mediaLines("v=0" + body)
	answered, _ := mediaLines(answer)
	if len(offered) != len(answered) {
		t.Fatalf("%d lines answered with %d:\n%s", len(offered), len(answered), answer)
	}
	if !strings.Contains(answer, "c=IN IP4 "+gatewayIP+"\r\n") {
		t.Errorf("media should come to %s:\n%s", gatewayIP, answer)
	}
	taken := 0
	for i, a := range answered {
		o := offered[i]
		if a.kind != o.kind || a.proto != o.proto {
			t.Errorf("line %d: %s %s answered as %s %s", i, o.kind, o.proto, a.kind, a.proto)
		}
		if a.port == "0" {
			continue
		}
		taken++
		checkLine(t, o, a)
	}
	if taken == 0 {
		t.Errorf("nothing was taken:\n%s", answer)
	}
}

// checkLine holds the answer of one line against its offer.
func checkLine(t *testing.T, o, a mediaLine) {
	t.Helper()
	for _, pt := range a.types {
		if !slices.Contains(o.types, pt) {
			t.Errorf("payload type %s was not offered for %s", pt, o.kind)
		}
		if theirs, ours := o.codec(pt), a.codec(pt); theirs != "" && ours != "" && theirs != ours {
			t.Errorf("payload type %s is %s, answered as %s", pt, theirs, ours)
		}
	}
	for _, name := range []string{"rtpmap", "fmtp"} {
		for _, v := range a.having(name) {
			if pt, _, _ := strings.Cut(v, " "); !slices.Contains(a.types, pt) {
				t.Errorf("a=%s:%s is of no payload type on the line", name, v)
			}
		}
	}
	for _, v := range a.having("rtcp-fb") {
		pt, what, _ := strings.Cut(v, " ")
		if !slices.ContainsFunc(o.having("rtcp-fb"), func(f string) bool {
			p, w, _ := strings.Cut(f, " ")
			return (p == pt || p == "*" || pt == "*") && w == what
		}) {
			t.Errorf("a=rtcp-fb:%s was not offered", v)
		}
	}
	for _, v := range a.having("crypto") {
		tag := strings.Fields(v)[:2]
		if !slices.ContainsFunc(o.having("crypto"), func(c string) bool { return slices.Equal(strings.Fields(c)[:2], tag) }) {
			t.Errorf("a=crypto:%s %s was not offered", tag[0], tag[1])
		}
	}
	if len(a.having("crypto")) > 1 {
		t.Error("more than one crypto line taken")
	}
	for _, v := range a.having("extmap") {
		if !slices.Contains(o.having("extmap"), v) {
			t.Errorf("a=extmap:%s was not offered", v)
		}
	}
	if slices.Contains(a.attributes, "rtcp-mux") && !slices.Contains(o.attributes, "rtcp-mux") {
		t.Error("rtcp-mux was not offered")
	}
}

// decline answers an offer with port zero everywhere but for audio in PCMU.
func decline(offer string) string {
	lines, _ := mediaLines(offer)
	var b strings.Builder
	b.WriteString("v=0\r\no=- 1 1 IN IP4 " + peerIP + "\r\ns=-\r\nc=IN IP4 " + peerIP + "\r\nt=0 0\r\n")
	for _, l := range lines {
		if l.kind == "audio" && slices.Contains(l.types, "0") {
			b.WriteString("m=audio 40000 " + l.proto + " 0\r\n")
			continue
		}
		b.WriteString("m=" + l.kind + " 0 " + l.proto + " " + l.types[0] + "\r\n")
	}
	return b.String()
}

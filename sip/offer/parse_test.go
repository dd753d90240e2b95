package offer

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// session puts lines below a usual session part.
func session(lines ...string) string {
	return "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + strings.Join(lines, "\r\n") + "\r\n"
}

func parsed(t testing.TB, body string) *Description {
	t.Helper()
	d, err := Parse([]byte(body), "application/sdp")
	require.NoError(t, err)
	return d
}

func TestParseTolerates(t *testing.T) {
	plain := session("m=audio 4000 RTP/AVP 8", "a=sendonly")
	for _, tc := range []struct {
		name, body string
		skipped    int
	}{
		{"CRLF", plain, 0},
		{"LF only", strings.ReplaceAll(plain, "\r\n", "\n"), 0},
		{"CR only", strings.ReplaceAll(plain, "\r\n", "\r"), 0},
		{"LF CR", strings.ReplaceAll(plain, "\r\n", "\n\r"), 0},
		{"no end of the last line", strings.TrimSuffix(plain, "\r\n"), 0},
		{"empty lines", strings.ReplaceAll(plain, "\r\n", "\r\n\r\n"), 0},
		{"bare CR within a line", strings.Replace(plain, "s=-", "s=a\rb", 1), 1},
		{"spaces at line ends", strings.ReplaceAll(plain, "\r\n", " \r\n"), 0},
		{"no s=, no t=", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\na=sendonly\r\n", 0},
		{"lines out of order", "v=0\r\nt=0 0\r\nb=AS:64\r\nc=IN IP4 192.0.2.1\r\no=- 1 1 IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\na=sendonly\r\nb=AS:64\r\ni=x\r\n", 0},
		{"unknown and broken lines", strings.Replace(plain, "t=0 0", "t=now\r\nx=1\r\nb=AS\r\nb=AS:-1\r\nc=IN IP4\r\nnonsense\r\nt=0 0", 1), 6},
		{"an unknown bandwidth", strings.Replace(plain, "t=0 0", "b=X-YZ:128\r\nt=0 0", 1), 0},
		{"origin without numbers", strings.Replace(plain, "o=- 1 1 ", "o=- abc -5 ", 1), 0},
		{"origin with a large number", strings.Replace(plain, "o=- 1 1 ", "o=- 123456789012345678901234567890 1 ", 1), 0},
		{"origin with spaces in the user", strings.Replace(plain, "o=- 1 1 ", "o=Room 4 1 1 ", 1), 0},
		{"origin without a user", strings.Replace(plain, "o=- 1 1 ", "o= 1 1 ", 1), 0},
		{"origin without an address", strings.Replace(plain, "o=- 1 1 IN IP4 192.0.2.1", "o=- 1 1", 1), 0},
		{"a NUL in an attribute", strings.Replace(plain, "a=sendonly", "a=sendonly\r\na=x\x00", 1), 1},
		{"port range", strings.Replace(plain, "4000", "4000/2", 1), 0},
		{"address with a TTL", strings.Replace(plain, "c=IN IP4 192.0.2.1", "c=IN IP4 192.0.2.1/127", 1), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := Parse([]byte(tc.body), "application/sdp")
			require.NoError(t, err)
			assert.Equal(t, tc.skipped, d.Skipped)
			require.Len(t, d.Sections, 1)
			s := d.Sections[0]
			assert.Equal(t, "audio", s.Kind)
			assert.Equal(t, 4000, s.Port)
			assert.Equal(t, "RTP/AVP", s.Profile)
			assert.Equal(t, netip.MustParseAddr("192.0.2.1"), s.Address)
			assert.Equal(t, media.SendOnly, s.Direction)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	plain := session("m=audio 4000 RTP/AVP 8")
	for _, tc := range []struct {
		name, body string
	}{
		{"no v=", strings.Replace(plain, "v=0\r\n", "", 1)},
		{"another version", strings.Replace(plain, "v=0", "v=1", 1)},
		{"no o=", strings.Replace(plain, "o=", "x=", 1)},
		{"an empty o=", strings.Replace(plain, "o=- 1 1 IN IP4 192.0.2.1", "o=", 1)},
		{"only m-lines without a port", session("m=audio RTP/AVP 8", "m=video x RTP/AVP 97")},
		{"an empty m=", session("m=")},
		{"too many m-lines", session(strings.Repeat("m=audio 1 RTP/AVP 0\r\n", maxSections+1))},
		{"too many lines", session(strings.Repeat("a=x\r\n", maxLines))},
		{"HTML", "<html>"},
	} {
		_, err := Parse([]byte(tc.body), "")
		assert.ErrorIs(t, err, ErrUnusable, tc.name)
	}
}

// An m-line that cannot be used is still answered, in its place.
func TestParseKeepsUnusableLines(t *testing.T) {
	d := parsed(t, session("m=audio x RTP/AVP 8", "m=", "m=application 9 TCP/MRCPv2", "m=audio 4000 RTP/AVP 8"))
	body, r, err := Answer(d, gateway(), nil)
	require.NoError(t, err)
	assert.Equal(t, 3, r.Media[0].Index)
	assert.Contains(t, string(body), "m=audio 0 RTP/AVP 8\r\nm=application 0 RTP/AVP 0\r\nm=application 0 TCP/MRCPv2 *\r\nm=audio 20000 RTP/AVP 8\r\n")
	strict(t, body)
}

func TestParseMultipart(t *testing.T) {
	one := strings.ReplaceAll(session("m=audio 1000 RTP/AVP 8"), "\r\n", "\n")
	two := session("m=audio 2000 RTP/AVP 8")
	part := func(contentType, body string) string { return "--b\r\n" + contentType + "\r\n\r\n" + body + "\r\n" }
	const isSDP = "Content-Disposition: session\r\ncontent-type: application/SDP; charset=utf-8"
	for _, tc := range []struct {
		name, contentType, body string
		port                    int // 0: no SDP
	}{
		{"one part", "multipart/mixed; boundary=b", part(isSDP, two) + "--b--", 2000},
		{"quoted boundary", `multipart/mixed;boundary="b"`, part(isSDP, two) + "--b--\r\n", 2000},
		{"the last of two", "multipart/alternative;boundary=b", part(isSDP, one) + part(isSDP, two) + "--b--", 2000},
		{"the last that is understood", "multipart/alternative;boundary=b", part(isSDP, one) + part("Content-Type: application/new", two) + "--b--", 1000},
		{"the last that can be read", "multipart/alternative;boundary=b", part(isSDP, one) + part(isSDP, "v=0") + "--b--", 1000},
		{"after another part", "multipart/mixed;boundary=b", part("Content-Type: application/isup", "\x01\x00") + part(isSDP, two) + "--b--", 2000},
		{"no content type, boundary guessed", "", part(isSDP, two) + "--b--", 2000},
		{"type with a broken parameter", "multipart/mixed;;boundary", part(isSDP, two) + "--b--", 2000},
		{"no closing delimiter", "multipart/mixed;boundary=b", part(isSDP, two), 2000},
		{"a preamble", "multipart/mixed;boundary=b", "hello\r\n" + part(isSDP, two) + "--b--", 2000},
		{"nested", "multipart/mixed;boundary=b", part("Content-Type: multipart/alternative;boundary=c", "--c\r\n"+isSDP+"\r\n\r\n"+two+"\r\n--c--") + "--b--", 2000},
		{"nothing after the last delimiter", "multipart/mixed;boundary=b", part(isSDP, one) + "--b--\r\n" + part(isSDP, two), 1000},
		{"no SDP", "multipart/mixed;boundary=b", part("Content-Type: text/plain", two) + "--b--", 0},
		{"parts without a type", "multipart/mixed;boundary=b", part("X: y", two) + "--b--", 0},
		{"another boundary", "multipart/mixed;boundary=z", part(isSDP, two) + "--b--", 0},
		{"too deep", "multipart/mixed;boundary=i", nested(9, isSDP+"\r\n\r\n"+two), 0},
		{"not SDP", "text/plain", two, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := Parse([]byte(tc.body), tc.contentType)
			if tc.port == 0 {
				require.ErrorIs(t, err, ErrNoSDP)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.port, d.Sections[0].Port)
		})
	}
}

// nested wraps a part so many times.
func nested(times int, inner string) string {
	for i := range times {
		b := string(rune('a' + i))
		inner = "Content-Type: multipart/mixed;boundary=" + b + "\r\n\r\n--" + b + "\r\n" + inner + "\r\n--" + b + "--"
	}
	_, body, _ := strings.Cut(inner, "\r\n\r\n")
	return body
}

// Every beginning of a body of a real product is read or refused, and answered
// if it is read; none is a reason to fall over.
func TestParsePrefixes(t *testing.T) {
	for _, tc := range vendorOffers {
		body, contentType := fixture(t, tc.file)
		for n := range body {
			d, err := Parse(body[:n], contentType)
			if err != nil {
				require.True(t, isKnown(err), "%v", err)
				continue
			}
			if n%3 != 0 && body[n] != '\r' { // of what ends within a line the answers hardly differ
				continue
			}
			answer, _, err := Answer(d, gateway(), nil)
			if err != nil {
				require.True(t, isKnown(err), "%v", err)
				continue
			}
			a := parsed(t, string(answer))
			require.Empty(t, Check(d, a), "%s[:%d]", tc.file, n)
		}
	}
}

func TestSectionFacts(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		check      func(t *testing.T, s Section)
	}{
		{"c= of the m-line goes before that of the session", session("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"), func(t *testing.T, s Section) {
			assert.Equal(t, netip.MustParseAddr("2001:db8::1"), s.Address)
		}},
		{"zone and brackets go", session("m=audio 4000 RTP/AVP 0", "c=IN IP6 [fe80::1%eth0]"), func(t *testing.T, s Section) {
			assert.Equal(t, netip.MustParseAddr("fe80::1"), s.Address)
		}},
		{"IPv4-mapped", session("m=audio 4000 RTP/AVP 0", "c=IN IP6 ::ffff:192.0.2.9"), func(t *testing.T, s Section) {
			assert.Equal(t, netip.MustParseAddr("192.0.2.9"), s.Address)
		}},
		{"a name", session("m=audio 4000 RTP/AVP 0", "c=IN IP4 media.example.com"), func(t *testing.T, s Section) {
			assert.False(t, s.Address.IsValid())
			assert.Equal(t, "media.example.com", s.Host)
		}},
		{"direction of the session", strings.Replace(session("m=audio 4000 RTP/AVP 0"), "t=0 0", "t=0 0\r\na=RecvOnly", 1), func(t *testing.T, s Section) {
			assert.Equal(t, media.RecvOnly, s.Direction)
		}},
		{"direction of the m-line", strings.Replace(session("m=audio 4000 RTP/AVP 0", "a=INACTIVE"), "t=0 0", "t=0 0\r\na=recvonly", 1), func(t *testing.T, s Section) {
			assert.Equal(t, media.Inactive, s.Direction)
		}},
		{"a=rtcp with a port", session("m=audio 4000 RTP/AVP 0", "a=rtcp:53020"), func(t *testing.T, s Section) {
			_, rtcp := s.destinations(false)
			assert.Equal(t, "192.0.2.1:53020", rtcp.String())
		}},
		{"a=rtcp with an address", session("m=audio 4000 RTP/AVP 0", "a=rtcp:53020 IN IP6 2001:db8::2"), func(t *testing.T, s Section) {
			_, rtcp := s.destinations(false)
			assert.Equal(t, "[2001:db8::2]:53020", rtcp.String())
		}},
		{"RTCP of the last port", session("m=audio 65535 RTP/AVP 0"), func(t *testing.T, s Section) {
			rtp, rtcp := s.destinations(false)
			assert.Equal(t, "192.0.2.1:65535", rtp.String())
			assert.False(t, rtcp.IsValid())
		}},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.check(t, parsed(t, tc.body).Sections[0]) })
	}
}

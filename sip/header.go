package sip

import (
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
)

// What we are, in the headers of our messages.
const (
	allowed   = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, REFER, NOTIFY, MESSAGE, SUBSCRIBE"
	supported = "100rel, timer, norefersub"
	accepted  = "application/sdp, multipart/mixed, application/dtmf-relay, application/dtmf, " +
		"application/media_control+xml, message/sipfrag, text/plain"
)

// extensions are the option tags we can be required to know.
var extensions = map[string]bool{"100rel": true, "timer": true, "norefersub": true}

// headed is a message whose headers can be looked up; both kinds are.
type headed interface {
	GetHeader(name string) sipgo.Header
	GetHeaders(name string) []sipgo.Header
}

// value is the first header of a name, by its long or compact form.
func value(m headed, names ...string) string {
	for _, n := range names {
		if h := m.GetHeader(n); h != nil {
			return strings.TrimSpace(h.Value())
		}
	}
	return ""
}

// tokens are the comma-separated values of all headers of a name, lower-cased.
func tokens(m headed, names ...string) []string {
	var out []string
	for _, n := range names {
		for _, h := range m.GetHeaders(n) {
			for t := range strings.SplitSeq(h.Value(), ",") {
				if t = strings.ToLower(strings.TrimSpace(t)); t != "" {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

func hasToken(m headed, token string, names ...string) bool {
	for _, t := range tokens(m, names...) {
		if t == token {
			return true
		}
	}
	return false
}

func supports(m headed, option string) bool {
	return hasToken(m, option, "supported", "k") || hasToken(m, option, "require")
}

// mediaType is the content type without its parameters, lower-cased.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

func add(m sipgo.Message, name, value string) { m.AppendHeader(sipgo.NewHeader(name, value)) }

// setBody sets a body with its type; an empty one sets neither.
func setBody(m sipgo.Message, contentType string, body []byte) {
	if len(body) == 0 {
		m.SetBody(nil)
		return
	}
	ct := sipgo.ContentTypeHeader(contentType)
	m.AppendHeader(&ct)
	m.SetBody(body)
}

// describe adds what a UAS tells of itself (RFC 3261 §11.2, §13.3.1.4).
func describe(m sipgo.Message) {
	add(m, "Allow", allowed)
	add(m, "Supported", supported)
	add(m, "Allow-Events", "conference, refer")
}

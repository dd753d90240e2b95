package uac

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

// message is a SIP message, as far as a load generator has to read it.
type message struct {
	method string // of a request, or of the CSeq of a response
	status int    // 0: a request
	header []string
	body   string
}

// parse reads a datagram; ok is false for what is no SIP message.
func parse(datagram []byte) (m message, ok bool) {
	head, body, _ := bytes.Cut(datagram, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	m.header, m.body = lines[1:], string(body)
	first := strings.SplitN(lines[0], " ", 3)
	if len(first) < 3 {
		return m, false
	}
	if first[0] != "SIP/2.0" {
		m.method = first[0]
		return m, true
	}
	m.status, _ = strconv.Atoi(first[1])
	_, m.method, _ = strings.Cut(m.get("CSeq"), " ")
	return m, m.status != 0
}

// get is the value of a header.
func (m message) get(name string) string {
	all := m.all(name)
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// all are the values of a header that may stand more than once.
func (m message) all(name string) []string {
	var values []string
	for _, line := range m.header {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.TrimSpace(key), name) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// sequence is the number of the CSeq.
func (m message) sequence() int {
	number, _, _ := strings.Cut(m.get("CSeq"), " ")
	n, _ := strconv.Atoi(number)
	return n
}

// contact is the URI of the Contact.
func (m message) contact() string {
	_, rest, ok := strings.Cut(m.get("Contact"), "<")
	if !ok {
		return ""
	}
	uri, _, _ := strings.Cut(rest, ">")
	return uri
}

// Media is where one line of a session description wants its packets.
type Media struct {
	Kind string // audio, video
	To   netip.AddrPort
}

// describe reads the lines of an answer that were not refused.
func describe(sdp string) []Media {
	var address netip.Addr
	var list []Media
	for line := range strings.Lines(sdp) {
		line = strings.TrimSpace(line)
		if c, ok := strings.CutPrefix(line, "c=IN IP4 "); ok {
			a, err := netip.ParseAddr(c)
			switch {
			case err != nil:
			case len(list) == 0:
				address = a
			default:
				list[len(list)-1].To = netip.AddrPortFrom(a, list[len(list)-1].To.Port())
			}
		}
		if m, ok := strings.CutPrefix(line, "m="); ok {
			words := strings.Fields(m)
			if len(words) < 2 {
				continue
			}
			port, _ := strconv.ParseUint(words[1], 10, 16)
			list = append(list, Media{Kind: words[0], To: netip.AddrPortFrom(address, uint16(port))})
		}
	}
	open := list[:0]
	for _, m := range list {
		if m.To.Port() != 0 {
			open = append(open, m)
		}
	}
	return open
}

package offer

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/sdp/v3"

	"github.com/roomgate/roomgate/media"
)

// Description is a session description as it was received.
type Description struct {
	// Session holds the lines that could be read, in pion's model.
	Session sdp.SessionDescription
	// Sections are the m-lines, in order.
	Sections []Section
	// Skipped counts the lines that could not be read.
	Skipped int
}

// Section is one m-line and what belongs to it, in the sense of whoever wrote
// it: SendOnly means that the writer sends.
type Section struct {
	Index   int
	Kind    string // audio, video, application .. as written
	Port    int    // zero: closed
	Profile string // RTP/AVP .. as written
	Formats []string
	// Address is the c= in force; invalid where there is none or a name,
	// which then stands in Host.
	Address netip.Addr
	Host    string
	// RTCP is a=rtcp, its address that of c= where it names none; zero port:
	// not stated.
	RTCP      netip.AddrPort
	Direction media.Direction
	Mux       bool
	Label     string
	Content   string

	usable   bool
	session  *sdp.SessionDescription
	lines    *sdp.MediaDescription
	payloads []payload // of audio and video
}

// usable reports whether any m-line can be worked with.
func (d *Description) usable() bool {
	for i := range d.Sections {
		if d.Sections[i].usable {
			return true
		}
	}
	return false
}

// readSections interprets the m-lines.
func (d *Description) readSections() {
	d.Sections = make([]Section, len(d.Session.MediaDescriptions))
	for i, m := range d.Session.MediaDescriptions {
		s := &d.Sections[i]
		*s = Section{
			Index:   i,
			Kind:    m.MediaName.Media,
			Port:    max(m.MediaName.Port.Value, 0),
			Profile: strings.Join(m.MediaName.Protos, "/"),
			Formats: m.MediaName.Formats,
			session: &d.Session,
			lines:   m,
		}
		s.usable = m.MediaName.Media != "" && m.MediaName.Port.Value >= 0 && s.Profile != ""
		s.readAddress()
		s.readRTCP()
		s.Direction = s.direction()
		_, s.Mux = s.attribute("rtcp-mux")
		s.Label, _ = s.attribute("label")
		s.Content, _ = s.attribute("content")
		s.Content = strings.ToLower(s.Content)
		if s.is("audio") || s.is("video") || s.isCamera() {
			s.payloads = s.readPayloads()
		}
	}
}

func (s *Section) is(kind string) bool { return strings.EqualFold(s.Kind, kind) }

// attribute returns the first a= line of that name below the m-line.
func (s *Section) attribute(key string) (string, bool) { return attribute(s.lines.Attributes, key) }

// inherited returns the a= line of the m-line, or else that of the session.
func (s *Section) inherited(key string) (string, bool) {
	if v, ok := s.attribute(key); ok {
		return v, true
	}
	return attribute(s.session.Attributes, key)
}

// all returns the values of all a= lines of that name below the m-line.
func (s *Section) all(key string) []string { return attributes(s.lines.Attributes, key) }

func attribute(list []sdp.Attribute, key string) (string, bool) {
	for _, a := range list {
		if strings.EqualFold(a.Key, key) {
			return a.Value, true
		}
	}
	return "", false
}

func attributes(list []sdp.Attribute, key string) (values []string) {
	for _, a := range list {
		if strings.EqualFold(a.Key, key) {
			values = append(values, a.Value)
		}
	}
	return values
}

// readAddress finds the c= in force: of the m-line, or else of the session.
func (s *Section) readAddress() {
	c := s.lines.ConnectionInformation
	if c == nil {
		c = s.session.ConnectionInformation
	}
	if c == nil {
		return
	}
	var ok bool
	if s.Address, ok = readAddress(c.Address.Address); !ok && isToken(c.Address.Address) {
		s.Host = c.Address.Address
	}
}

// readRTCP reads a=rtcp:<port> [IN IP4|IP6 <address>] (RFC 3605).
func (s *Section) readRTCP() {
	value, ok := s.attribute("rtcp")
	f := strings.Fields(value)
	if !ok || len(f) == 0 {
		return
	}
	port, err := strconv.ParseUint(f[0], 10, 16)
	if err != nil || port == 0 {
		return
	}
	address := s.Address
	if len(f) >= 4 {
		if a, ok := readAddress(f[3]); ok {
			address = a
		}
	}
	s.RTCP = netip.AddrPortFrom(address, uint16(port))
}

// direction is the one in force: of the m-line, or else of the session, or
// else sendrecv (RFC 4566 §6). The names are compared without regard to case.
func (s *Section) direction() media.Direction {
	for _, list := range [][]sdp.Attribute{s.lines.Attributes, s.session.Attributes} {
		for _, a := range list {
			if d, ok := directionNamed(a.Key); ok && a.Value == "" {
				return d
			}
		}
	}
	return media.SendRecv
}

func directionNamed(name string) (media.Direction, bool) {
	for _, d := range []media.Direction{media.SendRecv, media.SendOnly, media.RecvOnly, media.Inactive} {
		if strings.EqualFold(name, d.String()) {
			return d, true
		}
	}
	return media.Inactive, false
}

// effective is the direction once the hold of RFC 2543 is taken into account:
// whoever writes c=0.0.0.0 takes nothing (RFC 3264 §8.4).
func (s *Section) effective() media.Direction {
	if !s.Address.IsUnspecified() {
		return s.Direction
	}
	return withoutReceiving(s.Direction)
}

func withoutReceiving(d media.Direction) media.Direction {
	if d.Sends() {
		return media.SendOnly
	}
	return media.Inactive
}

// milliseconds reads a=ptime, a=maxptime: whole or fractional milliseconds.
func (s *Section) milliseconds(key string) time.Duration {
	value, _ := s.attribute(key)
	ms, err := strconv.ParseFloat(value, 64)
	if err != nil || !(ms > 0 && ms <= 1000) {
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond))
}

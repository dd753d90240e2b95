package offer

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// What a body may hold at most; more is not a session a terminal would offer.
const (
	maxSections = 64
	maxFormats  = 128
	maxLines    = 4096
)

var errLine = errors.New("line cannot be read")

// scanner fills pion's model line by line, whatever the order of the lines.
type scanner struct {
	out     *Description
	version bool // v= was seen
	origin  bool // o= was seen
}

// parseSession reads one session description.
func parseSession(body string) (*Description, error) {
	s := scanner{out: &Description{}}
	lines := strings.FieldsFunc(body, func(r rune) bool { return r == '\r' || r == '\n' })
	if len(lines) > maxLines {
		return nil, fmt.Errorf("%w: %d lines", ErrUnusable, len(lines))
	}
	for _, line := range lines {
		if err := s.line(strings.Trim(line, " \t")); err != nil {
			s.out.Skipped++
		}
	}
	if len(s.out.Session.MediaDescriptions) > maxSections {
		return nil, fmt.Errorf("%w: more than %d m-lines", ErrUnusable, maxSections)
	}
	switch {
	case !s.version:
		return nil, fmt.Errorf("%w: v=", ErrUnusable)
	case !s.origin:
		return nil, fmt.Errorf("%w: o=", ErrUnusable)
	}
	s.out.readSections()
	if len(s.out.Sections) > 0 && !s.out.usable() {
		return nil, fmt.Errorf("%w: m=", ErrUnusable)
	}
	return s.out, nil
}

// line reads one line into the session or into the last m-line.
func (s *scanner) line(line string) error {
	if len(line) < 2 || line[1] != '=' || strings.IndexByte(line, 0) >= 0 {
		return errLine
	}
	value := strings.Trim(line[2:], " \t")
	session := &s.out.Session
	if line[0] == 'm' {
		if len(session.MediaDescriptions) <= maxSections {
			session.MediaDescriptions = append(session.MediaDescriptions, &sdp.MediaDescription{MediaName: readMediaName(value)})
		}
		return nil
	}
	if n := len(session.MediaDescriptions); n > 0 {
		return readMediaLine(session.MediaDescriptions[n-1], line[0], value)
	}
	return s.sessionLine(line[0], value)
}

func (s *scanner) sessionLine(key byte, value string) (err error) {
	session := &s.out.Session
	switch key {
	case 'v':
		if value != "0" {
			return errLine
		}
		s.version = true
	case 'o':
		var origin sdp.Origin
		if origin, err = readOrigin(value); err == nil {
			session.Origin, s.origin = origin, true
		}
	case 's':
		session.SessionName = sdp.SessionName(value)
	case 'c':
		err = setConnection(&session.ConnectionInformation, value)
	case 'b':
		session.Bandwidth, err = appendBandwidth(session.Bandwidth, value)
	case 't':
		session.TimeDescriptions, err = appendTiming(session.TimeDescriptions, value)
	case 'a':
		session.Attributes = append(session.Attributes, readAttribute(value))
	case 'i', 'u', 'e', 'p', 'r', 'z', 'k':
		// Known and of no use here.
	default:
		return errLine
	}
	return err
}

func readMediaLine(m *sdp.MediaDescription, key byte, value string) (err error) {
	switch key {
	case 'c':
		err = setConnection(&m.ConnectionInformation, value)
	case 'b':
		m.Bandwidth, err = appendBandwidth(m.Bandwidth, value)
	case 'a':
		m.Attributes = append(m.Attributes, readAttribute(value))
	case 'i', 'k':
	default:
		return errLine
	}
	return err
}

// readOrigin reads o=<user> <id> <version> IN <type> <address>. The user may
// hold spaces or be missing; numbers that are none become a hash, since all we
// do with them is compare.
func readOrigin(value string) (sdp.Origin, error) {
	f := strings.Fields(value)
	numbers := len(f) // index after the version
	for i := len(f) - 1; i >= 2; i-- {
		if f[i] == "IN" {
			numbers = i
			break
		}
	}
	if numbers == len(f) && numbers > 3 {
		numbers = 3
	}
	if numbers < 2 {
		return sdp.Origin{}, errLine
	}
	o := sdp.Origin{
		Username:       strings.Join(f[:numbers-2], " "),
		SessionID:      number(f[numbers-2]),
		SessionVersion: number(f[numbers-1]),
		NetworkType:    "IN",
		AddressType:    "IP4",
		UnicastAddress: "0.0.0.0",
	}
	if numbers+2 < len(f) {
		o.AddressType, o.UnicastAddress = f[numbers+1], f[numbers+2]
	}
	return o, nil
}

func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err == nil {
		return n
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// setConnection reads c=IN IP4|IP6 <address>[/<ttl>[/<count>]]; a broken line
// leaves what was there.
func setConnection(c **sdp.ConnectionInformation, value string) error {
	f := strings.Fields(value)
	if len(f) < 3 || !strings.EqualFold(f[0], "IN") {
		return errLine
	}
	address, _, _ := strings.Cut(f[2], "/")
	if address == "" {
		return errLine
	}
	*c = &sdp.ConnectionInformation{
		NetworkType: "IN",
		AddressType: strings.ToUpper(f[1]),
		Address:     &sdp.Address{Address: address},
	}
	return nil
}

func appendBandwidth(list []sdp.Bandwidth, value string) ([]sdp.Bandwidth, error) {
	kind, amount, ok := strings.Cut(value, ":")
	n, err := strconv.ParseUint(strings.TrimSpace(amount), 10, 48)
	if !ok || err != nil {
		return list, errLine
	}
	return append(list, sdp.Bandwidth{Type: strings.ToUpper(strings.TrimSpace(kind)), Bandwidth: n}), nil
}

func appendTiming(list []sdp.TimeDescription, value string) ([]sdp.TimeDescription, error) {
	f := strings.Fields(value)
	if len(f) < 2 {
		return list, errLine
	}
	start, err := strconv.ParseUint(f[0], 10, 64)
	if err != nil {
		return list, errLine
	}
	stop, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil {
		return list, errLine
	}
	return append(list, sdp.TimeDescription{Timing: sdp.Timing{StartTime: start, StopTime: stop}}), nil
}

func readAttribute(value string) sdp.Attribute {
	key, rest, _ := strings.Cut(value, ":")
	return sdp.Attribute{Key: strings.TrimSpace(key), Value: strings.TrimSpace(rest)}
}

// readMediaName reads m=<kind> <port>[/<count>] <profile> <format> ... A port
// that is none becomes -1; what is missing stays empty.
func readMediaName(value string) sdp.MediaName {
	name := sdp.MediaName{Port: sdp.RangedPort{Value: -1}}
	f := strings.Fields(value)
	for i, field := range f {
		if !isToken(field) {
			continue
		}
		switch {
		case i == 0:
			name.Media = field
		case i == 1:
			port, _, _ := strings.Cut(field, "/")
			if n, err := strconv.ParseUint(port, 10, 16); err == nil {
				name.Port.Value = int(n)
			}
		case i == 2:
			name.Protos = strings.Split(field, "/")
		case len(name.Formats) < maxFormats:
			name.Formats = append(name.Formats, field)
		}
	}
	return name
}

// isToken reports whether text is visible ASCII, fit to be repeated.
func isToken(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != ""
}

// readAddress reads an address as it stands in c= or a=rtcp: without brackets,
// zone or the IPv4-mapped form.
func readAddress(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

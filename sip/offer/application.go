package offer

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// ApplicationKind tells what an m-line that is neither sound nor picture is
// for.
type ApplicationKind string

// Kinds of application lines.
const (
	BFCPLine  ApplicationKind = "bfcp" // floor control, RFC 8856
	H224Line  ApplicationKind = "h224" // far-end camera control, RFC 4573
	IXLine    ApplicationKind = "ix"   // Cisco's iX channel
	OtherLine ApplicationKind = "other"
)

// Application is one such m-line as the far side has it.
type Application struct {
	Index   int
	Kind    ApplicationKind
	Profile string // "UDP/BFCP", "TCP/BFCP", "RTP/AVP" ..
	// Address is where the far side listens; the port is zero when it has the
	// line closed.
	Address netip.AddrPort
	// PayloadType of H.224 in RTP.
	PayloadType uint8
	Setup       string // active, passive, actpass, holdconn or empty
	Connection  string // new, existing or empty
	BFCP        *BFCP  // set on a BFCPLine
}

// BFCP are the facts of a floor control line (RFC 8856 §5).
type BFCP struct {
	// Client and Server: the roles the far side is ready to take. Both are
	// false where it said nothing.
	Client, Server bool
	ConferenceID   uint32
	UserID         uint16
	Floors         []Floor
	Versions       []uint8 // a=bfcpver
}

// Floor ties a floor to the labels of the streams it controls.
type Floor struct {
	ID     uint16
	Labels []string // may name labels that no m-line has
}

// isCamera reports whether the m-line carries the control of cameras (RFC 4573).
func (s *Section) isCamera() bool {
	if _, rtp := rtpTransport(s.Profile); !rtp || !s.is("application") {
		return false
	}
	for _, value := range byPayloadType(s.all("rtpmap")) {
		if f, ok := readRTPMap(value); ok && f.Codec == media.H224 {
			return true
		}
	}
	return false
}

// Cameras are the m-lines for the control of cameras.
func (d *Description) Cameras() (list []*Section) {
	for i := range d.Sections {
		if d.Sections[i].isCamera() {
			list = append(list, &d.Sections[i])
		}
	}
	return list
}

// isMedia reports whether the m-line carries sound or pictures.
func (s *Section) isMedia() bool { return s.is("audio") || s.is("video") }

// application reads the facts of an m-line that is no medium.
func (s *Section) application() Application {
	a := Application{
		Index:   s.Index,
		Kind:    OtherLine,
		Profile: s.Profile,
		Address: netip.AddrPortFrom(s.Address, uint16(s.Port)),
	}
	// Not inherited: the setup of a session belongs to its RTP.
	setup, _ := s.attribute("setup")
	connection, _ := s.attribute("connection")
	a.Setup, a.Connection = strings.ToLower(setup), strings.ToLower(connection)
	transport := strings.ToUpper(s.Profile)
	switch {
	case !s.is("application"):
	case strings.HasSuffix(transport, "/BFCP"):
		a.Kind, a.BFCP = BFCPLine, s.bfcp()
	case strings.HasSuffix(transport, "/UDT/IX"):
		a.Kind = IXLine
	case strings.Contains(transport, "RTP/"):
		for _, p := range s.readPayloads() {
			if p.Codec.Is("H224") && a.Kind != H224Line {
				a.Kind, a.PayloadType = H224Line, p.PayloadType
			}
		}
	}
	return a
}

// bfcp reads floorctrl, confid, userid, floorid and bfcpver.
func (s *Section) bfcp() *BFCP {
	b := &BFCP{Floors: s.floors()}
	roles, _ := s.attribute("floorctrl")
	for _, role := range strings.Fields(strings.ToLower(roles)) {
		b.Client = b.Client || role == "c-only" || role == "c-s"
		b.Server = b.Server || role == "s-only" || role == "c-s"
	}
	b.ConferenceID = uint32(s.numeric("confid", 32))
	b.UserID = uint16(s.numeric("userid", 16))
	versions, _ := s.attribute("bfcpver")
	for _, text := range strings.Fields(versions) {
		if n, err := strconv.ParseUint(text, 10, 8); err == nil && len(b.Versions) < 8 {
			b.Versions = append(b.Versions, uint8(n))
		}
	}
	return b
}

// floors reads a=floorid:<id> mstrm:<label> <label> .. (RFC 8856 §5.4); some
// write m-stream for mstrm.
func (s *Section) floors() []Floor {
	var list []Floor
	for _, value := range s.all("floorid") {
		f := strings.Fields(value)
		if len(f) == 0 || len(list) >= 16 {
			continue
		}
		id, err := strconv.ParseUint(f[0], 10, 16)
		if err != nil {
			continue
		}
		floor := Floor{ID: uint16(id)}
		for _, label := range f[1:] {
			if _, after, ok := strings.Cut(label, ":"); ok {
				label = after
			}
			if label != "" {
				floor.Labels = append(floor.Labels, label)
			}
		}
		list = append(list, floor)
	}
	return list
}

func (s *Section) numeric(key string, bits int) uint64 {
	value, _ := s.attribute(key)
	n, err := strconv.ParseUint(value, 10, bits)
	if err != nil {
		return 0
	}
	return n
}

// applications lists every m-line of the description that is no medium.
func (d *Description) applications() []Application {
	var list []Application
	for i := range d.Sections {
		if !d.Sections[i].isMedia() {
			list = append(list, d.Sections[i].application())
		}
	}
	return list
}

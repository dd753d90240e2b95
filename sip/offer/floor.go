package offer

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/roomgate/roomgate/media"
)

// LocalFloor is our side of floor control (RFC 8856).
type LocalFloor struct {
	// Transport is what Port listens for, in capitals: "UDP/BFCP", "TCP/BFCP" or
	// "TCP/TLS/BFCP". Of an offer the first open line with it is taken.
	Transport string
	Port      uint16
	// Client and Server are the roles we take. Where the far side leaves the choice
	// we are the server.
	Client, Server bool
	// Conference, User and Floor are what we give out as a server: User is the far
	// side's.
	Conference uint32
	User       uint16
	Floor      uint16
}

// FloorAgreement is what was agreed on floor control.
type FloorAgreement struct {
	Index     int // of the m-line
	Transport string
	// Remote is where the far side listens. Over TCP its port means nothing when it
	// connects.
	Remote netip.AddrPort
	// Server: we control the floor; Conference, User and Floors are ours, otherwise
	// theirs. User is that of the client's messages.
	Server     bool
	Conference uint32
	User       uint16
	Floors     []uint16
	// Active: we open the connection (RFC 4145). Renew: a new one in place of the
	// one that stands.
	Active, Renew bool
	// Fingerprints of the far side's certificate, with TLS.
	Fingerprints []Fingerprint
}

// Roles of state lines that are no media.
const floorRole = media.Role(0xfe)

// floorLine is what a state remembers of floor control.
type floorLine struct {
	label  string // of the stream under control
	floor  uint16
	active bool
}

// FloorTransports are those that can be agreed on.
var FloorTransports = []string{"UDP/BFCP", "TCP/BFCP", "TCP/TLS/BFCP"}

// WantsFloor names the transport of the first open floor control line that we have
// a transport for; empty where there is none.
func (d *Description) WantsFloor() string {
	for i := range d.Sections {
		s := &d.Sections[i]
		if transport := strings.ToUpper(s.Profile); s.is("application") && s.Port != 0 && slices.Contains(FloorTransports, transport) && s.reachable() {
			return transport
		}
	}
	return ""
}

// isFloor reports whether a line can be the one for our floor control.
func (l *Local) isFloor(s *Section) bool {
	return l.Floor != nil && s.usable && s.is("application") && s.Port != 0 &&
		strings.EqualFold(s.Profile, l.Floor.Transport) && s.Address.IsValid() && !s.Address.IsUnspecified() && !s.Address.IsMulticast()
}

// floorSection picks the line of an offer for floor control, nil for none.
func (a *answering) floorSection() *Section {
	for i := range a.remote.Sections {
		s := &a.remote.Sections[i]
		if !a.local.isFloor(s) {
			continue
		}
		if _, ok := a.local.Floor.serves(s.bfcp()); ok {
			return s
		}
	}
	return nil
}

// serves decides who is the server between us and what the far side is ready to be.
// RFC 8856 §5.1: who says nothing offers to be the client. Some that say c-s do not
// share when they are answered c-s, so one role is answered.
func (f *LocalFloor) serves(theirs *BFCP) (server, ok bool) {
	client := theirs.Client || !theirs.Server
	switch {
	case f.Server && client:
		return true, true
	case f.Client && theirs.Server:
		return false, true
	}
	return false, false
}

// agreement fills in what both descriptions say.
func (l *Local) agreement(s *Section, server, active bool) *FloorAgreement {
	theirs := s.bfcp()
	g := &FloorAgreement{
		Index: s.Index, Transport: l.Floor.Transport, Server: server, Active: active,
		Remote:     netip.AddrPortFrom(s.Address, uint16(s.Port)),
		Conference: theirs.ConferenceID, User: theirs.UserID,
	}
	if strings.Contains(l.Floor.Transport, "TLS") {
		g.Fingerprints = s.fingerprints()
	}
	for _, f := range theirs.Floors {
		g.Floors = append(g.Floors, f.ID)
	}
	if server {
		g.Conference, g.User = l.Floor.Conference, l.Floor.User
	}
	if len(g.Floors) == 0 {
		g.Floors = []uint16{max(l.Floor.Floor, 1)}
	}
	return g
}

// acceptFloor answers the line of floor control.
func (a *answering) acceptFloor(s *Section) *sdp.MediaDescription {
	server, _ := a.local.Floor.serves(s.bfcp())
	application := s.application()
	before := a.previous.line(s.Index)
	active := application.Setup == setupPassive // RFC 4145 §4: the answerer may choose, and waits
	g := a.local.agreement(s, server, active)
	l := line{kind: s.Kind, profile: s.Profile, formats: s.Formats, role: floorRole, open: true}
	l.floor = &floorLine{label: a.floorLabel(s), floor: g.Floors[0], active: active}
	connection := "new"
	if before != nil && before.open && before.role == floorRole {
		if application.Connection == "existing" {
			connection = "existing"
		}
		g.Renew = connection == "new"
	}
	a.state.lines = append(a.state.lines, l)
	a.result.Floor = g
	f := floorDescription{
		local: a.local, profile: s.Profile, formats: s.Formats, roles: "c-only", line: l.floor, connection: connection,
		setup: setupWord(active), tell: server,
	}
	if server {
		f.roles = "s-only"
	}
	return f.describe()
}

// floorLabel is the label of the slides: what the offer ties its floor to, whether
// or not a line with it is there yet; or that of its slides line.
func (a *answering) floorLabel(s *Section) string {
	for _, f := range s.bfcp().Floors {
		for _, label := range f.Labels {
			if isToken(label) {
				return label
			}
		}
	}
	if p := a.plans[media.Content]; p != nil && isToken(p.section.Label) {
		return p.section.Label
	}
	return a.previous.floorLabel()
}

// floorLabel is the label that floor control has given the slides so far.
func (s *State) floorLabel() string {
	if s != nil {
		for i := range s.lines {
			if l := &s.lines[i]; l.open && l.floor != nil {
				return l.floor.label
			}
		}
	}
	return contentLabel
}

// wantsFloor reports whether an offer of ours has floor control.
func (o *offering) wantsFloor() bool { return o.local.Floor != nil && o.local.Floor.Port != 0 }

// addFloor offers floor control, anew or in the place it has.
func (o *offering) addFloor(l line) {
	connection, setup := "existing", ""
	if !l.open || l.floor == nil {
		label := o.previous.floorLabel()
		l = line{
			kind: "application", profile: o.local.Floor.Transport, formats: []string{"*"}, role: floorRole,
			floor: &floorLine{label: label, floor: max(o.local.Floor.Floor, 1)},
		}
		connection, setup = "new", setupBoth
	} else {
		setup = setupWord(l.floor.active)
	}
	l.open = true
	roles := "c-s"
	switch {
	case !o.local.Floor.Server:
		roles = "c-only"
	case !o.local.Floor.Client:
		roles = "s-only"
	}
	o.state.lines = append(o.state.lines, l)
	o.sections = append(o.sections, floorDescription{
		local: o.local, profile: l.profile, formats: l.formats, roles: roles, line: l.floor,
		connection: connection, setup: setup, tell: o.local.Floor.Server,
	}.describe())
}

// floor reads the answer to our line of floor control.
func (c *completing) floor(l *line, s *Section) refusal {
	if !c.local.isFloor(s) {
		return nothingInCommon
	}
	theirs := s.bfcp()
	server := c.local.Floor.Server && (theirs.Client || !theirs.Server)
	if !server && !c.local.Floor.Client {
		return nothingInCommon
	}
	application := s.application()
	// Who answers active connects; RFC 4145 §4 knows nothing else but passive.
	active := application.Setup == setupPassive
	g := c.local.agreement(s, server, active)
	g.Renew = application.Connection == "new" && l.floor.active == active && c.before.continued(s.Index).role == floorRole
	floor := *l.floor
	floor.active = active
	if server {
		g.Floors = []uint16{floor.floor}
	} else if len(theirs.Floors) > 0 {
		floor.floor = theirs.Floors[0].ID
	}
	l.floor = &floor
	c.result.Floor = g
	return accepted
}

// floorDescription is our m-line for floor control.
type floorDescription struct {
	local             *Local
	profile           string
	formats           []string
	roles             string
	line              *floorLine
	setup, connection string
	tell              bool // conference, user and floor
}

// describe writes the m-line (RFC 8856 §5).
func (f floorDescription) describe() *sdp.MediaDescription {
	m := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "application", Port: sdp.RangedPort{Value: int(f.local.Floor.Port)},
		Protos: strings.Split(f.profile, "/"), Formats: f.formats,
	}}
	if len(m.MediaName.Formats) == 0 {
		m.MediaName.Formats = []string{"*"}
	}
	add := func(key, value string) { m.Attributes = append(m.Attributes, sdp.Attribute{Key: key, Value: value}) }
	add("floorctrl", f.roles)
	add("setup", f.setup)
	add("connection", f.connection)
	if strings.HasPrefix(strings.ToUpper(f.profile), "UDP") {
		add("bfcpver", "2 1")
	}
	if f.tell {
		add("confid", strconv.FormatUint(uint64(f.local.Floor.Conference), 10))
		add("userid", strconv.Itoa(int(f.local.Floor.User)))
		add("floorid", strconv.Itoa(int(f.line.floor))+" mstrm:"+f.line.label)
	}
	if strings.Contains(strings.ToUpper(f.profile), "TLS") && f.local.Fingerprint != (Fingerprint{}) {
		add("fingerprint", f.local.Fingerprint.String())
	}
	return m
}

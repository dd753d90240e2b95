package offer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/roomgate/roomgate/media"
)

// State is what one exchange leaves for the next in the same dialog: our last
// body, and per m-line its role, the meaning of its payload types and its keys.
// A State is never changed after it was handed out, so a caller may go back to
// an older one. Nil is the state of a new dialog.
type State struct {
	user, name  string
	id, version uint64
	body        []byte // as sent last
	lines       []line
	// before is the state an outstanding offer started from.
	before *State
	// outstanding: the answer to our offer has not been read.
	outstanding bool
}

// line is what is remembered of one m-line.
type line struct {
	kind, profile string
	formats       []string // as on our last m-line
	role          media.Role
	open          bool // our port was not zero
	// stated are the payloads we named last; meanings is what each payload
	// type of the m-line ever stood for, on either side (RFC 3264 §8.3.2).
	stated   []payload
	meanings map[uint8]media.Format
	// keys we made, by suite; suite is the one in use. Reset when the line
	// closes, so that a new stream never shares a key with an old one.
	keys  map[Suite]MasterKey
	suite Suite
	// handshake is our role in DTLS, nil before the first.
	handshake *bool
	// cryptos are the lines of an outstanding offer; mux says that it had
	// rtcp-mux, or that both sides agreed to it.
	cryptos        []Crypto
	mux            bool
	content, label string
	floor          *floorLine // of a line for floor control
}

// Body is the body that goes with the state: that of the last Offer or Answer.
func (s *State) Body() []byte { return bytes.Clone(s.body) }

// Rollback is the state to go on with after the offer that s stands for was
// refused (488, 491): as before that offer, but with its version used up. It
// is nil when that offer was the first.
func (s *State) Rollback() *State {
	if s == nil || !s.outstanding || s.before == nil {
		return nil
	}
	back := *s.before
	back.version, back.body = s.version, nil
	return &back
}

// next is the state that an exchange fills.
func (s *State) next(local *Local) *State {
	if s != nil {
		return &State{user: s.user, name: s.name, id: s.id, version: s.version}
	}
	n := &State{user: local.User, name: local.Name, id: local.ID, version: local.Version}
	if !isToken(n.user) {
		n.user = "-"
	}
	if n.name == "" || strings.ContainsAny(n.name, "\r\n\x00") {
		n.name = "-"
	}
	return n
}

// role is that of an m-line that is open.
func (s *State) role(index int) media.Role {
	if l := s.line(index); l != nil && l.open {
		return l.role
	}
	return noRole
}

// line is nil where there was none.
func (s *State) line(index int) *line {
	if s == nil || index >= len(s.lines) {
		return nil
	}
	return &s.lines[index]
}

// write renders the body. The version moves by one when anything else did
// (RFC 3264 §8).
func (s *State) write(session *sdp.SessionDescription, local *Local, previous *State) error {
	address := local.Address.Unmap().WithZone("")
	if !address.IsValid() {
		return errors.New("no address to advertise")
	}
	session.SessionName = sdp.SessionName(s.name)
	session.ConnectionInformation = connection(address)
	session.Bandwidth = callRate(local.Capabilities.Rate)
	session.Origin = sdp.Origin{
		Username: s.user, SessionID: s.id, SessionVersion: s.version,
		NetworkType: "IN", AddressType: addressType(address), UnicastAddress: address.String(),
	}
	body, err := session.Marshal()
	if err != nil {
		return fmt.Errorf("write the session description: %w", err)
	}
	if previous != nil && !bytes.Equal(body, previous.body) {
		s.version++
		session.Origin.SessionVersion = s.version
		if body, err = session.Marshal(); err != nil {
			return fmt.Errorf("write the session description: %w", err)
		}
	}
	s.body = body
	return nil
}

// remember adds the meanings of payload types.
func (l *line) remember(lists ...[]payload) {
	merged := maps.Clone(l.meanings)
	if merged == nil {
		merged = make(map[uint8]media.Format)
	}
	for _, list := range lists {
		for _, p := range list {
			if p.Codec != "" {
				merged[p.PayloadType] = p.Format
			}
		}
	}
	l.meanings = merged
}

// key is ours for a suite: the one used before on this m-line, or a new one.
func (l *line) key(local *Local, suite Suite) (MasterKey, error) {
	if k, ok := l.keys[suite]; ok {
		return k, nil
	}
	k, err := newKey(local.Rand, suite)
	if err != nil {
		return MasterKey{}, err
	}
	keys := maps.Clone(l.keys)
	if keys == nil {
		keys = make(map[Suite]MasterKey)
	}
	keys[suite] = k
	l.keys = keys
	return k, nil
}

// close is the m-line with port zero.
func (l line) close() line {
	l.open, l.stated, l.keys, l.suite, l.handshake, l.cryptos, l.floor = false, nil, nil, "", nil, nil, nil
	return l
}

// continued is the line to start from: the old one if it was open.
func (s *State) continued(index int) line {
	l := s.line(index)
	switch {
	case l == nil:
		return line{role: noRole}
	case !l.open:
		return l.close()
	}
	return *l
}

package offer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// Violation is one way in which an answer breaks the rules.
type Violation struct {
	Index  int    // m-line, -1 for the session
	Clause string // for example "RFC 3264 §6"
	Text   string
}

func (v Violation) String() string {
	if v.Index < 0 {
		return fmt.Sprintf("session: %s (%s)", v.Text, v.Clause)
	}
	return fmt.Sprintf("m-line %d: %s (%s)", v.Index, v.Text, v.Clause)
}

// Check holds an answer against its offer by RFC 3264 and the RFCs of the
// attributes in it. It returns nil for a correct answer.
func Check(offered, answer *Description) []Violation {
	c := checker{index: -1}
	c.session(offered, answer)
	for i := range min(len(offered.Sections), len(answer.Sections)) {
		c.index = i
		c.section(&offered.Sections[i], &answer.Sections[i])
	}
	return c.found
}

type checker struct {
	index int
	found []Violation
}

func (c *checker) add(clause, format string, args ...any) {
	c.found = append(c.found, Violation{c.index, clause, fmt.Sprintf(format, args...)})
}

// session checks what stands above the m-lines.
func (c *checker) session(offered, answer *Description) {
	if o, a := len(offered.Sections), len(answer.Sections); o != a {
		c.add("RFC 3264 §6", "%d m-lines answer %d", a, o)
	}
	if offered.Session.Origin == answer.Session.Origin {
		c.add("RFC 4566 §5.2", "o= is that of the offer")
	}
	o, a := timing(offered)[0].Timing, timing(answer)[0].Timing
	if len(answer.Session.TimeDescriptions) == 0 || o != a {
		c.add("RFC 3264 §6", "t= differs from the offer")
	}
	groups := attributes(offered.Session.Attributes, "group")
	for _, g := range attributes(answer.Session.Attributes, "group") {
		kind, _, _ := strings.Cut(g, " ")
		if !slices.ContainsFunc(groups, func(o string) bool { return strings.HasPrefix(o, kind) }) {
			c.add("RFC 5888 §9.2", "group %s was not offered", kind)
		}
	}
}

// section checks one m-line.
func (c *checker) section(o, a *Section) {
	if o.Kind != "" && !strings.EqualFold(o.Kind, a.Kind) {
		c.add("RFC 3264 §6", "%s answers %s", a.Kind, o.Kind)
		return
	}
	if o.Profile != "" && !strings.EqualFold(o.Profile, a.Profile) {
		c.add("RFC 3264 §6.1", "profile %s answers %s", a.Profile, o.Profile)
	}
	if len(a.Formats) == 0 {
		c.add("RFC 4566 §5.14", "no format")
	}
	switch {
	case a.Port == 0:
		return
	case o.Port == 0:
		c.add("RFC 3264 §6", "a line offered with port zero is answered with %d", a.Port)
		return
	}
	c.destination(a)
	c.direction(o, a)
	if o.isMedia() {
		c.formats(o, a)
		c.crypto(o, a)
		c.handshake(o, a)
		c.feedback(o, a)
	}
	for _, key := range []string{"rtcp-mux", "rtcp-rsize"} {
		_, offered := o.attribute(key)
		if _, answered := a.attribute(key); answered && !offered {
			c.add("RFC 5761 §5.1.1", "%s was not offered", key)
		}
	}
}

func (c *checker) destination(a *Section) {
	if !a.reachable() {
		c.add("RFC 4566 §5.7", "no address to send to")
	}
}

func (c *checker) direction(o, a *Section) {
	allowed := o.effective().Reverse()
	if a.Direction.Sends() && !allowed.Sends() || a.Direction.Receives() && !allowed.Receives() {
		c.add("RFC 3264 §6.1", "%s answers %s", a.Direction, o.effective())
	}
}

// formats: every payload is one that was offered.
func (c *checker) formats(o, a *Section) {
	codecs := 0
	for _, p := range a.payloads {
		if isCodec(p.Format) {
			codecs++
		}
		i := slices.IndexFunc(o.payloads, func(q payload) bool { return q.PayloadType == p.PayloadType })
		switch {
		case i >= 0 && same(p.Format, o.payloads[i].Format):
			c.parameters(o.payloads[i], p)
		case i >= 0 && o.payloads[i].Codec != "":
			c.add("RFC 3264 §6.1", "payload type %d is %s, offered as %s", p.PayloadType, p.Format, o.payloads[i].Format)
		case !slices.ContainsFunc(o.payloads, func(q payload) bool { return same(p.Format, q.Format) }):
			c.add("RFC 3264 §6.1", "%s was not offered", p.Format)
		}
	}
	if codecs == 0 {
		c.add("RFC 3264 §6.1", "no codec")
	}
}

// parameters of one payload type that both sides name.
func (c *checker) parameters(o, a payload) {
	switch a.Codec {
	case media.TelephoneEvent:
		if a.events&^o.events != 0 {
			c.add("RFC 4733 §2.4.1", "events %s answer %s", a.events, o.events)
		}
	case media.H264:
		if a.H264.PacketizationMode != o.H264.PacketizationMode {
			c.add("RFC 6184 §8.2.2", "packetization-mode %d answers %d", a.H264.PacketizationMode, o.H264.PacketizationMode)
		}
		if profileOf(a.H264.ProfileLevelID) != profileOf(o.H264.ProfileLevelID) {
			c.add("RFC 6184 §8.2.2", "profile-level-id %06x answers %06x", a.H264.ProfileLevelID, o.H264.ProfileLevelID)
		}
		asymmetric := a.H264.AsymmetryAllowed && o.H264.AsymmetryAllowed
		if !asymmetric && levelRank(a.H264.ProfileLevelID) > levelRank(o.H264.ProfileLevelID) {
			c.add("RFC 6184 §8.2.2", "level of %06x is above that of %06x", a.H264.ProfileLevelID, o.H264.ProfileLevelID)
		}
	}
}

// crypto: at most one line, with tag and suite of the offer and a key of its
// own.
func (c *checker) crypto(o, a *Section) {
	lines := a.all("crypto")
	t, _ := rtpTransport(a.Profile)
	if len(lines) == 0 {
		if t.secure && len(a.fingerprints()) == 0 {
			c.add("RFC 4568 §5.1.2", "a secure profile without keys")
		}
		return
	}
	if len(lines) > 1 {
		c.add("RFC 4568 §5.1.2", "%d crypto lines", len(lines))
	}
	answer, err := parseCrypto(lines[0])
	if err != nil {
		c.add("RFC 4568 §5.1.2", "%v", err)
		return
	}
	for _, value := range o.all("crypto") {
		offered, err := parseCrypto(value)
		if err != nil || offered.Tag != answer.Tag || offered.Suite != answer.Suite {
			continue
		}
		if slices.Equal(offered.Keys[0].Key, answer.Keys[0].Key) {
			c.add("RFC 4568 §6.1", "the key is that of the offer")
		}
		return
	}
	c.add("RFC 4568 §5.1.2", "crypto %d %s was not offered", answer.Tag, answer.Suite)
}

// handshake: a fingerprint only for a fingerprint, and a role that fits.
func (c *checker) handshake(o, a *Section) {
	own := a.all("fingerprint")
	if len(own) == 0 {
		return
	}
	if len(o.fingerprints()) == 0 {
		c.add("RFC 5763 §5", "DTLS was not offered")
	}
	if len(a.all("crypto")) > 0 {
		c.add("RFC 5763 §5", "keys by DTLS and by a=crypto")
	}
	switch offered, answered := o.setup(), a.setup(); {
	case answered != setupActive && answered != setupPassive, offered == answered:
		c.add("RFC 5763 §5", "setup %s answers %s", answered, offered)
	}
}

// feedback: only messages that were offered for the payload.
func (c *checker) feedback(o, a *Section) {
	for _, p := range a.payloads {
		_, answered := a.feedback(p.PayloadType)
		_, offered := o.feedback(p.PayloadType)
		for _, line := range answered {
			if !slices.ContainsFunc(offered, func(l feedbackLine) bool { return l.text == line.text }) {
				c.add("RFC 4585 §4.2", "rtcp-fb %s was not offered", line)
			}
		}
	}
}

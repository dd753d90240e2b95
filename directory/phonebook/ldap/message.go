package ldap

import (
	"bufio"
	"errors"
	"io"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// Result codes (RFC 4511 appendix A.1).
const (
	success               = 0
	operationsError       = 1
	protocolError         = 2
	timeLimitExceeded     = 3
	sizeLimitExceeded     = 4
	authMethodUnsupported = 7
	unavailableExtension  = 12
	confidentialityNeeded = 13
	noSuchObject          = 32
	invalidCredentials    = 49
	insufficientRights    = 50
	busy                  = 51
	unwilling             = 53
)

// Application tags of operations (RFC 4511 §4.2 to §4.14).
const (
	bindRequest      ber.Tag = 0
	bindResponse     ber.Tag = 1
	unbindRequest    ber.Tag = 2
	searchRequest    ber.Tag = 3
	searchEntry      ber.Tag = 4
	searchDone       ber.Tag = 5
	abandonRequest   ber.Tag = 16
	extendedRequest  ber.Tag = 23
	extendedResponse ber.Tag = 24
)

// answers are the responses to operations that change things, which are refused.
var answers = map[ber.Tag]ber.Tag{6: 7, 8: 9, 10: 11, 12: 13, 14: 15}

// Names of extensions.
const (
	startTLS     = "1.3.6.1.4.1.1466.20037" // RFC 4511 §4.14
	pagedResults = "1.2.840.113556.1.4.319" // RFC 2696
	disconnected = "1.3.6.1.4.1.1466.20036" // notice of disconnection, RFC 4511 §4.4.1
)

// mostOctets bounds a request, mostDepth how deep it is nested.
const (
	mostOctets = 32 << 10
	mostDepth  = 20
)

var (
	errTooLong = errors.New("the message is too long")
	errForm    = errors.New("the message is no LDAPMessage")
)

// readMessage reads the octets of one LDAPMessage.
func readMessage(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0] != 0x30 { // SEQUENCE
		return nil, errForm
	}
	length, octets := int(head[1]), 2
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 4 { // RFC 4511 §5.1: the definite form only
			return nil, errForm
		}
		if head, err = r.Peek(2 + n); err != nil {
			return nil, err
		}
		length, octets = 0, 2+n
		for _, b := range head[2:] {
			length = length<<8 | int(b)
		}
	}
	if length > mostOctets {
		return nil, errTooLong
	}
	message := make([]byte, octets+length)
	_, err = io.ReadFull(r, message)
	return message, err
}

// request is a message taken apart.
type request struct {
	id       int64
	op       *ber.Packet
	controls *ber.Packet // nil: none
}

// parse takes a message apart. The library's reader trusts what it reads, so depth is
// looked at first.
func parse(message []byte) (r request, err error) {
	if !shallow(message, 0) {
		return r, errForm
	}
	p, err := ber.DecodePacketErr(message)
	if err != nil || len(p.Children) < 2 {
		return r, errForm
	}
	id, ok := p.Children[0].Value.(int64)
	r.id, r.op = id, p.Children[1]
	if !ok || id < 0 || r.op.ClassType != ber.ClassApplication {
		return r, errForm
	}
	if len(p.Children) > 2 && p.Children[2].ClassType == ber.ClassContext && p.Children[2].Tag == 0 {
		r.controls = p.Children[2]
	}
	return r, nil
}

// shallow reports whether octets are BER of the definite form that is not nested deeper
// than mostDepth.
func shallow(b []byte, depth int) bool {
	if depth > mostDepth {
		return false
	}
	for len(b) > 0 {
		if len(b) < 2 || b[0]&0x1f == 0x1f { // LDAP has no tags above 30
			return false
		}
		constructed, length, octets := b[0]&0x20 != 0, int(b[1]), 2
		if length >= 0x80 {
			n := length & 0x7f
			if n == 0 || n > 4 || len(b) < 2+n {
				return false
			}
			length, octets = 0, 2+n
			for _, o := range b[2 : 2+n] {
				length = length<<8 | int(o)
			}
		}
		if length > len(b)-octets || constructed && !shallow(b[octets:octets+length], depth+1) {
			return false
		}
		b = b[octets+length:]
	}
	return true
}

// text is the value of an OCTET STRING, whatever its tag.
func text(p *ber.Packet) string {
	if p.ClassType == ber.ClassUniversal {
		return string(p.ByteValue)
	}
	return p.Data.String()
}

// number is the value of an INTEGER or ENUMERATED.
func number(p *ber.Packet) (int64, bool) {
	n, ok := p.Value.(int64)
	return n, ok
}

func message(id int64, op *ber.Packet) *ber.Packet {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(op)
	return p
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

// result is an LDAPResult (RFC 4511 §4.1.9).
func result(tag ber.Tag, code int64, why string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	p.AppendChild(octets(""))
	p.AppendChild(octets(why))
	return p
}

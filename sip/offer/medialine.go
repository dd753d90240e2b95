package offer

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/sdp/v3"

	"github.com/roomgate/roomgate/media"
)

// mediaLine is one of our m-lines, open.
type mediaLine struct {
	kind, profile string
	address       netip.Addr // invalid: that of the session
	port, rtcp    uint16
	mux, reduced  bool
	payloads      []payload
	ptime         time.Duration
	bandwidth     int // bit/s
	feedback      []feedbackLine
	cryptos       []Crypto
	fingerprint   Fingerprint
	setup         string
	content       string
	label         string
	direction     media.Direction
}

// describe writes the m-line with all that belongs to it.
func (l *mediaLine) describe() *sdp.MediaDescription {
	m := &sdp.MediaDescription{
		MediaName: sdp.MediaName{
			Media:  l.kind,
			Port:   sdp.RangedPort{Value: int(l.port)},
			Protos: strings.Split(l.profile, "/"),
		},
		Bandwidth: bandwidth(l.bandwidth),
	}
	if l.address.IsValid() {
		m.ConnectionInformation = connection(l.address)
	}
	add := func(key, value string) { m.Attributes = append(m.Attributes, sdp.Attribute{Key: key, Value: value}) }
	for _, p := range l.payloads {
		pt := strconv.Itoa(int(p.PayloadType))
		m.MediaName.Formats = append(m.MediaName.Formats, pt)
		add("rtpmap", rtpmap(p.Format))
		if params := p.fmtp(); params != "" {
			add("fmtp", pt+" "+params)
		}
	}
	if l.ptime > 0 {
		add("ptime", strconv.Itoa(int(l.ptime.Milliseconds())))
	}
	for _, f := range l.feedback {
		add("rtcp-fb", f.String())
	}
	for _, c := range l.cryptos {
		add("crypto", c.String())
	}
	if l.setup != "" {
		add("fingerprint", l.fingerprint.String())
		add("setup", l.setup)
	}
	l.describeRTCP(add)
	if l.content != "" {
		add("content", l.content)
	}
	if l.label != "" {
		add("label", l.label)
	}
	add(l.direction.String(), "")
	return m
}

func (l *mediaLine) describeRTCP(add func(key, value string)) {
	if l.mux {
		add("rtcp-mux", "")
	}
	if l.rtcp != l.port+1 {
		add("rtcp", strconv.Itoa(int(l.rtcp)))
	}
	if l.reduced {
		add("rtcp-rsize", "")
	}
}

// formats as they stand on the m-line.
func (l *mediaLine) formats() []string {
	list := make([]string, len(l.payloads))
	for i, p := range l.payloads {
		list[i] = strconv.Itoa(int(p.PayloadType))
	}
	return list
}

// describeClosed writes an m-line with port zero, which must name its kind,
// profile and at least one format still (RFC 3264 §6).
func describeClosed(kind, profile string, formats []string) *sdp.MediaDescription {
	if kind == "" {
		kind = "application"
	}
	if profile == "" {
		profile = "RTP/AVP"
	}
	if len(formats) == 0 {
		formats = []string{"*"}
		if strings.Contains(strings.ToUpper(profile), "RTP/") {
			formats = []string{"0"}
		}
	}
	return &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: kind, Protos: strings.Split(profile, "/"), Formats: formats,
	}}
}

func connection(a netip.Addr) *sdp.ConnectionInformation {
	return &sdp.ConnectionInformation{
		NetworkType: "IN", AddressType: addressType(a), Address: &sdp.Address{Address: a.String()},
	}
}

func addressType(a netip.Addr) string {
	if a.Is4() {
		return "IP4"
	}
	return "IP6"
}

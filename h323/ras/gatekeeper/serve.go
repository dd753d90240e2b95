package gatekeeper

import (
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/ras"
)

// serve works on a request that has not come before.
func (t *turn) serve(in *incoming) {
	m := in.message
	switch in.kind {
	case ras.GRQ:
		t.discover(in, m.GatekeeperRequest)
	case ras.RRQ:
		t.register(in, m.RegistrationRequest)
	case ras.URQ:
		t.unregister(in, m.UnregistrationRequest)
	case ras.ARQ:
		t.admit(in, m.AdmissionRequest)
	case ras.BRQ:
		t.bandwidth(in, m.BandwidthRequest)
	case ras.DRQ:
		t.disengage(in, m.DisengageRequest)
	case ras.LRQ:
		t.locate(in, m.LocationRequest)
	case ras.IRR:
		t.status(in, m.InfoRequestResponse)
	case ras.RAI:
		t.resources(in, m.ResourcesAvailableIndicate)
	case ras.SCI:
		t.service(in, m.ServiceControlIndication)
	default: // an IRQ is for endpoints, the others are not known
		t.notUnderstood(in)
	}
}

// reply sends the final answer to a request.
func (t *turn) reply(in *incoming, m *h225.RASMessage) { t.replyTo(in, in.answerPath(), m) }

func (t *turn) replyTo(in *incoming, to ras.Path, m *h225.RASMessage) {
	ras.SetNumber(m, ras.Number(in.message))
	t.out = append(t.out, outgoing{to: to, message: m, sign: in.sign, answers: &in.handle, call: callOf(in.message)})
}

// patience asks the sender of a request to wait for the answer (H.225.0 clause 7.17.1).
func (t *turn) patience(in *incoming) {
	const delay = 8000 // ms; what we wait for ourselves takes less
	m := &h225.RASMessage{RequestInProgress: &h225.RequestInProgress{RequestSeqNum: ras.Number(in.message), Delay: delay}}
	t.out = append(t.out, outgoing{to: in.answerPath(), message: m, sign: in.sign})
}

// notUnderstood answers with XRS (clause 7.16). A message of a kind that we cannot read
// has a number that we cannot read either.
func (t *turn) notUnderstood(in *incoming) {
	if in.from.Multicast {
		return
	}
	m := &h225.RASMessage{UnknownMessageResponse: &h225.UnknownMessageResponse{
		RequestSeqNum: 1, MessageNotUnderstood: in.pdu,
	}}
	if n := ras.Number(in.message); n != 0 {
		m.UnknownMessageResponse.RequestSeqNum = n
	}
	t.out = append(t.out, outgoing{to: in.answerPath(), message: m, answers: &in.handle})
}

// refused logs a refusal, at most one a second: strangers can ask more often.
func (t *turn) refused(what string, in *incoming, reason string, names []string) {
	if t.now.Sub(t.told) < time.Second {
		t.untold++
		return
	}
	t.log.Info(what, zap.Stringer("remote", in.from.Remote), zap.String("reason", reason),
		zap.Strings("alias", names[:min(len(names), 4)]), zap.Int("more", t.untold))
	t.told, t.untold = t.now, 0
}

// answerPath is the way back: never from the address of a group.
func (in *incoming) answerPath() ras.Path {
	p := in.from
	if p.Multicast {
		p.Local, p.Multicast = netip.AddrPort{}, false
	}
	return p
}

// pathTo is the way back to the address that a request tells, when it is one of the
// host that sent it: an address that anybody could have named does not get our answers.
func (in *incoming) pathTo(told []netip.AddrPort) ras.Path {
	p := in.answerPath()
	if p.Stream != nil {
		return p
	}
	for _, a := range told {
		if a.Addr() == p.Remote.Addr() && a.Port() != 0 {
			p.Remote = a
			break
		}
	}
	return p
}

// versionOf reads protocolIdentifier: 0 for what is not H.225.0.
func versionOf(id per.OID) uint32 {
	rest, ok := strings.CutPrefix(string(id), "0.0.8.2250.0.")
	if !ok || rest == "" || len(rest) > 3 {
		return 0
	}
	version := uint32(0)
	for _, c := range []byte(rest) {
		if c < '0' || c > '9' {
			return 0
		}
		version = version*10 + uint32(c-'0')
	}
	return version
}

// allowed reports whether terminals may come from an address.
func (t *turn) allowed(a netip.Addr) bool {
	if len(t.settings.Allow) == 0 {
		return true
	}
	for _, p := range t.settings.Allow {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// isUs reports whether a gatekeeperIdentifier, which is optional, is ours.
func (t *turn) isUs(id *string) bool { return id == nil || *id == "" || strings.EqualFold(*id, t.c.ID) }

func ptr[T any](v T) *T { return &v }

// callOf is the identifier of the call that a request is about; zero: none.
func callOf(m *h225.RASMessage) (id [16]byte) {
	var c *h225.CallIdentifier
	switch {
	case m.AdmissionRequest != nil:
		c = m.AdmissionRequest.CallIdentifier
	case m.BandwidthRequest != nil:
		c = m.BandwidthRequest.CallIdentifier
	case m.DisengageRequest != nil:
		c = m.DisengageRequest.CallIdentifier
	}
	if c != nil {
		id = c.GUID
	}
	return id
}

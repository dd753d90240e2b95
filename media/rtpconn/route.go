package rtpconn

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// relatchAfter is the silence after which another source may be followed.
	relatchAfter = 3 * time.Second
	// strangerGrace is how long the signalled hosts go before strangers.
	strangerGrace = time.Second
	// hearingGrace is how long the signalled hosts may say nothing before
	// somebody else is heard in their place.
	hearingGrace = 2 * time.Second
)

// destinations is where datagrams go to; zero addresses mean nowhere.
type destinations struct{ rtp, rtcp netip.AddrPort }

// route decides whom media is taken from and where it goes to.
type route struct {
	mode Latching
	// vouched: datagrams bear an identifier that only the far side was told.
	vouched bool
	to      atomic.Pointer[destinations]

	mu         sync.Mutex
	remote     netip.AddrPort // as signalled
	remoteRTCP netip.AddrPort
	signalling netip.Addr
	mux        bool
	secured    bool
	applied    time.Time      // when remote was signalled
	latched    netip.AddrPort // the source followed, zero before the first
	learned    netip.AddrPort // the source of RTCP, zero before the first
	heard      netip.AddrPort // the source listened to in place of a silent remote; nothing is sent there
	valid      time.Time      // the last valid packet from latched or heard
	hello      netip.AddrPort // where DTLS comes from, before media does
}

func newRoute(mode Latching, vouched bool) *route {
	r := &route{mode: mode, vouched: vouched}
	r.to.Store(&destinations{})
	return r
}

// apply takes what was signalled. A source that is followed stays followed
// unless the signalled address has changed.
func (r *route) apply(p Params, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	remote := unmap(p.Remote)
	if remote != r.remote || r.applied.IsZero() {
		r.remote, r.applied = remote, now
		r.latched, r.learned, r.hello, r.heard = netip.AddrPort{}, netip.AddrPort{}, netip.AddrPort{}, netip.AddrPort{}
		r.valid = time.Time{}
	}
	r.remoteRTCP = unmap(p.RemoteRTCP)
	r.signalling = p.Signalling.Unmap()
	r.mux = p.Mux
	r.secured = r.vouched || p.Security.Send != nil || p.Security.DTLS != nil
	r.direct()
}

// admits reports whether RTP may come from an address.
func (r *route) admits(from netip.AddrPort, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.follows(from, now) || r.hears(from, now)
}

// follows reports whether RTP may come from an address, and ours go there.
func (r *route) follows(from netip.AddrPort, now time.Time) bool {
	switch {
	case from == r.latched:
		return true
	case r.mode == LatchOff:
		return r.signalled(from.Addr())
	case r.latched.IsValid() && now.Sub(r.valid) < relatchAfter:
		return false
	case r.mode == LatchOn:
		return true
	}
	return r.expected(from.Addr()) || r.secured ||
		r.unreachable() && now.Sub(r.applied) >= strangerGrace
}

// hears reports whether RTP may come from an address that nothing is sent to.
// A host with several addresses may signal one and send from another. It is
// heard when the signalled address, which ours goes to all the same, has never
// said anything valid; when that does, it is the only one heard.
func (r *route) hears(from netip.AddrPort, now time.Time) bool {
	if r.mode != LatchAuto || r.latched.IsValid() || now.Sub(r.applied) < hearingGrace {
		return false
	}
	return from == r.heard || !r.heard.IsValid() || now.Sub(r.valid) >= relatchAfter
}

// admitsRTCP reports whether RTCP may come from an address: from the hosts RTP
// comes from or was signalled for.
func (r *route) admitsRTCP(from netip.AddrPort, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	addr := from.Addr()
	known := addr == r.latched.Addr() || addr == r.remote.Addr() || addr == r.remoteRTCP.Addr() || addr == r.heard.Addr()
	// Before RTP has shown where the far side is, its RTCP may.
	return known || !r.latched.IsValid() && r.follows(from, now)
}

// greeted notes where a DTLS record came from, if it may come from there.
// Whether it was the right one, the fingerprint will tell.
func (r *route) greeted(from netip.AddrPort, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.follows(from, now) {
		return false
	}
	if r.mode != LatchOff && !r.latched.IsValid() {
		r.hello = from
	}
	return true
}

// handshakePeer is where DTLS records go to.
func (r *route) handshakePeer() netip.AddrPort {
	r.mu.Lock()
	hello, latched := r.hello, r.latched.IsValid()
	r.mu.Unlock()
	if hello.IsValid() && !latched {
		return hello
	}
	return r.to.Load().rtp
}

// expected reports whether signalling named the host.
func (r *route) expected(host netip.Addr) bool {
	return r.signalled(host) || host == r.signalling
}

// signalled reports whether a host was named for media. Who only sends names no address
// for RTP, as in a one-way channel of H.245: it sends from where its RTCP is.
func (r *route) signalled(host netip.Addr) bool {
	return host == r.remote.Addr() || !r.remote.IsValid() && host == r.remoteRTCP.Addr()
}

// sharedSpace is what carriers number their customers from (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// unreachable reports whether the signalled address looks like one behind a
// NAT: not global, and not where the signalling comes from.
func (r *route) unreachable() bool {
	a := r.remote.Addr()
	if !a.IsValid() {
		a = r.remoteRTCP.Addr()
	}
	if !a.IsValid() || a.IsUnspecified() {
		return true
	}
	local := a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || sharedSpace.Contains(a)
	return local && a != r.signalling
}

// confirm notes a valid packet, and follows its source where the mode allows.
// It returns the address when media goes to a new place from now on.
func (r *route) confirm(from netip.AddrPort, now time.Time) (moved netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	follow := r.follows(from, now)
	r.valid = now
	if from == r.latched || r.mode == LatchOff {
		return netip.AddrPort{}
	}
	if !follow {
		if !r.latched.IsValid() {
			r.heard = from
		}
		return netip.AddrPort{}
	}
	r.heard = netip.AddrPort{}
	before := r.to.Load().rtp
	r.latched = from
	r.direct()
	if before == from {
		return netip.AddrPort{}
	}
	return from
}

// confirmRTCP notes valid RTCP: without mux it shows where ours should go.
func (r *route) confirmRTCP(from netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mode == LatchOff || r.mux || from == r.learned || from.Addr() != r.latched.Addr() {
		return
	}
	r.learned = from
	r.direct()
}

// direct works out the destinations.
func (r *route) direct() {
	d := destinations{rtp: r.remote}
	if r.latched.IsValid() {
		d.rtp = r.latched
	}
	switch {
	case r.mux:
		d.rtcp = d.rtp
	case r.learned.IsValid() && r.learned.Addr() == d.rtp.Addr():
		d.rtcp = r.learned
	case d.rtp == r.remote && r.remoteRTCP.IsValid():
		d.rtcp = r.remoteRTCP
	case d.rtp.IsValid():
		d.rtcp = netip.AddrPortFrom(d.rtp.Addr(), r.portRTCP(d.rtp.Port()))
	}
	if !sendable(d.rtp) {
		d.rtp = netip.AddrPort{}
	}
	if !sendable(d.rtcp) {
		d.rtcp = netip.AddrPort{}
	}
	r.to.Store(&d)
}

// portRTCP guesses the RTCP port that belongs to an RTP port.
func (r *route) portRTCP(port uint16) uint16 {
	switch {
	case r.remoteRTCP.IsValid() && r.remoteRTCP.Port() == r.remote.Port():
		return port // one port for both, though mux was not agreed on
	case r.remoteRTCP.IsValid() && port == r.remote.Port():
		return r.remoteRTCP.Port()
	}
	return port + 1
}

func sendable(a netip.AddrPort) bool {
	return a.IsValid() && a.Port() != 0 && !a.Addr().IsUnspecified()
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

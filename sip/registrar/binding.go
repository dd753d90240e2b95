// Package registrar keeps where registered terminals can be reached: the
// REGISTER method of RFC 3261 §10 with paths (RFC 3327), client-initiated
// flows (RFC 5626) and addresses as seen through translators (RFC 3581).
//
// It is logic over a Store: it reads a request, changes bindings and returns
// the response, so that it works without a network.
package registrar

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Flow is what a REGISTER came over and requests to the terminal go back over:
// a connection, or a pair of UDP addresses.
type Flow struct {
	Transport string         // UDP, TCP or TLS
	Remote    netip.AddrPort // where the request came from
	Local     netip.AddrPort // where it arrived
}

// Binding is one contact of an account.
type Binding struct {
	Account string // user name of the account
	Alias   string // user part of the To header: the name it registered as
	Domain  string // host part of it
	Contact string // the contact's URI as the terminal sent it
	// Instance and RegID name the terminal and one of its flows (RFC 5626 §4);
	// "" and 0 when it does not say.
	Instance  string
	RegID     int
	Q         float64  // preference, 0 to 1; 1 when absent (RFC 3261 §20.10)
	Path      []string // Path header values, topmost first (RFC 3327)
	Flow      Flow
	CallID    string
	CSeq      uint32
	UserAgent string
	Since     time.Time // first registered
	Updated   time.Time // last refreshed
	Expires   time.Time
}

// Reach says how to send a request to a binding.
func (b Binding) Reach() Route {
	r := Route{
		RequestURI: b.Contact,
		Headers:    b.Path,
		Transport:  b.Flow.Transport,
		Address:    b.Flow.Remote,
		Local:      b.Flow.Local,
	}
	if b.Flow.Local.IsValid() || b.Flow.Transport == "UDP" {
		return r
	}
	// The connection is gone; a terminal without outbound flows listens on
	// its contact.
	next := b.Contact
	if len(b.Path) > 0 {
		next = strings.Trim(b.Path[0], "<> ")
	}
	var uri sip.Uri
	if sip.ParseUri(next, &uri) == nil {
		addr, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
		port := uri.Port
		if port == 0 {
			port = sip.DefaultPort(b.Flow.Transport)
		}
		if err == nil {
			r.Address = netip.AddrPortFrom(addr, uint16(port))
		}
	}
	return r
}

// Route is where a request to a terminal goes.
type Route struct {
	RequestURI string   // the contact
	Headers    []string // values of Route headers, from Path
	Transport  string   // UDP, TCP or TLS
	// Address is the next hop: the flow's remote address, so that translators
	// are crossed, whatever the contact says; with a Path, the flow of the
	// proxy that sent the REGISTER. When the connection is gone it is the
	// address of the contact.
	Address netip.AddrPort
	Local   netip.AddrPort // send from here; zero when the connection is gone
}

// Registration is a binding as the API shows it.
type Registration struct {
	AOR       string    `json:"aor"`
	Alias     string    `json:"alias"`
	Contact   string    `json:"contact"`
	Address   string    `json:"address"`
	Transport string    `json:"transport"`
	UserAgent string    `json:"user_agent"`
	Expires   time.Time `json:"expires"`
	Since     time.Time `json:"since"`
}

// EventKind tells events apart.
type EventKind uint8

// Events of bindings.
const (
	Registered   EventKind = iota + 1 // a new binding
	Refreshed                         // an existing one, with its new flow
	Unregistered                      // removed at the terminal's wish
	Expired                           // not refreshed in time
	Lost                              // its connection closed or it stopped answering
)

// Event is a change of a binding.
type Event struct {
	Kind    EventKind
	Binding Binding

	left Flow // of Refreshed: the flow before
}

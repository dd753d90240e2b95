// Package registrar keeps where registered terminals can be reached: the
// REGISTER method of RFC 3261 §10 with paths (RFC 3327), client-initiated
// flows (RFC 5626) and addresses as seen through translators (RFC 3581).
//
// It is logic over a Store: it reads a request, changes bindings and returns
// the response, so that it works without a network.
package registrar

import (
	"net/netip"
	"time"
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
func (b Binding) Reach() Route { return Route{} }

// Route is where a request to a terminal goes.
type Route struct {
	RequestURI string   // the contact
	Headers    []string // values of Route headers, from Path
	Transport  string   // UDP, TCP or TLS
	// Address is the next hop: the flow's remote address, so that translators
	// are crossed, whatever the contact says; with a Path, the flow of the
	// proxy that sent the REGISTER.
	Address netip.AddrPort
	Local   netip.AddrPort // send from here; over UDP the same socket
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
}

package config

import (
	"net/netip"
	"time"
)

// SIP is the SIP stack.
type SIP struct {
	UDP Addresses `key:"udp"`
	TCP Addresses `key:"tcp"`
	TLS SIPTLS    `key:"tls"`
	// Domain is the realm of registrations, and the host part by which aliases
	// are ours; empty: any of our addresses.
	Domain string `key:"domain"`
	// AllowDirect takes calls from terminals that are neither registered nor
	// on a trunk.
	AllowDirect bool `key:"allow_direct"`
	// SessionTimer is the interval of RFC 4028; 0 = off.
	SessionTimer time.Duration `key:"session_timer"`
	Registration Registration  `key:"registration"`
}

// SIPTLS is SIP over TLS. Without Cert and Key the self-signed certificate is
// used.
type SIPTLS struct {
	Listen     Addresses `key:"listen"`
	Cert       string    `key:"cert" reload:"yes"`
	Key        string    `key:"key" reload:"yes"`
	MinVersion string    `key:"min_version" oneof:"1.2,1.3"`
	// Legacy listens for old terminals, with TLS 1.0 and old cipher suites.
	Legacy Addresses `key:"legacy"`
}

// Registration bounds the lifetime of bindings (RFC 3261 §10.3).
type Registration struct {
	MinExpires time.Duration `key:"min_expires"`
	MaxExpires time.Duration `key:"max_expires"`
}

// H323 is the H.323 stack.
type H323 struct {
	RAS        Addresses `key:"ras"`
	Signalling Addresses `key:"signalling"`
	// AllowDirect lets calls in from terminals that are not registered.
	AllowDirect bool `key:"allow_direct"`
	// Tunnelling carries H.245 in call signalling where the far side can.
	Tunnelling bool `key:"tunnelling"`
	// FastStart opens media with the call: offered and answered, answered only,
	// or refused.
	FastStart string `key:"fast_start" oneof:"on,answer,off"`
	// EarlyH245 begins H.245 before the answer of calls that we place.
	EarlyH245 bool `key:"early_h245"`
	// MediaPort is where terminals behind firewalls send all their RTP, and RTCP to the
	// next (H.460.19); 0 = each call has ports of its own.
	MediaPort  int        `key:"media_port"`
	Gatekeeper Gatekeeper `key:"gatekeeper"`
	Register   Membership `key:"register"`
}

// Membership is our registration with somebody else's gatekeeper.
type Membership struct {
	// Gatekeeper is the address of its RAS; zero: we do not register anywhere.
	Gatekeeper   netip.AddrPort `key:"gatekeeper"`
	ID           string         `key:"id"` // of the gatekeeper; "" = any
	Username     string         `key:"username"`
	Password     string         `key:"password"`
	PasswordFile string         `key:"password_file"`
	Aliases      []string       `key:"aliases"`  // none = the user name, or roomgate
	Prefixes     []string       `key:"prefixes"` // of the numbers we are the gateway for
}

// Gatekeeper is the H.323 gatekeeper.
type Gatekeeper struct {
	ID   string `key:"id"`
	Mode string `key:"mode" oneof:"off,direct,routed"`
	// Registration says who may register. Unset, it is open where strangers may call
	// too (h323.allow_direct), accounts otherwise.
	Registration string         `key:"registration" oneof:"open,accounts,closed" reload:"yes"`
	Allow        []netip.Prefix `key:"allow" reload:"yes"` // terminals' networks; none = all
	TimeToLive   time.Duration  `key:"time_to_live" reload:"yes"`
	// Discovery answers searches in the group 224.0.1.41.
	Discovery bool `key:"discovery"`
	// Traversal serves terminals behind firewalls (H.460.17, .18).
	Traversal bool `key:"traversal"`
	// Bandwidths in kbit/s of both directions together; 0 = no limit.
	CallBandwidth  int         `key:"call_bandwidth" reload:"yes"`
	TotalBandwidth int         `key:"total_bandwidth" reload:"yes"`
	Neighbours     []Neighbour `key:"neighbours" reload:"yes"`
	Alternates     []Alternate `key:"alternates" reload:"yes"`
}

// Neighbour is a gatekeeper whose zone can be called, and may call us.
type Neighbour struct {
	Name     string         `key:"name"`
	Address  netip.AddrPort `key:"address"`  // of its RAS
	Prefixes []string       `key:"prefixes"` // of its numbers; none = everything
	Strip    bool           `key:"strip"`    // the prefix, before asking it
}

// Alternate is a gatekeeper that terminals go to when this one does not answer.
type Alternate struct {
	Address  netip.AddrPort `key:"address"` // of its RAS
	ID       string         `key:"id"`
	Priority int            `key:"priority"` // 0 to 127, 0 first
	Register bool           `key:"register"` // they have to register there
}

// RTP is the media side of calls.
type RTP struct {
	Ports    PortRange `key:"ports"`
	Latching string    `key:"latching" oneof:"off,auto,on"`
	// Encryption is the SRTP policy of calls that do not ask for another.
	Encryption string `key:"encryption" oneof:"off,prefer,require"`
	// Timeout ends a call that sends no media; 0 = never.
	Timeout time.Duration `key:"timeout"`
}

// SFU is the meeting server: embedded, or a LiveKit server or cluster at URL.
type SFU struct {
	Embedded      bool   `key:"embedded"`
	URL           string `key:"url"`
	APIKey        string `key:"api_key"`
	APIKeyFile    string `key:"api_key_file"`
	APISecret     string `key:"api_secret"`
	APISecretFile string `key:"api_secret_file"`
	// PhoneAudio is what G.711 legs send into a meeting.
	PhoneAudio string `key:"phone_audio" oneof:"opus,g711"`
	// Address is where browsers send the embedded server's media; zero: the
	// address of the first network, or of the default route.
	Address netip.Addr `key:"address"`
	Ports   SFUPorts   `key:"ports"`
}

// SFUPorts are the ports of the embedded server.
type SFUPorts struct {
	Signalling int `key:"signalling"` // TCP, on loopback only
	TCP        int `key:"tcp"`        // media where UDP is blocked; 0 = none
	UDP        int `key:"udp"`        // media
}

// HTTP is the web side: pages, API, metrics.
type HTTP struct {
	Listen Addresses `key:"listen"`
	TLS    HTTPTLS   `key:"tls"`
	// PublicURL is how users reach us through a reverse proxy; empty: as the
	// request says.
	PublicURL string `key:"public_url" reload:"yes"`
	// TrustedProxies may state the client's address and scheme in
	// X-Forwarded-For and X-Forwarded-Proto.
	TrustedProxies []netip.Prefix `key:"trusted_proxies" reload:"yes"`
}

// HTTPTLS is HTTPS. Without Cert and Key the self-signed certificate is used.
type HTTPTLS struct {
	Listen Addresses `key:"listen"`
	Cert   string    `key:"cert" reload:"yes"`
	Key    string    `key:"key" reload:"yes"`
}

// Package config turns defaults, a YAML file and ROOMGATE_* environment
// variables into one typed, validated Config, and keeps it up to date while the
// process runs.
//
// # Layers
//
// Later layers win: built-in defaults, then the file, then the environment. A
// key such as sip.tls.listen is ROOMGATE_SIP_TLS_LISTEN in the environment. A
// list of plain values is comma-separated there (ROOMGATE_SIP_UDP=":5060,[::1]:5070");
// a list of objects is YAML or JSON text
// (ROOMGATE_TRUNKS='[{"name":"pstn","cidrs":["192.0.2.0/24"]}]'). An empty
// variable counts as not set.
//
// A secret may stand in a file of its own: every key api_key, api_secret,
// password and url of a database has a sibling ending in _file, whose content,
// without the newline at its end, is the value.
//
// # Errors
//
// Every fault of a file is reported at once, each with the key and the line.
package config

import (
	"net/netip"
	"regexp"
	"time"
)

// Config is the whole configuration. The tag key is the name in YAML; reload
// marks what takes effect without a restart, with everything below it; oneof
// lists the permitted words.
type Config struct {
	Listen   Listen    `key:"listen"`
	Networks []Network `key:"networks"`
	SIP      SIP       `key:"sip"`
	H323     H323      `key:"h323"`
	RTP      RTP       `key:"rtp"`
	SFU      SFU       `key:"sfu"`
	HTTP     HTTP      `key:"http"`
	Database Database  `key:"database"`
	Video    Video     `key:"video"`
	Meetings Meetings  `key:"meetings"`
	Lobby    Lobby     `key:"lobby"`
	Limits   Limits    `key:"limits" reload:"yes"`
	// DrainTimeout is how long calls may go on after SIGTERM.
	DrainTimeout time.Duration `key:"drain_timeout" reload:"yes"`
	PhoneBook    PhoneBook     `key:"phonebook"`
	LDAPSync     LDAPSync      `key:"ldap_sync"`
	Log          Log           `key:"log"`
	Telemetry    Telemetry     `key:"telemetry"`
	Admin        Admin         `key:"admin"`
	Accounts     []Account     `key:"accounts" reload:"yes"`
	Trunks       []Trunk       `key:"trunks" reload:"yes"`
	DialRules    []DialRule    `key:"dial_rules" reload:"yes"`
	DialPlan     DialPlan      `key:"dial_plan" reload:"yes"`
	// SecretKey opens the passwords in the database: 32 bytes in base64 or
	// hexadecimal, several with commas between, of which the first seals. Without
	// one the first start makes secret.key in DataDir.
	SecretKey     string `key:"secret_key"`
	SecretKeyFile string `key:"secret_key_file"`
	// DataDir holds what the gateway makes itself: the self-signed certificate,
	// the hash of the API key, the database and its key. Empty in the file means $STATE_DIRECTORY,
	// or ./data; Load fills it in.
	DataDir string `key:"data_dir"`

	// Warnings are faults that do not stop the start, such as environment
	// variables that look like ours and are not.
	Warnings []string `key:"-"`
	// Files are all files the configuration was read from: the YAML file,
	// secrets, certificates and keys.
	Files []string `key:"-"`
}

// Listen holds what listeners have in common.
type Listen struct {
	// Address is bound by every listener that names only a port; the zero
	// value binds all addresses, IPv4 and IPv6.
	Address netip.Addr `key:"address"`
}

// Network says which of our addresses peers in CIDR see, and how packets to
// them are marked. The most specific network wins.
type Network struct {
	CIDR netip.Prefix `key:"cidr"`
	// Address is advertised in SIP and SDP; it may be one that a NAT maps to
	// us. Without it, the address of Interface is.
	Address   netip.Addr `key:"address"`
	Interface string     `key:"interface"`
	// The DSCP fields are code points, 0 to 63 (RFC 2474 §3).
	DSCPAudio      int `key:"dscp_audio"`
	DSCPVideo      int `key:"dscp_video"`
	DSCPSignalling int `key:"dscp_signalling"`
}

// Database says where the directory lives: a SQLite path, sqlite:PATH, or a
// postgres:// URL; empty: roomgate.db in DataDir.
type Database struct {
	URL     string `key:"url"`
	URLFile string `key:"url_file"`
}

// Meetings holds what applies to every meeting.
type Meetings struct {
	// AutoCreate opens a meeting when somebody dials its alias. Unset, it is
	// true without a configuration file and false with one.
	AutoCreate    bool   `key:"auto_create" reload:"yes"`
	DefaultLayout string `key:"default_layout" oneof:"auto,single,speaker,grid,2x2,3x3,4x4,5x5,lecture" reload:"yes"`
	MaxLegs       int    `key:"max_legs" reload:"yes"` // a meeting; 0 = no limit
	// Keypad lets the keys of phones and terminals give commands: * and another key.
	Keypad bool `key:"keypad" reload:"yes"`
	// Banners tell on screens of several pictures who has come and gone, Clock the time of
	// day in a zone of IANA; "" = no clock.
	Banners bool   `key:"banners" reload:"yes"`
	Clock   string `key:"clock" reload:"yes"`
	// Chat shows on them what is written in the meeting.
	Chat bool `key:"chat" reload:"yes"`
	// LectureTurn is how long who gives a lecture sees one of the audience.
	LectureTurn time.Duration `key:"lecture_turn" reload:"yes"`
	// EarlyJoin is how long before it starts a planned meeting may be entered.
	EarlyJoin time.Duration `key:"early_join" reload:"yes"`
	// PhoneNumbers lead to the lobby, as invitations tell them.
	PhoneNumbers []string `key:"phone_numbers" reload:"yes"`
}

// Lobby is where callers are asked for the meeting and the PIN, and wait.
type Lobby struct {
	// Alias is what is dialled to reach it.
	Alias []string `key:"alias" reload:"yes"`
	// Language is spoken to callers; ask lets them choose.
	Language string `key:"language" oneof:"ask,vi,en" reload:"yes"`
	Tries    int    `key:"tries" reload:"yes"`
	// Tones sounds when somebody comes into a meeting or leaves it.
	Tones bool `key:"tones" reload:"yes"`
	// Names tells who says a name in the lobby, which is told to the others in the meeting.
	Names string `key:"names" oneof:"off,phones,all" reload:"yes"`
	// Prompts is a folder of WAV files that take the place of those built in.
	Prompts string `key:"prompts"`
}

// Video is about pictures that cannot be passed on as they are.
type Video struct {
	// Worker is the program that makes them; auto: roomgate-video beside our
	// own, off: none.
	Worker    string `key:"worker"`
	Processes int    `key:"processes"` // of the worker at most; 0 = by the processors
	// Simulcast publishes pictures of terminals small, too, while somebody wants them small.
	Simulcast string `key:"simulcast" oneof:"auto,off" reload:"yes"`
}

// Limits protect the node.
type Limits struct {
	MaxCalls int `key:"max_calls"` // at once; 0 = no limit
	// PerSource is how many SIP requests one address may send a second, and how
	// many RAS messages.
	PerSource     int `key:"per_source"`
	Registrations int `key:"registrations"` // bindings of all terminals
	// APIRequests is how many requests a minute one API key of the directory may make;
	// 0 = no limit.
	APIRequests int `key:"api_requests"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `key:"level" oneof:"debug,info,warn,error" reload:"yes"`
	Format string `key:"format" oneof:"console,json"`
}

// PhoneBook is the directory as phones and terminals read it.
type PhoneBook struct {
	// XML serves /phonebook/cisco.xml, cisco-menu.xml and yealink.xml on the HTTP listeners.
	XML bool `key:"xml"`
	// LDAP and LDAPS are where it is read by LDAP: with StartTLS, and over TLS.
	LDAP  Addresses `key:"ldap"`
	LDAPS Addresses `key:"ldaps"`
	Base  string    `key:"base"` // of the tree of LDAP
	// RequireTLS takes passwords over TLS alone.
	RequireTLS bool `key:"require_tls" reload:"yes"`
	// Open are networks that read without a password.
	Open []OpenPhoneBook `key:"open" reload:"yes"`
}

// OpenPhoneBook lets a network read the lines of an agency; "" = all.
type OpenPhoneBook struct {
	CIDR   netip.Prefix `key:"cidr"`
	Agency string       `key:"agency"`
}

// LDAPSync takes endpoints over from a directory of others.
type LDAPSync struct {
	URL          string        `key:"url"` // ldap:// or ldaps://; empty: nothing is taken over
	StartTLS     bool          `key:"start_tls"`
	CAFile       string        `key:"ca_file"` // empty: the authorities of the system
	BindDN       string        `key:"bind_dn"`
	Password     string        `key:"password"`
	PasswordFile string        `key:"password_file"`
	Base         string        `key:"base"`
	Schema       string        `key:"schema" oneof:"h350,ad"`
	Filter       string        `key:"filter"`
	Agency       string        `key:"agency"` // of all; empty: as the source says
	Every        time.Duration `key:"every"`  // 0 = only when asked
	// Delete takes out what the source has no longer.
	Delete     bool           `key:"delete"`
	Attributes LDAPAttributes `key:"attributes"`
}

// LDAPAttributes replace those of the schema.
type LDAPAttributes struct {
	ID       string `key:"id"`
	Name     string `key:"name"`
	Agency   string `key:"agency"`
	Site     string `key:"site"`
	E164     string `key:"e164"`
	H323     string `key:"h323"`
	SIP      string `key:"sip"`
	Username string `key:"username"`
	Password string `key:"password"`
	Owner    string `key:"owner"`
}

// Telemetry says who is told, by OpenTelemetry, how calls come about.
type Telemetry struct {
	// OTLPEndpoint takes traces by OTLP over HTTP, such as http://collector:4318; empty:
	// nobody is told.
	OTLPEndpoint string `key:"otlp_endpoint"`
	// Sample is how many of a hundred calls are told.
	Sample int `key:"sample"`
}

// Admin holds the key of the API. Without one, the first start makes a key,
// prints it once and keeps its hash in DataDir.
type Admin struct {
	APIKey     string `key:"api_key" reload:"yes"`
	APIKeyFile string `key:"api_key_file" reload:"yes"`
}

// Account lets a terminal register and call.
type Account struct {
	Username     string `key:"username"`
	Password     string `key:"password"`
	PasswordFile string `key:"password_file"`
	// Aliases are what others dial to reach the terminal, besides Username.
	Aliases []string `key:"aliases"`
	Name    string   `key:"name"` // shown to others
}

// Trunk is a provider or PBX whose calls are trusted by their source address.
type Trunk struct {
	Name  string         `key:"name"`
	CIDRs []netip.Prefix `key:"cidrs"`
	// TrustIdentity takes the caller from P-Asserted-Identity.
	TrustIdentity bool `key:"trust_identity"`
	// Numbers are those that lead to us: NUMBER or FROM-TO; empty means all.
	Numbers []string `key:"numbers"`
	// MaxCalls at once and MaxRate calls a second; 0 = no limit.
	MaxCalls int `key:"max_calls"`
	MaxRate  int `key:"max_rate"`
	// Codecs of audio, best first; empty means all but g729.
	Codecs []string `key:"codecs" oneof:"opus,g7221c,g722,g7221,pcma,pcmu,g729"`
	// Lobby leads calls to an unknown number into the lobby.
	Lobby bool `key:"lobby"`
	// Language is spoken in the lobby; empty: lobby.language.
	Language string `key:"language" oneof:"ask,vi,en"`
}

// DialRule maps a dialled alias to where it leads; the first that matches
// wins. Exactly one of Pattern and Prefix, and one of Meeting, Endpoint, Lobby
// and Reject, is set. Meeting and Endpoint may hold $1 or ${name} of Pattern's
// groups and $0, the whole alias; with Prefix, $1 is what follows the prefix.
type DialRule struct {
	Pattern string `key:"pattern"` // regular expression (RE2) for the whole alias
	Prefix  string `key:"prefix"`
	// Trunk limits the rule to calls from one trunk, Protocol to one protocol.
	Trunk    string `key:"trunk"`
	Protocol string `key:"protocol" oneof:"sip,h323"`
	Meeting  string `key:"meeting"`
	// Endpoint is a SIP URI or the alias of a registered terminal.
	Endpoint string `key:"endpoint"`
	Lobby    bool   `key:"lobby"`
	// Language is spoken in the lobby; empty: that of the trunk.
	Language string `key:"language" oneof:"ask,vi,en"`
	Reject   string `key:"reject" oneof:"forbidden,not_found,busy,unavailable"`
}

// DialPlan is what decides besides the rules.
type DialPlan struct {
	// Country of numbers without a country code, ISO 3166.
	Country string `key:"country"`
	Policy  Policy `key:"policy"`
}

// Policy is a program that is asked by HTTP where calls go, before the rules.
type Policy struct {
	URL        string        `key:"url"` // empty: nobody is asked
	Secret     string        `key:"secret"`
	SecretFile string        `key:"secret_file"`
	Timeout    time.Duration `key:"timeout"`
	// Fallback is what happens while it does not answer: the rules decide, or the
	// call is refused.
	Fallback string `key:"fallback" oneof:"rules,refuse"`
}

// Expression is Pattern, or Prefix as a regular expression.
func (r DialRule) Expression() string {
	if r.Prefix != "" {
		return regexp.QuoteMeta(r.Prefix) + "(.*)"
	}
	return r.Pattern
}

package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Alias is a name that an endpoint is called by.
type Alias struct {
	Kind  string `json:"kind"` // sip, e164, h323
	Value string `json:"value"`
}

// EndpointRequest adds or changes an endpoint.
type EndpointRequest struct {
	Name        string   `json:"name"`
	Agency      string   `json:"agency,omitempty"`
	Site        string   `json:"site,omitempty"`
	Aliases     []Alias  `json:"aliases,omitempty"`
	Username    string   `json:"username,omitempty"`
	Password    string   `json:"password,omitempty"` // empty in a change: stays
	Vendor      string   `json:"vendor,omitempty"`
	Quirks      []string `json:"quirks,omitempty"`
	Bandwidth   int      `json:"bandwidth,omitempty"` // kbit/s
	Layout      string   `json:"layout,omitempty"`
	Address     string   `json:"address,omitempty"`     // where it is called while it is not registered
	Permissions []string `json:"permissions,omitempty"` // meetings, terminals, trunks; none: everything
	Treatment
}

// Treatment is what is special about calls of an endpoint.
type Treatment struct {
	MCU           bool     `json:"mcu,omitempty"`
	TerminalType  int      `json:"terminal_type,omitempty"`
	ContentMaster string   `json:"content_master,omitempty"` // here, there
	Digits        string   `json:"digits,omitempty"`         // sent after the answer
	Redials       int      `json:"redials,omitempty"`
	Longest       int      `json:"longest_seconds,omitempty"`
	Forbidden     []string `json:"forbidden,omitempty"` // present, cameras, keys
}

// Endpoint is a terminal or phone of the directory.
type Endpoint struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Agency      string    `json:"agency"`
	Site        string    `json:"site"`
	Aliases     []Alias   `json:"aliases"`
	Username    string    `json:"username"`
	HasPassword bool      `json:"has_password"`
	Vendor      string    `json:"vendor"`
	Quirks      []string  `json:"quirks"`
	Bandwidth   int       `json:"bandwidth"`
	Layout      string    `json:"layout"`
	Address     string    `json:"address"`
	Permissions []string  `json:"permissions"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	// MissingSince is when the directory it was taken over from had it no longer.
	MissingSince *time.Time `json:"missing_since,omitempty"`
	Treatment
}

// Import is what a table did to the directory, or would do.
type Import struct {
	DryRun    bool           `json:"dry_run"`
	Created   int            `json:"created"`
	Updated   int            `json:"updated"`
	Unchanged int            `json:"unchanged"`
	Changes   []ImportChange `json:"changes"`
	Errors    []ImportError  `json:"errors"`
}

// ImportChange is what one row does.
type ImportChange struct {
	Row    int           `json:"row"`
	Action string        `json:"action"` // create, update
	Name   string        `json:"name"`
	Fields []ImportField `json:"fields"`
}

// ImportField is a cell before and after.
type ImportField struct {
	Column string `json:"column"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// ImportError is what is wrong with a row.
type ImportError struct {
	Row    int    `json:"row"`
	Column string `json:"column"`
	Text   string `json:"text"`
}

// FindEndpoints lists the endpoints in which all words of text occur, all of them
// when it is empty.
func (c *Client) FindEndpoints(ctx context.Context, text string) ([]Endpoint, error) {
	return listWith[Endpoint](ctx, c, "/endpoints", "endpoints", url.Values{"q": {text}})
}

// Entry is a line of the phone book.
type Entry struct {
	Name    string  `json:"name"`
	Agency  string  `json:"agency"`
	Site    string  `json:"site"`
	Aliases []Alias `json:"aliases"`
}

// PhoneBook lists whom to call: those in whose names, numbers, agency or site all
// words of text occur.
func (c *Client) PhoneBook(ctx context.Context, text string) ([]Entry, error) {
	return listWith[Entry](ctx, c, "/directory", "entries", url.Values{"q": {text}})
}

// Endpoint finds an endpoint by its ID.
func (c *Client) Endpoint(ctx context.Context, id string) (e Endpoint, err error) {
	err = c.do(ctx, http.MethodGet, path("endpoints", id), nil, &e)
	return e, err
}

// AddEndpoint adds an endpoint.
func (c *Client) AddEndpoint(ctx context.Context, r EndpointRequest) (e Endpoint, err error) {
	err = c.do(ctx, http.MethodPost, "/endpoints", r, &e)
	return e, err
}

// ChangeEndpoint puts an endpoint in place of the one with the ID.
func (c *Client) ChangeEndpoint(ctx context.Context, id string, r EndpointRequest) (e Endpoint, err error) {
	err = c.do(ctx, http.MethodPut, path("endpoints", id), r, &e)
	return e, err
}

// DeleteEndpoint forgets an endpoint.
func (c *Client) DeleteEndpoint(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, path("endpoints", id), nil, nil)
}

// ImportEndpoints imports a CSV table, all of it or nothing; a dry run changes
// nothing. Faults of rows are in Errors, and the error is nil.
func (c *Client) ImportEndpoints(ctx context.Context, table io.Reader, dryRun bool) (v Import, err error) {
	address := "/endpoints/import?dry_run=" + strconv.FormatBool(dryRun)
	err = c.exchange(ctx, http.MethodPost, address, table, http.Header{"Content-Type": {"text/csv"}}, http.StatusUnprocessableEntity, &v)
	return v, err
}

// Sync is what a directory of others changes in ours.
type Sync struct {
	DryRun    bool         `json:"dry_run"`
	Created   int          `json:"created"`
	Updated   int          `json:"updated"`
	Deleted   int          `json:"deleted"`
	Unchanged int          `json:"unchanged"`
	Marked    int          `json:"marked"` // that the source has no longer since now
	Changes   []SyncChange `json:"changes"`
	Missing   []string     `json:"missing"` // that the source has no longer and that stay
	Faults    []SyncFault  `json:"faults"`
}

// SyncChange is what becomes of an endpoint.
type SyncChange struct {
	Action string      `json:"action"` // create, update, mark (as missing), delete
	Name   string      `json:"name"`
	Fields []SyncField `json:"fields"`
}

// SyncField is a field before and after.
type SyncField struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// SyncFault is an entry that is not taken over.
type SyncFault struct {
	Entry string `json:"entry"`
	Text  string `json:"text"`
}

// SyncOptions say how endpoints are taken over.
type SyncOptions struct {
	DryRun bool // changes nothing
	Force  bool // believes a source that has lost many endpoints at once
}

// SyncDirectory takes endpoints over from the LDAP directory of ldap_sync.
func (c *Client) SyncDirectory(ctx context.Context, o SyncOptions) (v Sync, err error) {
	query := url.Values{"dry_run": {strconv.FormatBool(o.DryRun)}, "force": {strconv.FormatBool(o.Force)}}
	err = c.do(ctx, http.MethodPost, "/directory/sync?"+query.Encode(), nil, &v)
	return v, err
}

// ExportEndpoints writes all endpoints as a CSV table.
func (c *Client) ExportEndpoints(ctx context.Context, to io.Writer) error {
	return c.download(ctx, "/endpoints/export", to)
}

// DialRule is a rule of the dial plan; ID and times are the gateway's.
type DialRule struct {
	ID         string     `json:"id,omitempty"`
	Name       string     `json:"name,omitempty"`
	Position   int        `json:"position"`
	Disabled   bool       `json:"disabled,omitempty"`
	Pattern    string     `json:"pattern,omitempty"`
	Prefix     string     `json:"prefix,omitempty"`
	Number     bool       `json:"number,omitempty"`
	Sources    []string   `json:"sources,omitempty"`
	Caller     string     `json:"caller,omitempty"`
	Trunk      string     `json:"trunk,omitempty"`
	Protocol   string     `json:"protocol,omitempty"`
	Times      []Window   `json:"times,omitempty"`
	Meeting    string     `json:"meeting,omitempty"`
	Endpoint   string     `json:"endpoint,omitempty"`
	ViaTrunk   string     `json:"via_trunk,omitempty"`
	Lobby      bool       `json:"lobby,omitempty"`
	Language   string     `json:"language,omitempty"`
	Gatekeeper string     `json:"gatekeeper,omitempty"`
	Proxy      string     `json:"proxy,omitempty"`
	Reject     string     `json:"reject,omitempty"`
	Rewrite    string     `json:"rewrite,omitempty"`
	CreatedAt  *time.Time `json:"created_at,omitempty"`
	UpdatedAt  *time.Time `json:"updated_at,omitempty"`
}

// Window is a time of the week; 0 is Sunday.
type Window struct {
	Days []int  `json:"days,omitempty"`
	From string `json:"from"` // HH:MM
	To   string `json:"to"`
	Zone string `json:"zone,omitempty"`
}

// RouteTest is a call that nobody makes.
type RouteTest struct {
	Called   string     `json:"called"`
	Caller   string     `json:"caller,omitempty"`
	Protocol string     `json:"protocol,omitempty"`
	Trunk    string     `json:"trunk,omitempty"`
	Source   string     `json:"source,omitempty"`
	At       *time.Time `json:"at,omitempty"`
}

// RouteResult is where a call would go, and why.
type RouteResult struct {
	Destination string      `json:"destination"` // meeting, endpoint, trunk, lobby, reject
	Meeting     string      `json:"meeting"`
	Create      bool        `json:"create"`
	HasPIN      bool        `json:"has_pin"`
	Endpoint    string      `json:"endpoint"`
	Via         string      `json:"via"`
	Trunk       string      `json:"trunk"`
	Number      string      `json:"number"`
	Language    string      `json:"language"`
	Reject      string      `json:"reject"`
	Rule        int         `json:"rule"`
	RuleID      string      `json:"rule_id"`
	Why         string      `json:"why"`
	Steps       []RouteStep `json:"steps"`
}

// RouteStep is what one rule said.
type RouteStep struct {
	Rule    int    `json:"rule"`
	RuleID  string `json:"rule_id"`
	Name    string `json:"name"`
	Matched bool   `json:"matched"`
	Why     string `json:"why"`
	Dialled string `json:"dialled"`
}

// DialRules lists the rules of the directory in the order in which they are tried.
func (c *Client) DialRules(ctx context.Context) ([]DialRule, error) {
	return list[DialRule](ctx, c, "/dial-rules", "dial_rules")
}

// AddDialRule adds a rule.
func (c *Client) AddDialRule(ctx context.Context, r DialRule) (v DialRule, err error) {
	r.ID, r.CreatedAt, r.UpdatedAt = "", nil, nil
	err = c.do(ctx, http.MethodPost, "/dial-rules", r, &v)
	return v, err
}

// DialRule finds a rule by its ID.
func (c *Client) DialRule(ctx context.Context, id string) (v DialRule, err error) {
	err = c.do(ctx, http.MethodGet, path("dial-rules", id), nil, &v)
	return v, err
}

// ChangeDialRule puts a rule in place of the one with the ID.
func (c *Client) ChangeDialRule(ctx context.Context, id string, r DialRule) (v DialRule, err error) {
	r.ID, r.CreatedAt, r.UpdatedAt = "", nil, nil
	err = c.do(ctx, http.MethodPut, path("dial-rules", id), r, &v)
	return v, err
}

// DeleteDialRule forgets a rule.
func (c *Client) DeleteDialRule(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, path("dial-rules", id), nil, nil)
}

// TestDialRules tells where a call would go.
func (c *Client) TestDialRules(ctx context.Context, t RouteTest) (v RouteResult, err error) {
	err = c.do(ctx, http.MethodPost, "/dial-rules/test", t, &v)
	return v, err
}

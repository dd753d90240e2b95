package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
)

// Alias is a name that an endpoint is called by.
type Alias struct {
	Kind  string `json:"kind" enum:"sip,e164,h323"`
	Value string `json:"value" minLength:"1" maxLength:"256" example:"+842438231234"`
}

// EndpointRequest is the body that adds or changes an endpoint.
type EndpointRequest struct {
	Name        string   `json:"name" minLength:"1" maxLength:"200" example:"Phòng họp A" doc:"Shown to others."`
	Agency      string   `json:"agency,omitempty" maxLength:"100"`
	Site        string   `json:"site,omitempty" maxLength:"100"`
	Aliases     []Alias  `json:"aliases,omitempty" maxItems:"32" nullable:"false"`
	Username    string   `json:"username,omitempty" maxLength:"64" doc:"Of digest (SIP) and H.235 (H.323) credentials; an alias too."`
	Password    string   `json:"password,omitempty" maxLength:"128" doc:"Never shown again. Empty in a change: stays."`
	Vendor      string   `json:"vendor,omitempty" maxLength:"64" example:"poly" doc:"Profile of quirks."`
	Quirks      []string `json:"quirks,omitempty" maxItems:"32" nullable:"false" doc:"Single quirks switched on, or off with a - before."`
	Bandwidth   int      `json:"bandwidth,omitempty" minimum:"0" maximum:"100000" doc:"Of calls to it, kbit/s with sound; 0: no limit of its own."`
	Layout      string   `json:"layout,omitempty" enum:"auto,single,speaker,grid,2x2,3x3,4x4,5x5,lecture"`
	Address     string   `json:"address,omitempty" maxLength:"256" example:"h323:10.1.2.3" doc:"Where it is called while it is not registered."`
	Permissions []string `json:"permissions,omitempty" maxItems:"3" enum:"meetings,terminals,trunks" nullable:"false" doc:"What it may call; none: everything."`

	Treatment
}

// Treatment is what is special about calls of an endpoint.
type Treatment struct {
	MCU           bool     `json:"mcu,omitempty" doc:"It joins several itself: it is never shown its own picture, and that picture fills the screens of others."`
	TerminalType  int      `json:"terminal_type,omitempty" minimum:"0" maximum:"255" doc:"Of H.245 in calls to it (H.323 table 1); default: 240 with content_master here, 60 otherwise."`
	ContentMaster string   `json:"content_master,omitempty" enum:"here,there" doc:"Whose presenter stays when both sides of an MCU present; default: whoever came last."`
	Digits        string   `json:"digits,omitempty" pattern:"^[0-9*#A-D,]{0,128}$" example:",,1234#" doc:"Sent when it has answered; a comma waits for a second."`
	Redials       int      `json:"redials,omitempty" minimum:"0" maximum:"20" doc:"How often in a row it is called again when the network lost the call."`
	Longest       int      `json:"longest_seconds,omitempty" minimum:"0" maximum:"1000000" doc:"How long its calls last at most; 0: any."`
	Forbidden     []string `json:"forbidden,omitempty" maxItems:"3" enum:"present,cameras,keys" nullable:"false" doc:"What it may not do in meetings: present, move cameras of others, give commands by its keypad."`
}

func treatmentView(t directory.Treatment) Treatment {
	v := Treatment{
		MCU: t.MCU, TerminalType: t.TerminalType, ContentMaster: t.ContentMaster, Digits: t.Digits,
		Redials: t.Redials, Longest: t.Longest,
	}
	for _, d := range t.Forbidden {
		v.Forbidden = append(v.Forbidden, string(d))
	}
	return v
}

func (v Treatment) treatment() directory.Treatment {
	t := directory.Treatment{
		MCU: v.MCU, TerminalType: v.TerminalType, ContentMaster: v.ContentMaster, Digits: v.Digits,
		Redials: v.Redials, Longest: v.Longest,
	}
	for _, d := range v.Forbidden {
		t.Forbidden = append(t.Forbidden, directory.Deed(d))
	}
	return t
}

// Endpoint is a terminal or phone of the directory.
type Endpoint struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Agency       string     `json:"agency"`
	Site         string     `json:"site"`
	Aliases      []Alias    `json:"aliases" nullable:"false"`
	Username     string     `json:"username"`
	HasPassword  bool       `json:"has_password"`
	Vendor       string     `json:"vendor"`
	Quirks       []string   `json:"quirks" nullable:"false"`
	Bandwidth    int        `json:"bandwidth"`
	Layout       string     `json:"layout"`
	Address      string     `json:"address"`
	Permissions  []string   `json:"permissions" nullable:"false"`
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	MissingSince *time.Time `json:"missing_since,omitempty" doc:"Since when the directory it was taken over from has it no longer."`

	Treatment
}

func endpointView(e directory.Endpoint) Endpoint {
	v := Endpoint{
		ID: e.ID, Name: e.Name, Agency: e.Agency, Site: e.Site, Username: e.Username, HasPassword: e.Sealed != "",
		Vendor: e.Vendor, Quirks: append([]string{}, e.Quirks...), Bandwidth: e.Bandwidth, Layout: e.Layout, Address: e.Address,
		Aliases: views(e.Aliases, aliasView), Permissions: []string{}, CreatedAt: e.Created, UpdatedAt: e.Updated, MissingSince: moment(e.Missing),
		Treatment: treatmentView(e.Treatment),
	}
	for _, p := range e.Permissions {
		v.Permissions = append(v.Permissions, string(p))
	}
	return v
}

func aliasView(a directory.Alias) Alias { return Alias{string(a.Kind), a.Value} }

func (r EndpointRequest) endpoint() (directory.Endpoint, error) {
	e := directory.Endpoint{
		Name: r.Name, Agency: r.Agency, Site: r.Site, Username: r.Username, Password: r.Password,
		Vendor: r.Vendor, Quirks: r.Quirks, Bandwidth: r.Bandwidth, Layout: r.Layout, Address: r.Address,
		Treatment: r.treatment(),
	}
	for _, a := range r.Aliases {
		e.Aliases = append(e.Aliases, directory.Alias{Kind: directory.AliasKind(a.Kind), Value: a.Value})
	}
	for _, p := range r.Permissions {
		e.Permissions = append(e.Permissions, directory.Permission(p))
	}
	return e, nil
}

// EndpointQuery searches.
type EndpointQuery struct {
	PageQuery
	Text    string `query:"q" maxLength:"200" doc:"Words that all have to occur in names, numbers, address, agency or site; accents and capitals do not matter."`
	Agency  string `query:"agency" maxLength:"100"`
	Site    string `query:"site" maxLength:"100"`
	Vendor  string `query:"vendor" maxLength:"64"`
	Missing bool   `query:"missing" doc:"Those alone that the directory they were taken over from has no longer."`
}

type endpointList struct {
	Body struct {
		Endpoints  []Endpoint `json:"endpoints" nullable:"false"`
		NextCursor string     `json:"next_cursor,omitempty"`
	}
}

// search limits a query to what its key may see.
func (a *API) search(ctx context.Context, q EndpointQuery) (directory.Page, error) {
	if agency := agencyOf(clientOf(ctx)); agency != "" {
		if q.Agency != "" && q.Agency != agency {
			return directory.Page{}, nil
		}
		q.Agency = agency
	}
	page, err := a.Directory.Endpoints(directory.Query{
		Text: q.Text, Agency: q.Agency, Site: q.Site, Vendor: q.Vendor, Missing: q.Missing, Limit: q.Limit, Cursor: q.Cursor,
	})
	if err != nil {
		return page, a.directoryProblem(err)
	}
	return page, nil
}

func (a *API) endpoints() {
	const tag = "Directory"
	register(a, resource[EndpointRequest, Endpoint, directory.Endpoint]{
		name: "endpoint", path: "/endpoints", tag: tag, noun: "an endpoint", byAgency: true,
		get: a.Directory.Endpoint, save: a.Directory.SaveEndpoint, delete: a.Directory.DeleteEndpoint,
		meta: func(e *directory.Endpoint) *directory.Meta { return &e.Meta }, agency: func(e *directory.Endpoint) *string { return &e.Agency },
		read: EndpointRequest.endpoint, view: endpointView,
	})
	list := operation("list-endpoints", http.MethodGet, "/endpoints", "Search endpoints, by name", tag, http.StatusForbidden, http.StatusUnprocessableEntity)
	list.Metadata = map[string]any{byAgency: true}
	huma.Register(a.huma, list, func(ctx context.Context, in *EndpointQuery) (*endpointList, error) {
		page, err := a.search(ctx, *in)
		if err != nil {
			return nil, err
		}
		out := &endpointList{}
		out.Body.Endpoints, out.Body.NextCursor = views(page.Endpoints, endpointView), page.Next
		return out, nil
	})
	book := operation("search-directory", http.MethodGet, "/directory", "Look up whom to call", tag, http.StatusForbidden, http.StatusUnprocessableEntity)
	book.Metadata = map[string]any{byAgency: true}
	book.Description = "What a phone book shows of endpoints: names and aliases."
	huma.Register(a.huma, book, func(ctx context.Context, in *EndpointQuery) (*entryList, error) {
		page, err := a.search(ctx, *in)
		if err != nil {
			return nil, err
		}
		out := &entryList{}
		out.Body.Entries, out.Body.NextCursor = views(page.Endpoints, entryView), page.Next
		return out, nil
	})
	a.tables()
}

// Entry is a line of the phone book.
type Entry struct {
	Name    string  `json:"name"`
	Agency  string  `json:"agency"`
	Site    string  `json:"site"`
	Aliases []Alias `json:"aliases" nullable:"false"`
}

type entryList struct {
	Body struct {
		Entries    []Entry `json:"entries" nullable:"false"`
		NextCursor string  `json:"next_cursor,omitempty"`
	}
}

func entryView(e directory.Endpoint) Entry {
	v := Entry{Name: e.Name, Agency: e.Agency, Site: e.Site, Aliases: views(e.Aliases, aliasView)}
	if e.Username != "" {
		v.Aliases = append([]Alias{{"sip", e.Username}}, v.Aliases...)
	}
	return v
}

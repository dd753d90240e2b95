package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/sheet"
)

// maxTable bounds a table that is sent.
const maxTable = 64 << 20

// importPath is where tables are sent.
const importPath = "/api/v1/endpoints/import"

// Import is what a table did to the directory, or would do.
type Import struct {
	DryRun    bool           `json:"dry_run"`
	Created   int            `json:"created"`
	Updated   int            `json:"updated"`
	Unchanged int            `json:"unchanged"`
	Changes   []ImportChange `json:"changes" nullable:"false" doc:"The first thousand."`
	Errors    []ImportError  `json:"errors" nullable:"false" doc:"The first thousand. With one of them nothing is changed."`
}

// ImportChange is what one row does.
type ImportChange struct {
	Row    int           `json:"row" doc:"Counted from 1, the heading included."`
	Action string        `json:"action" enum:"create,update"`
	Name   string        `json:"name"`
	Fields []ImportField `json:"fields,omitempty"`
}

// ImportField is a cell before and after; passwords are not shown.
type ImportField struct {
	Column string `json:"column"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// ImportError is what is wrong with a row.
type ImportError struct {
	Row    int    `json:"row"`
	Column string `json:"column,omitempty"`
	Text   string `json:"text"`
}

// mostShown bounds the lists of an Import.
const mostShown = 1000

func importView(p sheet.Plan, dry bool) Import {
	v := Import{DryRun: dry, Unchanged: p.Unchanged, Changes: []ImportChange{}, Errors: []ImportError{}}
	for _, c := range p.Changes {
		if c.Action == sheet.Create {
			v.Created++
		} else {
			v.Updated++
		}
		if len(v.Changes) < mostShown {
			change := ImportChange{Row: c.Row, Action: string(c.Action), Name: c.Endpoint.Name}
			for _, f := range c.Fields {
				change.Fields = append(change.Fields, ImportField(f))
			}
			v.Changes = append(v.Changes, change)
		}
	}
	for _, f := range p.Faults[:min(len(p.Faults), mostShown)] {
		v.Errors = append(v.Errors, ImportError(f))
	}
	return v
}

type importInput struct {
	DryRun  bool   `query:"dry_run" doc:"Tell what would be, and change nothing."`
	RawBody []byte `contentType:"text/csv"`
}

type importOutput struct {
	Status int
	Body   Import
}

func (a *API) tables() {
	in := operation("import-endpoints", http.MethodPost, "/endpoints/import", "Import a table of endpoints", "Directory", http.StatusForbidden, http.StatusRequestEntityTooLarge)
	in.Metadata, in.MaxBodyBytes = map[string]any{byAgency: true}, maxTable
	in.Description = "A CSV table with a heading. All rows are taken, or, when there is an error (422), none."
	huma.Register(a.huma, in, a.importTable)

	out := operation("export-endpoints", http.MethodGet, "/endpoints/export", "Export endpoints as a table", "Directory", http.StatusForbidden)
	out.Metadata = map[string]any{byAgency: true}
	out.Responses = map[string]*huma.Response{"200": {Description: "The table.", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}}
	huma.Register(a.huma, out, a.exportTable)
}

func (a *API) importTable(ctx context.Context, in *importInput) (*importOutput, error) {
	s, faults := sheet.Read(bytes.NewReader(in.RawBody))
	p := sheet.Plan{Faults: faults}
	if len(faults) == 0 {
		p = s.Plan(a.Directory, agencyOf(clientOf(ctx)), nil)
	}
	if len(p.Faults) == 0 && !in.DryRun {
		if err := p.Apply(ctx, a.Directory); err != nil {
			var fault sheet.Fault
			if !errors.As(err, &fault) {
				return nil, a.directoryProblem(err)
			}
			p.Faults = []sheet.Fault{fault}
		}
	}
	out := &importOutput{Status: http.StatusOK, Body: importView(p, in.DryRun)}
	if len(p.Faults) > 0 {
		out.Status = http.StatusUnprocessableEntity
	}
	return out, nil
}

type exportInput struct {
	Passwords bool `query:"passwords" doc:"With the passwords; needs the scope admin."`
}

type exportOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (a *API) exportTable(ctx context.Context, in *exportInput) (*exportOutput, error) {
	who := clientOf(ctx)
	var password func(directory.Endpoint) (string, error)
	if in.Passwords {
		if !who.key.May(directory.ScopeAdmin) {
			return nil, document(http.StatusForbidden, "", "passwords: the API key lacks the scope admin")
		}
		password = a.Directory.Password
	}
	page, err := a.Directory.Endpoints(directory.Query{Agency: agencyOf(who)})
	if err != nil {
		return nil, a.directoryProblem(err)
	}
	var text bytes.Buffer
	if err := sheet.Write(&text, page.Endpoints, password); err != nil {
		return nil, a.problem(err)
	}
	return &exportOutput{"text/csv; charset=utf-8", `attachment; filename="endpoints.csv"`, text.Bytes()}, nil
}

package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory/ldapsync"
)

// Sync is what a directory of others changes in ours.
type Sync struct {
	DryRun    bool         `json:"dry_run"`
	Created   int          `json:"created"`
	Updated   int          `json:"updated"`
	Deleted   int          `json:"deleted"`
	Unchanged int          `json:"unchanged"`
	Marked    int          `json:"marked" doc:"Endpoints that the source has no longer since now."`
	Changes   []SyncChange `json:"changes" nullable:"false" doc:"Up to 1000."`
	Missing   []string     `json:"missing" nullable:"false" doc:"All endpoints that the source has no longer and that stay; up to 1000."`
	Faults    []SyncFault  `json:"faults" nullable:"false" doc:"Entries that are not taken over; up to 1000."`
}

// SyncChange is what becomes of an endpoint.
type SyncChange struct {
	Action string      `json:"action" enum:"create,update,mark,delete"`
	Name   string      `json:"name"`
	Fields []SyncField `json:"fields,omitempty"`
}

// SyncField is a field before and after; passwords are not shown.
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

func syncView(p ldapsync.Plan, dry bool) Sync {
	return Sync{
		DryRun: dry, Created: p.Count("create"), Updated: p.Count("update"), Deleted: p.Count("delete"), Unchanged: p.Unchanged, Marked: p.Count("mark"),
		Changes: views(p.Changes[:min(len(p.Changes), mostShown)], syncChange),
		Missing: append([]string{}, p.Missing[:min(len(p.Missing), mostShown)]...),
		Faults:  views(p.Faults[:min(len(p.Faults), mostShown)], func(f ldapsync.Fault) SyncFault { return SyncFault(f) }),
	}
}

func syncChange(c ldapsync.Change) SyncChange {
	v := SyncChange{Action: c.Action, Name: c.Name}
	for _, f := range c.Fields {
		v.Fields = append(v.Fields, SyncField(f))
	}
	return v
}

type syncInput struct {
	DryRun bool `query:"dry_run" doc:"Tell what would be, and change nothing."`
	Force  bool `query:"force" doc:"Believe a source that has lost many endpoints at once."`
}

func (a *API) ldapSync() {
	op := operation("sync-directory", http.MethodPost, "/directory/sync", "Take endpoints over from the LDAP directory of ldap_sync", "Directory",
		http.StatusForbidden, http.StatusConflict, http.StatusBadGateway)
	huma.Register(a.huma, op, func(ctx context.Context, in *syncInput) (*struct{ Body Sync }, error) {
		if a.SyncDirectory == nil {
			return nil, document(http.StatusConflict, "", "no source is configured")
		}
		p, err := a.SyncDirectory(ctx, in.DryRun, in.Force)
		switch {
		case errors.Is(err, ldapsync.ErrGone):
			return nil, document(http.StatusConflict, "", err.Error())
		case err != nil:
			return nil, document(http.StatusBadGateway, "", "the source cannot be read: "+err.Error())
		}
		return &struct{ Body Sync }{syncView(p, in.DryRun)}, nil
	})
}

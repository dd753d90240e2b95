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
	Changes   []SyncChange `json:"changes" nullable:"false" doc:"Up to 1000."`
	Missing   []string     `json:"missing" nullable:"false" doc:"Endpoints that the source has no longer and that stay; up to 1000."`
	Faults    []SyncFault  `json:"faults" nullable:"false" doc:"Entries that are not taken over; up to 1000."`
}

// SyncChange is what becomes of an endpoint.
type SyncChange struct {
	Action string   `json:"action" enum:"create,update,delete"`
	Name   string   `json:"name"`
	Fields []string `json:"fields,omitempty"`
}

// SyncFault is an entry that is not taken over.
type SyncFault struct {
	Entry string `json:"entry"`
	Text  string `json:"text"`
}

func syncView(p ldapsync.Plan, dry bool) Sync {
	return Sync{
		DryRun: dry, Created: p.Count("create"), Updated: p.Count("update"), Deleted: p.Count("delete"), Unchanged: p.Unchanged,
		Changes: views(p.Changes[:min(len(p.Changes), mostShown)], func(c ldapsync.Change) SyncChange { return SyncChange{c.Action, c.Name, c.Fields} }),
		Missing: append([]string{}, p.Missing[:min(len(p.Missing), mostShown)]...),
		Faults:  views(p.Faults[:min(len(p.Faults), mostShown)], func(f ldapsync.Fault) SyncFault { return SyncFault(f) }),
	}
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

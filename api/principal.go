package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
)

// principal is who a key belongs to. The key of the configuration is everything.
var operatorKey = directory.Key{Name: "admin", Scopes: []directory.Scope{directory.ScopeAdmin}}

// keyOf finds who a key belongs to.
func (a *API) keyOf(key string) (directory.Key, bool) {
	if a.Keys.Good(key) {
		return operatorKey, true
	}
	if a.Directory == nil || key == "" {
		return directory.Key{}, false
	}
	return a.Directory.KeyOf(key)
}

// scopes are what changes by tag; reading needs ScopeRead.
var scopes = map[string]directory.Scope{
	"Meetings": directory.ScopeMeetings, "Participants": directory.ScopeMeetings, "Lobby": directory.ScopeMeetings, "Calls": directory.ScopeCalls,
	"Directory": directory.ScopeDirectory, "Dial plan": directory.ScopePlan, "Trunks": directory.ScopePlan, "Keys": directory.ScopeAdmin,
}

// needs is the scope that an operation asks for.
func needs(op *huma.Operation) directory.Scope {
	scope, ok := scopes[op.Tags[0]]
	switch {
	case scope == directory.ScopeAdmin:
		return scope
	case op.Method == http.MethodGet, op.Metadata[onlyReads] != nil:
		return directory.ScopeRead
	case !ok:
		return directory.ScopeAdmin
	}
	return scope
}

// Metadata of operations.
const (
	// onlyReads marks a POST that changes nothing.
	onlyReads = "reads"
	// byAgency marks what keys of one agency may use: it shows and takes what is of
	// that agency.
	byAgency = "agency"
)

// permits says why a key may not use an operation; "" when it may.
func (a *API) permits(key directory.Key, ctx huma.Context) (status int, why string) {
	op := ctx.Operation()
	if scope := needs(op); !key.May(scope) {
		return http.StatusForbidden, "the API key lacks the scope " + string(scope)
	}
	if key.Agency == "" {
		return 0, ""
	}
	if strings.HasPrefix(op.Path, "/api/v1/meetings/{alias}") {
		if m, err := a.Gateway.Meeting(ctx.Param("alias")); err != nil || m.Agency != key.Agency {
			return http.StatusNotFound, "no such meeting"
		}
		return 0, ""
	}
	if op.Metadata[byAgency] == nil {
		return http.StatusForbidden, "the API key is of one agency, and this reaches beyond it"
	}
	return 0, ""
}

// agencyOf is the agency that a request is limited to, "" for none.
func agencyOf(c client) string { return c.key.Agency }

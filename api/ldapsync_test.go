package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/ldapsync"
)

// The source is one that the test writes, the rest is as in service.
func TestSyncDirectory(t *testing.T) {
	var there []directory.Endpoint
	var broken error
	var s *served
	s = serveDirectory(t, &fake{}, func(c *api.Config) {
		c.SyncDirectory = func(ctx context.Context, dry, force bool) (ldapsync.Plan, error) {
			if broken != nil {
				return ldapsync.Plan{}, broken
			}
			p, err := ldapsync.Make(s.d, there, []ldapsync.Fault{{Entry: "cn=x", Text: "has no number"}}, false, force)
			if err != nil || dry {
				return p, err
			}
			return p, p.Apply(ctx, s.d)
		}
	})
	for i := range 20 {
		there = append(there, directory.Endpoint{External: fmt.Sprintf("ldap:%d", i), Name: fmt.Sprintf("Phòng %02d", i),
			Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: fmt.Sprint(5000 + i)}}})
	}
	v := decode[api.Sync](t, s.do(http.StatusOK, "POST", "/directory/sync?dry_run=true", ""))
	assert.Equal(t, []any{true, 20, 20}, []any{v.DryRun, v.Created, len(v.Changes)})
	assert.Equal(t, []api.SyncFault{{Entry: "cn=x", Text: "has no number"}}, v.Faults)
	assert.Zero(t, s.d.Count())
	s.do(http.StatusOK, "POST", "/directory/sync", "")
	assert.Equal(t, 20, s.d.Count())

	// One has another name and a password, one is gone.
	there[1].Name, there[1].Username, there[1].Password = "Phòng mới", "room1", "mật khẩu"
	there = there[:19]
	w := s.do(http.StatusOK, "POST", "/directory/sync", "")
	assert.NotContains(t, w.Body.String(), "mật khẩu")
	v = decode[api.Sync](t, w)
	assert.Equal(t, []int{1, 1, 18}, []int{v.Updated, v.Marked, v.Unchanged})
	assert.Equal(t, []string{"Phòng 19"}, v.Missing)
	for _, c := range v.Changes {
		if c.Action == "update" {
			assert.Equal(t, []api.SyncField{{Name: "name", Before: "Phòng 01", After: "Phòng mới"}, {Name: "username", After: "room1"}, {Name: "password"}}, c.Fields)
		}
	}
	var list struct{ Endpoints []api.Endpoint }
	require.NoError(t, json.Unmarshal(s.do(http.StatusOK, "GET", "/endpoints?missing=true", "").Body.Bytes(), &list))
	require.Len(t, list.Endpoints, 1)
	assert.Equal(t, "Phòng 19", list.Endpoints[0].Name)
	assert.NotNil(t, list.Endpoints[0].MissingSince)

	there = there[:2]
	s.do(http.StatusConflict, "POST", "/directory/sync", "")
	s.do(http.StatusOK, "POST", "/directory/sync?force=true", "")
	broken = errors.New("nobody answers")
	s.do(http.StatusBadGateway, "POST", "/directory/sync", "")
	s.do(http.StatusUnauthorized, "POST", "/directory/sync", "", func(*http.Request) {})
	broken = nil
	s.do(http.StatusForbidden, "POST", "/directory/sync", "", s.key(`"directory"`, "UBND"))
	s.do(http.StatusForbidden, "POST", "/directory/sync", "", s.key(`"read"`, ""))
	s.do(http.StatusOK, "POST", "/directory/sync", "", s.key(`"directory"`, ""))
}

package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/code"
)

func TestCodes(t *testing.T) {
	f := &fake{}
	s := serveDirectory(t, f)
	kept, err := s.d.SaveMeeting(t.Context(), directory.Meeting{Alias: "88001", GuestPIN: "1234"})
	require.NoError(t, err)
	made := decode[api.NewCode](t, s.do(201, "POST", "/meetings/88001/codes", `{"name":"Lan"}`))
	assert.Equal(t, "88001*"+made.Digits, made.Dial)
	assert.Equal(t, "guest", made.Role)
	assert.Equal(t, 24*time.Hour, made.ExpiresAt.Sub(made.CreatedAt))
	host := decode[api.NewCode](t, s.do(201, "POST", "/meetings/88001/codes", `{"role":"host","minutes":5}`))
	assert.Equal(t, 5*time.Minute, host.ExpiresAt.Sub(host.CreatedAt))

	book := code.Book{DB: s.d.DB, Now: func() time.Time { return now }}
	role, err := book.Use(t.Context(), kept.ID, host.Digits, "leg")
	require.NoError(t, err)
	assert.Equal(t, "host", role)

	w := s.do(200, "GET", "/meetings/88001/codes", "")
	assert.NotContains(t, w.Body.String(), made.Digits)
	list := decode[struct{ Codes []api.Code }](t, w).Codes
	require.Len(t, list, 2)
	for _, c := range list {
		assert.Equal(t, c.Role == "host", c.UsedAt != nil, "%+v", c)
	}

	s.do(204, "DELETE", "/meetings/88001/codes/"+made.ID, "")
	s.do(404, "DELETE", "/meetings/88001/codes/"+made.ID, "")
	role, err = book.Look(t.Context(), kept.ID, made.Digits)
	require.NoError(t, err)
	assert.Empty(t, role)
	for _, body := range []string{`{"role":"chair"}`, `{"minutes":-1}`, `{"minutes":200000}`, `{"name":"` + strings.Repeat("x", 201) + `"}`} {
		s.do(422, "POST", "/meetings/88001/codes", body)
	}
	s.do(404, "POST", "/meetings/88002/codes", `{}`)
	s.do(403, "POST", "/meetings/88001/codes", `{}`, s.key(`"read"`, ""))
}

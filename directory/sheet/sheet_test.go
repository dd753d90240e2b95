package sheet_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/sheet"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func open(t testing.TB, address string) *directory.Directory {
	t.Helper()
	db, err := store.Open(context.Background(), address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	keys, err := seal.Parse(seal.NewKey())
	require.NoError(t, err)
	d, err := directory.Open(context.Background(), directory.Config{DB: db, Keys: keys})
	require.NoError(t, err)
	return d
}

func fresh(t testing.TB) *directory.Directory {
	return open(t, filepath.Join(t.TempDir(), "x.db"))
}

func read(t testing.TB, text string) *sheet.Sheet {
	t.Helper()
	s, faults := sheet.Read(strings.NewReader(text))
	require.Empty(t, faults)
	return s
}

func load(t testing.TB, d *directory.Directory, text string) sheet.Plan {
	t.Helper()
	p := read(t, text).Plan(d, "", nil)
	require.Empty(t, p.Faults)
	require.NoError(t, p.Apply(t.Context(), d))
	return p
}

func export(t testing.TB, d *directory.Directory) string {
	t.Helper()
	page, err := d.Endpoints(directory.Query{})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, sheet.Write(&out, page.Endpoints, d.Password))
	return out.String()
}

const rooms = `name,agency,site,sip,e164,h323,username,password,vendor,quirks,bandwidth,layout,permissions,address
Phòng họp A,UBND tỉnh,Tầng 2,room-a|a@ubnd.vn,+842438231234|1001,"Phòng A|Bên ""trái"" \| phải",room-a,"s3cret,1",poly,-bfcp|h239-late,2048,speaker,meetings|terminals,
Phòng họp B,,,,1002,,,,,,,,,h323:10.1.2.3
`

func TestImportAndExport(t *testing.T) {
	d := fresh(t)
	p := load(t, d, rooms)
	assert.Len(t, p.Changes, 2)
	e, ok := d.ByAlias(`bên "trái" | phải`)
	require.True(t, ok)
	assert.Equal(t, "Phòng họp A", e.Name)
	assert.Equal(t, []directory.Permission{"meetings", "terminals"}, e.Permissions)
	assert.Equal(t, 2048, e.Bandwidth)

	// What went out comes in elsewhere, and goes out the same.
	out := export(t, d)
	other := fresh(t)
	load(t, other, strings.Join(withoutIDs(out), "\n")) // they are of one directory
	assert.Equal(t, withoutIDs(out), withoutIDs(export(t, other)))
	again := read(t, out).Plan(d, "", nil)
	assert.Equal(t, 2, again.Unchanged)
	assert.Empty(t, again.Changes)
}

func withoutIDs(text string) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		_, rest, _ := strings.Cut(line, ",")
		lines = append(lines, rest)
	}
	return lines
}

// Office programs write a mark, semicolons and other ends of lines.
func TestFormsOfOfficePrograms(t *testing.T) {
	d := fresh(t)
	load(t, d, "\ufeffName;E164;Username;Password\r\n\"Phòng, lớn\";024 3823 1234;hall;x\r\n;;;\r\n\r\n")
	e, ok := d.ByAlias("02438231234")
	require.True(t, ok)
	assert.Equal(t, "Phòng, lớn", e.Name)
	load(t, d, "name\te164\nTab\t7\n")
	_, ok = d.ByAlias("7")
	assert.True(t, ok)
}

func TestUpdate(t *testing.T) {
	d := fresh(t)
	load(t, d, rooms)
	before, _ := d.ByUsername("room-a")
	p := load(t, d, "username,site,e164\nroom-a,Tầng 3,1003\n")
	require.Len(t, p.Changes, 1)
	assert.Equal(t, sheet.Update, p.Changes[0].Action)
	assert.Equal(t, []sheet.Field{{"site", "Tầng 2", "Tầng 3"}, {"e164", "+842438231234|1001", "1003"}}, p.Changes[0].Fields)
	after, _ := d.ByUsername("room-a")
	assert.Equal(t, before.ID, after.ID)
	assert.Equal(t, "UBND tỉnh", after.Agency, "a column that is not there")
	assert.Equal(t, "poly", after.Vendor)
	password, err := d.Password(after)
	require.NoError(t, err)
	assert.Equal(t, "s3cret,1", password)

	p = load(t, d, "username,password\nroom-a,other\n")
	assert.Equal(t, []sheet.Field{{Column: "password"}}, p.Changes[0].Fields, "it is not shown")
	p = load(t, d, "e164,name\n1002,Phòng nhỏ\n")
	assert.Equal(t, sheet.Update, p.Changes[0].Action, "found by an alias")

	// Two rows exchange their numbers.
	load(t, d, "id,e164\n"+after.ID+",1002\n"+p.Changes[0].Endpoint.ID+",1003\n")
	e, _ := d.ByAlias("1002")
	assert.Equal(t, after.ID, e.ID)
}

func TestFaultsNameTheRow(t *testing.T) {
	for text, want := range map[string][]string{
		"":                   {"row 1: the table is empty"},
		"name,colour\n":      {"row 1, colour: is not a column; there are " + strings.Join(sheet.Columns(), ", ")},
		"name,name\n":        {"row 1, name: is there twice"},
		"name,e164\n\"x,1\n": {`row 2: extraneous or missing " in quoted-field`},
		"name,e164\nA,1,2\n": {"row 2: 3 cells, the heading has 2"},
		"name,e164,bandwidth\nA,12a,\n\nB,2,fast\nC,3,12\n,4,\n": {
			`row 2, e164: "12a" is no e164 alias`, `row 4, bandwidth: "fast" is not a whole number of kbit/s`,
			"row 5, bandwidth: 12 is not between 64 and 100000 kbit/s", "row 6, name: is missing",
		},
		"name,sip,h323\nA,ok|n o,\nB,,good|\n":        {`row 2, sip: "n o" is no sip alias`},
		"name,e164\nA,5\nB,5\n":                       {"row 3: 5 row 2: has it too"},
		"name,username,password,e164\nA,new,x,1001\n": {"row 2: 1001 belongs to Phòng họp A already"},
		"id,name\nnobody,A\n":                         {"row 2, id: no endpoint has this id; leave the cell empty for a new one"},
		"username,name\nroom-a,A\nROOM-A,B\n":         {"row 3: row 2: is of the same endpoint"},
		"name,username\nA,new\n":                      {"row 2, password: is missing, and there is a user name"},
	} {
		d := fresh(t)
		load(t, d, rooms)
		s, faults := sheet.Read(strings.NewReader(text))
		if len(faults) == 0 {
			p := s.Plan(d, "", nil)
			faults = p.Faults
			assert.Error(t, p.Apply(t.Context(), d), text)
		}
		var got []string
		for _, f := range faults {
			got = append(got, f.Error())
		}
		assert.Equal(t, want, got, text)
		assert.Equal(t, 2, d.Count())
	}
}

func TestAgencyMayTouchItsOwn(t *testing.T) {
	d := fresh(t)
	load(t, d, rooms)
	p := read(t, "name,e164\nC,2001\n").Plan(d, "Sở Y tế", nil)
	require.Empty(t, p.Faults)
	assert.Equal(t, "Sở Y tế", p.Changes[0].Endpoint.Agency, "its own")
	for _, text := range []string{"username,site\nroom-a,x\n", "username,agency\nroom-a,Sở Y tế\n", "name,agency\nC,UBND tỉnh\n"} {
		assert.NotEmpty(t, read(t, text).Plan(d, "Sở Y tế", nil).Faults, text)
	}
}

// many is a table of so many endpoints.
func many(n int) string {
	var b strings.Builder
	b.WriteString("name,agency,site,e164,h323,username,password,vendor,bandwidth\n")
	for i := range n {
		fmt.Fprintf(&b, "Phòng họp %06d,Cơ quan %d,Tầng %d,+8424%06d,Phòng %d,room%d,secret-%d,poly,2048\n", i, i%100, i%9, i, i, i, i)
	}
	return b.String()
}

// TestTenThousand imports 10,000 endpoints, exports them unchanged, and keeps the
// bounds of the design on both databases.
func TestTenThousand(t *testing.T) {
	const n = 1000 * thousands
	text := many(n)
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgres": postgrestest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			d := open(t, address)
			begin := time.Now()
			load(t, d, text)
			took := time.Since(begin)
			t.Logf("%d endpoints in %s", n, took.Round(time.Millisecond))
			assert.Equal(t, n, d.Count())
			out := export(t, d)
			p := read(t, out).Plan(d, "", nil)
			assert.Empty(t, p.Faults)
			assert.Empty(t, p.Changes)
			assert.Equal(t, n, p.Unchanged)
			page, err := d.Endpoints(directory.Query{Text: fmt.Sprintf("phong hop %06d", n-1)})
			require.NoError(t, err)
			assert.Len(t, page.Endpoints, 1)
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{rooms, "name;e164\nA;1\n", "\ufeffid,name\n", "name,h323\nA,\"x\\|y|z\\\n"} {
		f.Add(s)
	}
	d := fresh(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, faults := sheet.Read(strings.NewReader(text))
		if len(faults) > 0 {
			return
		}
		p := s.Plan(d, "", nil)
		var out bytes.Buffer
		var list []directory.Endpoint
		for _, c := range p.Changes {
			list = append(list, c.Endpoint)
		}
		if err := sheet.Write(&out, list, nil); err != nil {
			t.Fatal(err)
		}
		back, faults := sheet.Read(&out)
		if len(faults) > 0 || back.Rows() != len(list) {
			t.Fatalf("%d endpoints come back as %d rows: %v", len(list), back.Rows(), faults)
		}
	})
}

// Package sheet brings endpoints in and out as a table (CSV, RFC 4180), as
// people keep them in office programs: comma or semicolon between cells, with or
// without a byte order mark, a heading that names the columns, in any order.
//
//	name,agency,sip,e164,h323,username,password,vendor
//	Phòng họp A,UBND tỉnh,room-a,+842438231234|1001,,room-a,s3cret,poly
//
// Several values of a cell stand with bars between them. A row belongs to the
// endpoint with its id, else with its user name, else with one of its aliases;
// a row that belongs to none is a new one. Columns that are not there leave what
// there is, and so does an empty password.
package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/directory"
)

// Fault is what is wrong with a table, by the row (counted from 1, the heading
// included, as office programs do) and the column.
type Fault struct {
	Row    int
	Column string // "" = the whole row
	Text   string
}

func (f Fault) Error() string {
	if f.Column == "" {
		return fmt.Sprintf("row %d: %s", f.Row, f.Text)
	}
	return fmt.Sprintf("row %d, %s: %s", f.Row, f.Column, f.Text)
}

// MaxRows bounds a table.
const MaxRows = 200_000

// Sheet is a table that was read.
type Sheet struct {
	columns []column
	rows    []row
}

type row struct {
	line  int
	cells []string
}

// Rows is the number of rows below the heading.
func (s *Sheet) Rows() int { return len(s.rows) }

// Read reads a table. Faults of the form of it come together.
func Read(r io.Reader) (*Sheet, []Fault) {
	in := bufio.NewReader(r)
	if mark, err := in.Peek(3); err == nil && bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = in.Discard(3) // it was peeked at
	}
	reader := csv.NewReader(in)
	reader.FieldsPerRecord = -1
	reader.ReuseRecord = true
	reader.Comma = separator(in)
	heading, err := reader.Read()
	if err != nil {
		return nil, []Fault{{1, "", plain(err)}}
	}
	s := &Sheet{}
	faults := s.head(heading)
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return s, faults
		}
		if err != nil {
			return nil, append(faults, Fault{rowOf(err), "", plain(err)})
		}
		line, _ := reader.FieldPos(0)
		switch {
		case len(s.rows) == MaxRows:
			return nil, append(faults, Fault{line, "", fmt.Sprintf("more than %d rows", MaxRows)})
		case len(cells) > len(heading):
			faults = append(faults, Fault{line, "", fmt.Sprintf("%d cells, the heading has %d", len(cells), len(heading))})
			continue
		case blank(cells):
			continue
		}
		s.rows = append(s.rows, row{line, slices.Clone(cells)})
	}
}

func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}

// separator is what stands between the cells of the heading.
func separator(in *bufio.Reader) rune {
	start, _ := in.Peek(in.Size())
	heading, _, _ := bytes.Cut(start, []byte("\n"))
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := bytes.Count(heading, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

func (s *Sheet) head(cells []string) (faults []Fault) {
	for _, cell := range cells {
		name := strings.ToLower(strings.TrimSpace(cell))
		at := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
		switch {
		case at < 0:
			faults = append(faults, Fault{1, name, "is not a column; there are " + strings.Join(Columns(), ", ")})
			s.columns = append(s.columns, column{name: name})
		case slices.ContainsFunc(s.columns, func(c column) bool { return c.name == name }):
			faults = append(faults, Fault{1, name, "is there twice"})
			s.columns = append(s.columns, column{name: name})
		default:
			s.columns = append(s.columns, columns[at])
		}
	}
	return faults
}

func rowOf(err error) int {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return parse.StartLine
	}
	return 1
}

// plain tells an error of csv without its own count of lines.
func plain(err error) string {
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return parse.Err.Error()
	case errors.Is(err, io.EOF):
		return "the table is empty"
	}
	return err.Error()
}

// Write writes a table of endpoints. password gives their passwords; nil leaves
// the cells empty, which leave the passwords as they are when read again.
func Write(w io.Writer, list []directory.Endpoint, password func(directory.Endpoint) (string, error)) error {
	out := csv.NewWriter(w)
	if err := out.Write(Columns()); err != nil {
		return err
	}
	cells := make([]string, len(columns))
	for i := range list {
		e := list[i]
		if password != nil {
			var err error
			if e.Password, err = password(e); err != nil {
				return fmt.Errorf("password of %s: %w", e.Name, err)
			}
		}
		for c, column := range columns {
			cells[c] = column.get(&e)
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

package sheet

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/directory"
)

// Action is what a row does.
type Action string

// Actions.
const (
	Create Action = "create"
	Update Action = "update"
)

// Change is what one row would do.
type Change struct {
	Row      int
	Action   Action
	Endpoint directory.Endpoint // as it would be
	Fields   []Field            // of an update
}

// Field is a cell before and after. Passwords are not shown.
type Field struct{ Column, Before, After string }

// Plan is what a table would do to a directory.
type Plan struct {
	Changes   []Change
	Unchanged int
	Faults    []Fault
}

// Plan compares the table with the directory and changes nothing. agency, when
// not empty, is the only one whose endpoints may be touched. progress, when not
// nil, is told of every row.
func (s *Sheet) Plan(d *directory.Directory, agency string, progress func(row int)) Plan {
	p := planner{directory: d, agency: agency, rowOf: map[string]int{}}
	for i, r := range s.rows {
		p.add(s, r)
		if progress != nil {
			progress(i + 1)
		}
	}
	p.collide()
	slices.SortStableFunc(p.plan.Faults, func(a, b Fault) int { return cmp.Compare(a.Row, b.Row) })
	return p.plan
}

type planner struct {
	directory *directory.Directory
	agency    string
	plan      Plan
	rowOf     map[string]int // by ID: the row that changes it
}

func (p *planner) fault(row int, column, text string) {
	p.plan.Faults = append(p.plan.Faults, Fault{row, column, text})
}

// add plans one row.
func (p *planner) add(s *Sheet, r row) {
	var wanted directory.Endpoint
	for i, cell := range r.cells {
		if set := s.columns[i].set; set != nil {
			if err := set(&wanted, strings.TrimSpace(cell)); err != nil {
				p.fault(r.line, s.columns[i].name, err.Error())
				return
			}
		}
	}
	before, exists, err := p.find(wanted)
	if err != nil {
		p.fault(r.line, "id", err.Error())
		return
	}
	if exists {
		if first, again := p.rowOf[before.ID]; again {
			p.fault(r.line, "", Fault{first, "", "is of the same endpoint"}.Error())
			return
		}
		p.rowOf[before.ID] = r.line
	}
	after := before
	after.Quirks, after.Permissions, after.Aliases = slices.Clone(after.Quirks), slices.Clone(after.Permissions), slices.Clone(after.Aliases)
	for i, cell := range r.cells {
		if s.columns[i].set != nil {
			_ = s.columns[i].set(&after, strings.TrimSpace(cell)) // it was set before
		}
	}
	after.ID = before.ID
	if p.agency != "" && (after.Agency == "" && !exists) {
		after.Agency = p.agency
	}
	if p.agency != "" && (after.Agency != p.agency || exists && before.Agency != p.agency) {
		p.fault(r.line, "agency", "is not "+p.agency+", which is all that may be changed")
		return
	}
	after, err = p.directory.CheckEndpoint(after)
	var field *directory.FieldError
	if errors.As(err, &field) {
		p.fault(r.line, columnOf(field.Field, after), field.Text)
		return
	}
	if err != nil {
		p.fault(r.line, "", err.Error())
		return
	}
	p.keep(r.line, before, after, exists)
}

func (p *planner) keep(line int, before, after directory.Endpoint, exists bool) {
	if !exists {
		p.plan.Changes = append(p.plan.Changes, Change{Row: line, Action: Create, Endpoint: after})
		return
	}
	fields := p.differences(before, after)
	if len(fields) == 0 {
		p.plan.Unchanged++
		return
	}
	p.plan.Changes = append(p.plan.Changes, Change{Row: line, Action: Update, Endpoint: after, Fields: fields})
}

// find looks for the endpoint that a row belongs to.
func (p *planner) find(e directory.Endpoint) (directory.Endpoint, bool, error) {
	if e.ID != "" {
		found, err := p.directory.Endpoint(e.ID)
		if err != nil {
			return found, false, errors.New("no endpoint has this id; leave the cell empty for a new one")
		}
		return found, true, nil
	}
	if e.Username != "" {
		if found, ok := p.directory.ByUsername(e.Username); ok {
			return found, true, nil
		}
	}
	for _, a := range e.Aliases {
		if found, ok := p.directory.ByAlias(a.Value); ok && (e.Username == "" || found.Username == "") {
			return found, true, nil
		}
	}
	return directory.Endpoint{}, false, nil
}

// differences lists the cells that change.
func (p *planner) differences(before, after directory.Endpoint) (fields []Field) {
	for _, c := range columns {
		if c.name == "password" {
			was, err := p.directory.Password(before)
			if after.Password != "" && (err != nil || was != after.Password) {
				fields = append(fields, Field{Column: c.name})
			}
			continue
		}
		if b, a := c.get(&before), c.get(&after); b != a {
			fields = append(fields, Field{c.name, b, a})
		}
	}
	return fields
}

// collide finds names that would belong to two.
func (p *planner) collide() {
	rows := map[string]int{}
	changes := map[int]*Change{}
	for i := range p.plan.Changes {
		changes[p.plan.Changes[i].Row] = &p.plan.Changes[i]
	}
	for _, c := range p.plan.Changes {
		for _, name := range c.Endpoint.Names() {
			if first, taken := rows[name]; taken {
				p.fault(c.Row, "", name+" "+Fault{first, "", "has it too"}.Error())
				continue
			}
			rows[name] = c.Row
			owner, ok := p.directory.ByAlias(name)
			if !ok || owner.ID == c.Endpoint.ID || gives(changes[p.rowOf[owner.ID]], name) {
				continue
			}
			p.fault(c.Row, "", name+" belongs to "+owner.Name+" already")
		}
	}
}

// gives reports whether a change takes a name from who has it.
func gives(c *Change, name string) bool {
	return c != nil && !slices.Contains(c.Endpoint.Names(), name)
}

// Apply makes the changes, all or none.
func (p Plan) Apply(ctx context.Context, d *directory.Directory) error {
	if len(p.Faults) > 0 {
		return p.Faults[0]
	}
	list := make([]directory.Endpoint, 0, len(p.Changes))
	for _, c := range p.Changes {
		list = append(list, c.Endpoint)
	}
	_, err := d.SaveEndpoints(ctx, list)
	var item *directory.ItemError
	if errors.As(err, &item) {
		return Fault{Row: p.Changes[item.Item].Row, Text: err.Error()}
	}
	return err
}

// columnOf is the column of a field of an endpoint.
func columnOf(field string, e directory.Endpoint) string {
	name, rest, indexed := strings.Cut(field, "[")
	if name != "aliases" {
		return name
	}
	if !indexed {
		return ""
	}
	i := 0
	for _, c := range strings.TrimSuffix(rest, "]") {
		i = 10*i + int(c-'0')
	}
	if i < len(e.Aliases) {
		return string(e.Aliases[i].Kind)
	}
	return ""
}

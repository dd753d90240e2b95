package ldapsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/directory"
)

// Fault is an entry that is not taken over, and why.
type Fault struct{ Entry, Text string }

func (f Fault) String() string { return f.Entry + ": " + f.Text }

// Change is what becomes of an endpoint.
type Change struct {
	Action string // create, update, delete, or mark: as one that the source has no longer
	Name   string
	Fields []Field // of an update: what is different
	after  directory.Endpoint
}

// Field is a field before and after. Passwords are not shown.
type Field struct{ Name, Before, After string }

// Plan is what a synchronisation changes. What the source says counts: names, agency,
// site, aliases and credentials. Everything else of an endpoint is ours and stays.
type Plan struct {
	Changes   []Change
	Unchanged int
	Missing   []string // endpoints that the source has no longer and that stay
	Faults    []Fault
}

// Of a source that has lost so many of its endpoints at once it is not believed: it is
// more likely to be ill.
const (
	mostGone     = 10
	mostGonePart = 5 // a fifth
)

// ErrGone is returned by Make when a source has lost too many endpoints at once.
var ErrGone = errors.New("the source has lost too many endpoints at once; nothing is changed")

// Make compares what was read with the directory. Endpoints that were entered by hand and
// have a name of the source's are taken over by it. force believes that many are gone.
func Make(d *directory.Directory, read []directory.Endpoint, faults []Fault, remove, force bool) (Plan, error) {
	p := Plan{Faults: faults}
	page, err := d.Endpoints(directory.Query{})
	if err != nil {
		return p, err
	}
	ours, taken := map[string]directory.Endpoint{}, map[string]bool{}
	for _, e := range page.Endpoints {
		if strings.HasPrefix(e.External, "ldap:") {
			ours[e.External] = e
		}
	}
	there := map[string]bool{}
	for _, e := range read {
		if there[e.External] {
			p.Faults = append(p.Faults, Fault{e.External, "is there twice"})
			continue
		}
		there[e.External] = true
		was, known := ours[e.External]
		if !known {
			was, known = adopted(d, e)
			if known && taken[was.ID] {
				p.Faults = append(p.Faults, Fault{e.External, was.Name + " is taken over by another entry already"})
				continue
			}
			taken[was.ID] = known
		}
		p.compare(d, was, e, known)
	}
	var gone []directory.Endpoint
	fresh := 0 // those that were told before are no sign of an illness
	for id, e := range ours {
		if !there[id] {
			gone = append(gone, e)
			if remove || e.Missing.IsZero() {
				fresh++
			}
		}
	}
	slices.SortFunc(gone, func(a, b directory.Endpoint) int { return strings.Compare(a.Name, b.Name) })
	if fresh > mostGone && fresh*mostGonePart > len(ours) && !force {
		return p, fmt.Errorf("%w (%d of %d)", ErrGone, fresh, len(ours))
	}
	for _, e := range gone {
		if remove {
			p.Changes = append(p.Changes, Change{Action: "delete", Name: e.Name, after: e})
			continue
		}
		p.Missing = append(p.Missing, e.Name)
		if e.Missing.IsZero() {
			e.Missing = d.Now().UTC().Truncate(time.Second)
			p.Changes = append(p.Changes, Change{Action: "mark", Name: e.Name, after: e})
		}
	}
	return p, nil
}

// adopted is the one endpoint, entered by hand, that has a name of the source's.
func adopted(d *directory.Directory, e directory.Endpoint) (directory.Endpoint, bool) {
	names := []string{e.Username}
	for _, a := range e.Aliases {
		names = append(names, a.Value)
	}
	for _, n := range names {
		if n == "" {
			continue
		}
		if was, ok := d.ByAlias(n); ok && was.External == "" {
			return was, true
		}
	}
	return directory.Endpoint{}, false
}

// compare adds what an entry changes.
func (p *Plan) compare(d *directory.Directory, was, read directory.Endpoint, known bool) {
	after := was
	after.Missing = time.Time{} // it is there, or there again
	after.External, after.Name, after.Agency, after.Site, after.Aliases = read.External, read.Name, read.Agency, read.Site, read.Aliases
	if read.Username != "" {
		after.Username, after.Password = read.Username, read.Password
	}
	checked, err := d.CheckEndpoint(after)
	if err != nil {
		p.Faults = append(p.Faults, Fault{read.External, err.Error()})
		return
	}
	if !known {
		p.Changes = append(p.Changes, Change{Action: "create", Name: read.Name, after: after})
		return
	}
	password, err := d.Password(was)
	if err != nil {
		p.Faults = append(p.Faults, Fault{read.External, err.Error()})
		return
	}
	fields := different(was, checked)
	if read.Username != "" && read.Password != "" && read.Password != password {
		fields = append(fields, Field{Name: "password"})
	} else {
		after.Password = ""
	}
	if len(fields) == 0 {
		p.Unchanged++
		return
	}
	p.Changes = append(p.Changes, Change{Action: "update", Name: read.Name, Fields: fields, after: after})
}

// different are the fields that a source changes, the password aside.
func different(a, b directory.Endpoint) (fields []Field) {
	for _, f := range []Field{
		{"external", a.External, b.External}, {"name", a.Name, b.Name}, {"agency", a.Agency, b.Agency}, {"site", a.Site, b.Site},
		{"username", a.Username, b.Username}, {"aliases", aliasText(a.Aliases), aliasText(b.Aliases)},
		{"missing_since", since(a.Missing), since(b.Missing)},
	} {
		if f.Before != f.After {
			fields = append(fields, f)
		}
	}
	return fields
}

func aliasText(list []directory.Alias) string {
	words := make([]string, 0, len(list))
	for _, a := range list {
		words = append(words, string(a.Kind)+":"+a.Value)
	}
	return strings.Join(words, ", ")
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Apply makes the changes, one by one: what cannot be saved is a fault, and the others
// are saved. It removes first, so that names are free.
func (p *Plan) Apply(ctx context.Context, d *directory.Directory) error {
	slices.SortStableFunc(p.Changes, func(a, b Change) int { return order(a) - order(b) })
	done := p.Changes[:0]
	for _, c := range p.Changes {
		var err error
		if c.Action == "delete" {
			err = d.DeleteEndpoint(ctx, c.after.ID, c.after.Rev)
			if errors.Is(err, directory.ErrNotFound) {
				err = nil
			}
		} else {
			_, err = d.SaveEndpoint(ctx, c.after)
		}
		var field *directory.FieldError
		var taken *directory.TakenError
		switch {
		case errors.As(err, &field), errors.As(err, &taken), errors.Is(err, directory.ErrConflict):
			p.Faults = append(p.Faults, Fault{c.Name, err.Error()})
			continue
		case err != nil:
			return err
		}
		done = append(done, c)
	}
	p.Changes = done
	return nil
}

func order(c Change) int {
	return map[string]int{"delete": 0, "mark": 1, "update": 1, "create": 2}[c.Action]
}

// Count is how many changes are of an action.
func (p *Plan) Count(action string) (n int) {
	for _, c := range p.Changes {
		if c.Action == action {
			n++
		}
	}
	return n
}

// Run reads a source and makes its changes, unless dry.
func Run(ctx context.Context, d *directory.Directory, s Source, dry, force bool) (Plan, error) {
	read, faults, err := s.Read(ctx)
	if err != nil {
		return Plan{}, err
	}
	p, err := Make(d, read, faults, s.Delete, force)
	if err != nil || dry {
		return p, err
	}
	return p, p.Apply(ctx, d)
}

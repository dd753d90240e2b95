package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// document reads YAML against the types of Config and remembers lines.
type document struct {
	// in
	source func(line int) string

	// out
	sources  sources
	problems Problems
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// parse reads a whole file; the result maps keys to values of the types of
// Config, in nested maps and lists.
func (d *document) parse(text []byte, root reflect.Type) map[string]any {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		d.syntax(err)
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return d.group(doc.Content[0], root, "")
}

// syntax reports text that is not YAML.
func (d *document) syntax(err error) {
	line, message := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = m[2]
		if m[1] != "" {
			_, _ = fmt.Sscan(m[1], &line)
		}
	}
	d.problems.add(d.source(line), "", "not YAML: %s", message)
}

// group reads a mapping whose keys are those of the struct type t.
func (d *document) group(n *yaml.Node, t reflect.Type, path string) map[string]any {
	n = resolve(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.problems.add(d.source(n.Line), path, "%s where keys and values are expected", describe(n))
		return nil
	}
	known := fields(t)
	values := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		at := join(path, name.Value)
		k := slices.IndexFunc(known, func(f field) bool { return f.name == name.Value })
		switch {
		case k < 0:
			d.problems.add(d.source(name.Line), at, "unknown key%s", suggest(name.Value, known))
			continue
		case d.sources[at] != "":
			d.problems.add(d.source(name.Line), at, "given twice, first at %s", d.sources[at])
			continue
		}
		d.sources[at] = d.source(name.Line)
		if v, ok := d.value(value, known[k], at); ok {
			values[name.Value] = v
		}
	}
	return values
}

// value reads what a key holds; ok is false when there is nothing to take over.
func (d *document) value(n *yaml.Node, f field, path string) (any, bool) {
	n = resolve(n)
	if isNull(n) {
		return nil, false
	}
	switch {
	case f.isGroup():
		v := d.group(n, f.typ, path)
		return v, v != nil
	case f.isObjectList():
		return d.objects(n, f, path)
	case f.isScalarList():
		return d.scalars(n, f, path)
	}
	return d.scalar(n, f, path)
}

func (d *document) scalar(n *yaml.Node, f field, path string) (any, bool) {
	if n.Kind != yaml.ScalarNode {
		d.problems.add(d.source(n.Line), path, "%s where one value is expected", describe(n))
		return nil, false
	}
	v, err := parseText(f, n.Value)
	return d.taken(v, err, n, path)
}

func (d *document) scalars(n *yaml.Node, f field, path string) (any, bool) {
	if n.Kind == yaml.ScalarNode {
		v, err := parseList(f, splitList(n.Value))
		return d.taken(v, err, n, path)
	}
	if n.Kind != yaml.SequenceNode {
		d.problems.add(d.source(n.Line), path, "%s where a list is expected", describe(n))
		return nil, false
	}
	list := reflect.MakeSlice(f.typ, 0, len(n.Content))
	good := true
	for i, e := range n.Content {
		e, at := resolve(e), fmt.Sprintf("%s[%d]", path, i)
		if e.Kind != yaml.ScalarNode || isNull(e) {
			d.problems.add(d.source(e.Line), at, "%s where one value is expected", describe(e))
			good = false
			continue
		}
		one, err := parseList(f, []string{e.Value})
		v, ok := d.taken(one, err, e, at)
		if good = good && ok; ok {
			list = reflect.AppendSlice(list, reflect.ValueOf(v))
		}
		d.sources[at] = d.source(e.Line)
	}
	return list.Interface(), good
}

func (d *document) objects(n *yaml.Node, f field, path string) (any, bool) {
	if n.Kind != yaml.SequenceNode {
		d.problems.add(d.source(n.Line), path, "%s where a list is expected", describe(n))
		return nil, false
	}
	list := make([]any, 0, len(n.Content))
	for i, e := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.sources[at] = d.source(e.Line)
		list = append(list, d.group(e, f.typ.Elem(), at))
	}
	return list, true
}

func (d *document) taken(v any, err error, n *yaml.Node, path string) (any, bool) {
	if err != nil {
		d.problems.add(d.source(n.Line), path, "%v", err)
	}
	return v, err == nil
}

// resolve follows a YAML alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func describe(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "nothing"
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", n.Value)
}

// suggest names the known key that is nearest to a mistyped one.
func suggest(name string, known []field) string {
	for _, f := range known {
		if strings.EqualFold(f.name, name) || strings.ReplaceAll(f.name, "_", "") == strings.ReplaceAll(strings.ToLower(name), "-", "") ||
			distance(f.name, name) <= len(name)/4+1 {
			return fmt.Sprintf("; did you mean %s?", f.name)
		}
	}
	return ""
}

// distance is the edit distance of Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// parseEnv reads a value as it stands in an environment variable.
func parseEnv(f field, text string) (any, error) {
	switch {
	case f.isScalarList():
		return parseList(f, splitList(text))
	case !f.isObjectList():
		return parseText(f, text)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) == 0 {
		return nil, errors.New("not a list in YAML or JSON")
	}
	d := document{source: func(int) string { return "" }, sources: sources{}}
	v, _ := d.value(doc.Content[0], f, "")
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	return v, nil
}

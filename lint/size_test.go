package lint

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// Bounds of what people can read at once.
const (
	longestFile     = 600
	medianFile      = 150
	longestFunction = 120
	usualFunction   = 50 // nine of ten
	longestMain     = 40
)

// vague are package names that say nothing about the field.
var vague = []string{"util", "utils", "common", "base", "manager", "helper", "helpers", "misc", "shared"}

func TestFileSizes(t *testing.T) {
	var lengths []int
	for _, f := range goFiles(t) {
		n := bytes.Count(f.text, []byte{'\n'})
		if n > longestFile {
			t.Errorf("%s: %d lines, at most %d", f.path, n, longestFile)
		}
		if path.Base(f.path) == "main.go" && strings.HasPrefix(f.path, "cmd/") && n > longestMain {
			t.Errorf("%s: %d lines, at most %d", f.path, n, longestMain)
		}
		if !strings.HasSuffix(f.path, "_test.go") {
			lengths = append(lengths, n)
		}
	}
	slices.Sort(lengths)
	if median := lengths[len(lengths)/2]; median > medianFile {
		t.Errorf("half of the files have more than %d lines, at most %d", median, medianFile)
	}
}

func TestFunctionSizes(t *testing.T) {
	all, long := 0, 0
	for _, f := range goFiles(t) {
		positions := token.NewFileSet()
		tree, err := parser.ParseFile(positions, f.path, f.text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := positions.Position(fn.End()).Line - positions.Position(fn.Pos()).Line + 1
			if all++; n > usualFunction && !strings.HasSuffix(f.path, "_test.go") {
				long++
			}
			if n > longestFunction {
				t.Errorf("%s: func %s has %d lines, at most %d", f.path, fn.Name.Name, n, longestFunction)
			}
		}
	}
	if long*10 > all {
		t.Errorf("%d of %d functions are longer than %d lines", long, all, usualFunction)
	}
}

// TestPackages wants a package comment of every package, and a name that says
// something.
func TestPackages(t *testing.T) {
	comments := map[string]string{}
	for _, f := range goFiles(t) {
		if strings.HasSuffix(f.path, "_test.go") && folder(f.path) != "lint" && !strings.HasPrefix(f.path, "e2e/") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		comments[folder(f.path)] += packageComment(tree)
		if slices.Contains(vague, tree.Name.Name) {
			t.Errorf("%s: package %s says nothing about the field", f.path, tree.Name.Name)
		}
	}
	for dir, comment := range comments {
		if comment == "" {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

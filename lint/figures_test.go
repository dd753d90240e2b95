package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the Makefile takes out of the race detector starts no goroutine, and has no lock or
// channel, which goroutines that share something would need.
func TestFiguresShareNothing(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^FIGURES\s*=((?:.*\\\n)*.*)$`).FindSubmatch(makefile)
	if list == nil {
		t.Fatal("the Makefile has no FIGURES")
	}
	figures := strings.Fields(strings.ReplaceAll(string(list[1]), "\\\n", " "))
	seen := map[string]bool{}
	for _, f := range goFiles(t) {
		if !slices.Contains(figures, folder(f.path)) || strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		seen[folder(f.path)] = true
		for _, what := range shares(t, f) {
			t.Errorf("%s: has %s, so it stays in the race detector (FIGURES in the Makefile)", f.path, what)
		}
	}
	for _, name := range figures {
		if !seen[name] {
			t.Errorf("FIGURES in the Makefile: %s is no folder of Go", name)
		}
	}
}

func shares(t *testing.T, f goFile) (what []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range file.Imports {
		if strings.HasPrefix(i.Path.Value, `"sync`) {
			what = append(what, i.Path.Value)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.GoStmt:
			what = append(what, "a goroutine")
		case *ast.ChanType:
			what = append(what, "a channel")
		}
		return true
	})
	return what
}

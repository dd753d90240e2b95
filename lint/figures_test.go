package lint

import (
	"bytes"
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
	for _, list := range []struct {
		name  string
		tests bool // are looked at as well
	}{{"FIGURES", false}, {"QUIET", true}} {
		folders := listed(t, list.name)
		seen := map[string]bool{}
		for _, f := range goFiles(t) {
			if !slices.Contains(folders, folder(f.path)) || strings.HasSuffix(f.path, "_test.go") && !list.tests {
				continue
			}
			seen[folder(f.path)] = true
			for _, what := range shares(t, f) {
				t.Errorf("%s: has %s, so it stays in the race detector (%s in the Makefile)", f.path, what, list.name)
			}
		}
		for _, name := range folders {
			if !seen[name] {
				t.Errorf("%s in the Makefile: %s is no folder of Go", list.name, name)
			}
		}
	}
}

// listed is what a variable of the Makefile lists, with what other variables in it do.
func listed(t *testing.T, name string) (words []string) {
	t.Helper()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^` + name + `\s*=((?:.*\\\n)*.*)$`).FindSubmatch(makefile)
	if list == nil {
		t.Fatalf("the Makefile has no %s", name)
	}
	for _, word := range strings.Fields(strings.ReplaceAll(string(list[1]), "\\\n", " ")) {
		if other, ok := strings.CutPrefix(word, "$("); ok {
			words = append(words, listed(t, strings.TrimSuffix(other, ")"))...)
			continue
		}
		words = append(words, word)
	}
	return words
}

// The tests that run beside others, with what those leave of the processors, wait for nothing
// by a clock but one of their own.
func TestCalmOnesNeedNoClock(t *testing.T) {
	calm := listed(t, "CALM")
	clock := regexp.MustCompile(`time\.(Sleep|After|AfterFunc|NewTimer)\(|[eE]ventually\(|WithTimeout\(|SetDeadline\(`)
	for _, f := range goFiles(t) {
		if !slices.Contains(calm, folder(f.path)) || !strings.HasSuffix(f.path, "_test.go") || bytes.Contains(f.text, []byte(`"testing/synctest"`)) {
			continue
		}
		if what := string(clock.Find(f.text)); what != "" {
			t.Errorf("%s: uses %s, so it may not wait for others (CALM in the Makefile)", f.path, strings.TrimSuffix(what, "("))
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
		switch n := n.(type) {
		case *ast.GoStmt:
			what = append(what, "a goroutine")
		case *ast.ChanType:
			what = append(what, "a channel")
		case *ast.SelectorExpr:
			if n.Sel.Name == "Parallel" || n.Sel.Name == "Go" {
				what = append(what, "what runs beside others")
			}
		}
		return true
	})
	return what
}

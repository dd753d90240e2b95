// Package lint holds the tests that keep the house in order: which package may
// import which, and how long files and functions may be.
package lint

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// goFile is a source file, its path relative to the root.
type goFile struct {
	path string
	text []byte
}

func folder(file string) string { return path.Dir(file) }

// goFiles reads every Go file of the project that people wrote.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	root := os.DirFS("..")
	var list []goFile
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			base := entry.Name()
			if name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "bin" || base == "data") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if !generated(text) {
			list = append(list, goFile{name, text})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 50 {
		t.Fatalf("only %d files found", len(list))
	}
	return list
}

func generated(text []byte) bool {
	return strings.Contains(string(text[:min(len(text), 400)]), "DO NOT EDIT.")
}

package lint

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	cited  = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	tested = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
)

// Every test that the documents name exists.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	exists := map[string]bool{}
	for _, f := range goFiles(t) {
		if !strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		for _, m := range tested.FindAllSubmatch(f.text, -1) {
			exists[string(m[1])] = true
		}
	}
	for _, document := range []string{"interop.md", "video.md", "benchmarks.md"} {
		text, err := os.ReadFile("../docs/" + document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range cited.FindAllSubmatch(text, -1) {
			if !exists[string(m[1])] {
				t.Errorf("%s: there is no %s", document, m[1])
			}
		}
	}
}

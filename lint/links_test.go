package lint

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// link is [text](target) and ![text](target) of Markdown.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Every relative link of the documents leads to a file that is there, and every
// anchor to a heading; every document is linked from a README.
func TestLinksOfTheDocumentsResolve(t *testing.T) {
	var documents []string
	for _, pattern := range []string{"../README*.md", "../docs/*.md", "../CHANGELOG.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, found...)
	}
	reached := map[string]bool{}
	for _, document := range documents {
		for _, target := range links(t, document) {
			file, anchor, _ := strings.Cut(target, "#")
			to := document
			if file != "" {
				to = filepath.Join(filepath.Dir(document), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %s leads nowhere", document, target)
				continue
			}
			if strings.HasPrefix(filepath.Base(document), "README") {
				reached[to] = true
			}
			if anchor != "" && !slices.Contains(anchors(t, to), anchor) {
				t.Errorf("%s: %s: no such heading", document, target)
			}
		}
	}
	for _, document := range documents {
		if strings.HasPrefix(document, "../docs/") && !reached[document] {
			t.Errorf("%s is linked from no README", document)
		}
	}
}

// links are the relative targets of a document.
func links(t *testing.T, document string) (list []string) {
	t.Helper()
	for _, m := range link.FindAllStringSubmatch(prose(t, document), -1) {
		if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "mailto:") {
			list = append(list, m[1])
		}
	}
	return list
}

// anchors are the names that headings of a document have, as forges make them.
func anchors(t *testing.T, document string) (list []string) {
	t.Helper()
	for line := range strings.Lines(prose(t, document)) {
		heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(heading))
		list = append(list, name)
	}
	return list
}

// prose is a document without its blocks of code.
func prose(t *testing.T, document string) string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, part := range strings.Split(string(text), "```") {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

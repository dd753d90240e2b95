package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

const module = "github.com/roomgate/roomgate/"

// arrows lists, for each top folder, what of ours it may import besides itself.
// A folder that is not listed may not exist.
var arrows = map[string][]string{
	"call":      {"media"},
	"media":     {},
	"trace":     {},
	"transcode": {"media"},
	"sip":       {"call", "media", "trace"},
	"h323":      {"call", "media", "trace"},
	"meeting":   {"call", "media", "trace"},
	"directory": {"call"},
	"gateway":   {"call", "media", "transcode", "directory"},
	"api":       {"gateway", "directory", "call", "trace"},
	"web":       {"gateway", "directory"},
	"client":    {},
	"bench":     {"sip", "h323", "terminal", "media", "call", "transcode", "meeting"},
	"terminal":  {"sip", "h323", "media", "transcode", "call"},
	"config":    {},
	"lint":      {},
	"cmd":       {"*"},
	"e2e":       {"*"},
}

// owners lists who alone may import a module of others.
var owners = map[string][]string{
	"github.com/spf13/viper":            {"config"},
	"github.com/spf13/cobra":            {"cmd"},
	"github.com/pion/webrtc/":           {"meeting", "e2e"},
	"github.com/livekit/livekit-server": {"meeting/embedded/server", "e2e"},
	"github.com/livekit/protocol":       {"meeting", "e2e"},
	"github.com/emiago/sipgo":           {"sip", "terminal", "bench", "e2e"},
	"github.com/prometheus/":            {"api", "meeting/embedded/server"},
	"github.com/danielgtaylor/huma":     {"api"},
	"modernc.org/sqlite":                {"directory"},
	"github.com/jackc/pgx/":             {"directory"},
	"github.com/pressly/goose/":         {"directory"},
	"github.com/go-chi/chi":             {"api"},
	"go.uber.org/zap/zaptest":           {"*"},
}

// media stays a leaf: of modules of others it may use these.
var mediaMay = []string{
	"github.com/pion/rtp", "github.com/pion/rtcp", "github.com/pion/srtp", "github.com/pion/dtls",
	"golang.org/x/", "go.uber.org/zap", "go.uber.org/goleak", "github.com/stretchr/testify",
}

func TestImportArrows(t *testing.T) {
	for _, f := range goFiles(t) {
		from := folder(f.path)
		allowed, known := arrows[top(f.path)]
		if !known {
			t.Errorf("%s: the folder %s has no place in the design", f.path, top(f.path))
			continue
		}
		list, external := imports(t, f)
		for _, imported := range list {
			own, ours := strings.CutPrefix(imported, module)
			switch {
			case ours && !external && !mayImport(top(f.path), top(own), allowed):
				t.Errorf("%s: %s may not import %s", f.path, from, own)
			case !ours && top(f.path) == "media" && isModule(imported) && !hasPrefix(imported, mediaMay):
				t.Errorf("%s: media may not import %s", f.path, imported)
			}
			for prefix, by := range owners {
				if strings.HasPrefix(imported, prefix) && by[0] != "*" && !hasPrefix(from+"/", withSlash(by)) {
					t.Errorf("%s: only %s may import %s", f.path, strings.Join(by, ", "), imported)
				}
			}
		}
	}
}

func mayImport(from, to string, allowed []string) bool {
	if from == to {
		return true
	}
	for _, a := range allowed {
		if a == "*" || a == to {
			return true
		}
	}
	return false
}

// isModule tells modules of others from the standard library.
func isModule(path string) bool { return strings.Contains(top(path), ".") }

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func withSlash(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s + "/"
	}
	return out
}

func top(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

// imports lists what a file imports. external tells a test that stands outside
// of its package: it may use whatever proves its point.
func imports(t *testing.T, f goFile) (list []string, external bool) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range tree.Imports {
		list = append(list, strings.Trim(spec.Path.Value, "\"`"))
	}
	return list, strings.HasSuffix(tree.Name.Name, "_test")
}

func packageComment(tree *ast.File) string {
	if tree.Doc == nil {
		return ""
	}
	return tree.Doc.Text()
}

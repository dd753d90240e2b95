// Package web serves the pages: the start page at /, the meeting page at
// /m/{alias} and the operators' console at /console. They are built by npm into dist and embedded.
package web

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt is returned when the program was built before the pages.
var ErrNotBuilt = errors.New("the web pages are not built into this program (make build builds both)")

// Handler serves the pages and what they load.
func Handler() (http.Handler, error) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(files, "meeting.html"); err != nil {
		return nil, ErrNotBuilt
	}
	static := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/":
			page(w, r, files, "index.html")
		case r.URL.Path == "/console":
			page(w, r, files, "console.html")
		case isMeeting(r.URL.Path):
			page(w, r, files, "meeting.html")
		case strings.HasPrefix(r.URL.Path, "/assets/"): // their names change with their content
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			static.ServeHTTP(w, r)
		case r.URL.Path == "/icon.svg":
			static.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	}), nil
}

// isMeeting reports a path of the form /m/{alias}.
func isMeeting(path string) bool {
	alias, ok := strings.CutPrefix(path, "/m/")
	return ok && alias != "" && !strings.Contains(alias, "/")
}

func page(w http.ResponseWriter, r *http.Request, files fs.FS, name string) {
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, files, name)
}

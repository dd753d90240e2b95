package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestPages(t *testing.T) {
	h, err := Handler()
	if errors.Is(err, ErrNotBuilt) {
		t.Skip("THE PAGES ARE NOT BUILT: run make build first; make test does")
	}
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	for path, want := range map[string]int{
		"/": 200, "/console": 200, "/m/demo": 200, "/m/88001": 200, "/icon.svg": 200,
		"/m/": 404, "/m/a/b": 404, "/other": 404, "/assets/none.js": 404, "/index.html": 404, "/console/": 404,
	} {
		if got := get(path).Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	body := get("/m/demo").Body.String()
	scripts := regexp.MustCompile(`/assets/[^"]+`).FindAllString(body, -1)
	if len(scripts) == 0 {
		t.Fatalf("the meeting page loads nothing:\n%s", body)
	}
	for _, script := range scripts {
		w := get(script)
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, Cache-Control %q", script, w.Code, w.Header().Get("Cache-Control"))
		}
	}
}

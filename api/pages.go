package api

import (
	"encoding/json"
	"net/http"
	"runtime/debug"
	"strings"

	"go.uber.org/zap"
)

// policy lets the pages run their own scripts, talk to us by HTTP and
// WebSocket, play what they receive, and run workers they make themselves.
const policy = "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob: mediastream:; worker-src 'self' blob:; " +
	"img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; object-src 'none'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'self'"

// headed puts on every answer what keeps browsers out of trouble.
func headed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()")
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		most := int64(1 << 20)
		if r.URL.Path == importPath {
			most = maxTable
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r)
	})
}

// recovered keeps a fault in one request from the others.
func (a *API) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			fault := recover()
			if fault == nil {
				return
			}
			if fault == http.ErrAbortHandler {
				panic(fault)
			}
			a.log.Error("request panicked", zap.String("path", r.URL.Path), zap.Any("fault", fault), zap.ByteString("stack", debug.Stack()))
			writeProblem(w, http.StatusInternalServerError, "the request failed; the log of the gateway says why")
		}()
		next.ServeHTTP(w, r)
	})
}

// pages serves what is outside /api/v1.
func (a *API) pages() {
	a.router.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { writeWord(w, http.StatusOK, "ok") })
	a.router.Get("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if a.Gateway.Draining() {
			writeWord(w, http.StatusServiceUnavailable, "draining")
			return
		}
		writeWord(w, http.StatusOK, "ready")
	})
	if a.Metrics != nil {
		a.router.Method(http.MethodGet, "/metrics", a.Metrics.Handler())
	}
	if a.SFU != nil {
		forward := a.forward()
		a.router.Handle("/rtc", forward)
		a.router.Handle("/rtc/*", forward)
	}
	a.router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		ours := strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/twirp/")
		if a.Web == nil || ours {
			writeProblem(w, http.StatusNotFound, "there is nothing at this address")
			return
		}
		a.Web.ServeHTTP(w, r)
	})
	a.router.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusMethodNotAllowed, "this address does not take this method")
	})
}

func writeWord(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(word + "\n"))
}

// writeProblem answers with a problem document outside of the API proper.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(document(status, "", detail))
	if err != nil {
		http.Error(w, detail, status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

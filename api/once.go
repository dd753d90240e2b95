package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory/once"
)

// Idempotency keys: a POST with the header Idempotency-Key is worked on once; who
// sends it again, within a day and to whichever node, gets the answer of then.
const (
	headerOnce     = "Idempotency-Key"
	headerReplayed = "Idempotency-Replayed"
	maxOnceKey     = 200
	maxOnceBody    = 1 << 20 // a body or an answer that is kept
)

// once answers requests that come again.
func (a *API) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(headerOnce)
		if key == "" || r.Method != http.MethodPost || a.Directory == nil || !strings.HasPrefix(r.URL.Path, "/api/v1/") {
			next.ServeHTTP(w, r)
			return
		}
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if _, good := a.keyOf(strings.TrimSpace(token)); !good {
			next.ServeHTTP(w, r) // strangers are refused, and make us keep nothing
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOnceBody))
		if err != nil || len(key) > maxOnceKey {
			a.plainProblem(w, document(http.StatusUnprocessableEntity, "", "Idempotency-Key: the key, or the body, is too long"))
			return
		}
		id, request := digest(token, key), digest(r.Method, r.URL.String(), string(body))
		answer, err := once.Begin(r.Context(), a.Directory.DB, id, request, a.Now())
		switch {
		case errors.Is(err, once.ErrOther):
			a.plainProblem(w, document(http.StatusUnprocessableEntity, "", err.Error()))
		case errors.Is(err, once.ErrBusy):
			a.plainProblem(w, document(http.StatusConflict, "", err.Error()))
		case err != nil:
			a.log.Error("idempotency keys cannot be kept", zap.Error(err))
			a.plainProblem(w, document(http.StatusServiceUnavailable, "", "the database does not answer"))
		case answer != nil:
			w.Header().Set("Content-Type", answer.Kind)
			w.Header().Set(headerReplayed, "true")
			w.WriteHeader(answer.Status)
			text, err := a.Directory.Keys.Open(answer.Body, "once/"+id)
			if err != nil {
				a.log.Error("a kept answer cannot be opened", zap.Error(err))
			}
			_, _ = io.WriteString(w, text) // the connection may be gone
		default:
			r.Body = io.NopCloser(bytes.NewReader(body))
			a.remember(w, r, id, next)
		}
	})
}

// remember works on a request and keeps the answer, unless it tells of a failure
// of ours or of a moment: then the request may come again.
func (a *API) remember(w http.ResponseWriter, r *http.Request, id string, next http.Handler) {
	copied := &copying{ResponseWriter: w, status: http.StatusOK}
	done := false
	defer func() {
		ctx := context.WithoutCancel(r.Context())
		var err error
		if lasting := copied.status < 500 && copied.status != http.StatusTooManyRequests && copied.status != http.StatusForbidden; done && lasting && copied.body.Len() < maxOnceBody {
			// Sealed: an answer may hold what is shown only once.
			err = once.Finish(ctx, a.Directory.DB, id, once.Answer{Status: copied.status, Kind: w.Header().Get("Content-Type"), Body: a.Directory.Keys.Seal(copied.body.String(), "once/"+id)})
		} else {
			err = once.Forget(ctx, a.Directory.DB, id)
		}
		if err != nil {
			a.log.Error("answer not kept for its idempotency key", zap.Error(err))
		}
	}()
	next.ServeHTTP(copied, r)
	done = true
}

// copying keeps a copy of an answer.
type copying struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (c *copying) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *copying) Write(p []byte) (int, error) {
	if c.body.Len() < maxOnceBody {
		c.body.Write(p)
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap serves http.ResponseController.
func (c *copying) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = io.WriteString(h, p+"\x00") // never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// plainProblem answers outside of an operation.
func (a *API) plainProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, p) // the connection may be gone
}

package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
)

// authenticate checks the key of a request below /api/v1.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	who := clientOf(ctx.Context())
	header := ctx.Header("Authorization")
	if header == "" {
		if !needsKey(ctx.Operation()) {
			next(ctx)
			return
		}
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="roomgate"`)
		a.refuse(ctx, http.StatusUnauthorized, "an API key is needed: Authorization: Bearer KEY")
		return
	}
	if wait, spent := a.failures.spent(who.address); spent {
		ctx.SetHeader("Retry-After", seconds(wait))
		a.refuse(ctx, http.StatusTooManyRequests, "too many wrong keys from this address")
		return
	}
	scheme, key, _ := strings.Cut(header, " ")
	owner, good := a.keyOf(strings.TrimSpace(key))
	if !strings.EqualFold(scheme, "Bearer") || !good {
		a.failures.take(who.address)
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="roomgate", error="invalid_token"`)
		a.refuse(ctx, http.StatusUnauthorized, "the API key is not valid")
		return
	}
	if wait, over := a.overused(owner); over {
		ctx.SetHeader("Retry-After", seconds(wait))
		a.refuse(ctx, http.StatusTooManyRequests, "too many requests with this API key")
		return
	}
	if status, why := a.permits(owner, ctx); why != "" {
		a.refuse(ctx, status, why)
		return
	}
	who.trusted, who.key = true, owner
	next(huma.WithContext(ctx, who.in(ctx.Context())))
}

// overused counts a request with a key, and reports whether it is one too many and
// when the next one is not. The key of the configuration may ask as often as it likes.
func (a *API) overused(owner directory.Key) (wait time.Duration, over bool) {
	if owner.ID == operatorKey.ID || a.KeyRequests() <= 0 || a.requests.take(owner.ID) {
		return 0, false
	}
	return a.requests.spent(owner.ID)
}

// needsKey reports whether no empty alternative stands among the operation's
// security requirements.
func needsKey(op *huma.Operation) bool {
	for _, requirement := range op.Security {
		if len(requirement) == 0 {
			return false
		}
	}
	return len(op.Security) > 0
}

func (a *API) refuse(ctx huma.Context, status int, detail string) {
	// The connection may be gone; nobody is left to tell.
	_ = huma.WriteErr(a.huma, ctx, status, detail)
}

// seconds is a Retry-After, never zero.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

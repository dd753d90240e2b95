package api

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// PageQuery asks for one page of a list.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
	Cursor string `query:"cursor" maxLength:"512" doc:"next_cursor of the page before."`
}

// paged cuts one page out of a list. The key of an item is unique and orders
// the list; the cursor is the key of the last item seen, so that items that
// come and go between two pages do not shift the others.
func paged[T any](items []T, key func(T) string, q PageQuery) (page []T, next string, err error) {
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if q.Cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		if err != nil {
			return nil, "", document(http.StatusUnprocessableEntity, "", "cursor: not one that was given out")
		}
		from, found := slices.BinarySearchFunc(items, string(last), func(item T, k string) int { return strings.Compare(key(item), k) })
		if found {
			from++
		}
		items = items[from:]
	}
	if q.Limit > 0 && len(items) > q.Limit {
		items = items[:q.Limit]
		next = base64.RawURLEncoding.EncodeToString([]byte(key(items[len(items)-1])))
	}
	return slices.Clip(items), next, nil
}

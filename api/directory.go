package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
)

// ProblemTaken is the type of a refusal because a name belongs to something else.
const ProblemTaken = "urn:roomgate:problem:taken"

// directoryProblem turns an error of the directory into an answer.
func (a *API) directoryProblem(err error) error {
	var field *directory.FieldError
	var taken *directory.TakenError
	switch {
	case errors.As(err, &taken):
		return document(http.StatusConflict, ProblemTaken, taken.Error())
	case errors.As(err, &field):
		p := document(http.StatusUnprocessableEntity, "", field.Error())
		p.Errors = []*huma.ErrorDetail{{Location: "body." + field.Field, Message: field.Text}}
		return p
	case errors.Is(err, directory.ErrNotFound):
		return document(http.StatusNotFound, "", "there is no such thing in the directory")
	case errors.Is(err, directory.ErrConflict):
		return document(http.StatusPreconditionFailed, "", "it was changed meanwhile; read it again")
	case errors.Is(err, directory.ErrCursor):
		return document(http.StatusUnprocessableEntity, "", err.Error())
	}
	return a.problem(err)
}

// Match wants the thing in the revision that was read.
type Match struct {
	IfMatch string `header:"If-Match" maxLength:"64" doc:"ETag of what was read: refused by 412 when it was changed since."`
}

// revision is what If-Match asks for, 0 for any.
func (m Match) revision() (int64, error) {
	text := strings.Trim(m.IfMatch, `"`)
	if text == "" || text == "*" {
		return 0, nil
	}
	rev, err := strconv.ParseInt(text, 10, 64)
	if err != nil || rev <= 0 {
		return 0, document(http.StatusPreconditionFailed, "", "If-Match is no ETag that was given out")
	}
	return rev, nil
}

func etag(rev int64) string { return fmt.Sprintf("%q", strconv.FormatInt(rev, 10)) }

// ItemPath names a thing in the directory.
type ItemPath struct {
	ID string `path:"id" minLength:"1" maxLength:"64"`
}

// item is a thing with its revision.
type item[V any] struct {
	ETag string `header:"ETag"`
	Body V
}

// resource is a kind of thing that can be made, read, changed and deleted.
type resource[R, V, T any] struct {
	name, path, tag string
	noun            string // with its article
	byAgency        bool

	get    func(id string) (T, error)
	save   func(context.Context, T) (T, error)
	delete func(ctx context.Context, id string, rev int64) error
	meta   func(*T) *directory.Meta
	agency func(*T) *string   // nil: it is nobody's
	read   func(R) (T, error) // the body of a request
	view   func(T) V
}

// register makes the operations of a resource.
func register[R, V, T any](a *API, r resource[R, V, T]) {
	mark := func(op huma.Operation) huma.Operation {
		if r.byAgency {
			op.Metadata = map[string]any{byAgency: true}
		}
		return op
	}
	found := func(ctx context.Context, id string) (T, error) {
		t, err := r.get(id)
		if agency := agencyOf(clientOf(ctx)); err == nil && agency != "" && (r.agency == nil || *r.agency(&t) != agency) {
			err = directory.ErrNotFound
		}
		if err != nil {
			err = a.directoryProblem(err)
		}
		return t, err
	}
	save := func(ctx context.Context, t T) (*item[V], error) {
		if agency := agencyOf(clientOf(ctx)); agency != "" && r.agency != nil {
			if own := r.agency(&t); *own == "" {
				*own = agency
			} else if *own != agency {
				return nil, document(http.StatusForbidden, "", "agency: the API key is of "+agency)
			}
		}
		kept, err := r.save(ctx, t)
		if err != nil {
			return nil, a.directoryProblem(err)
		}
		return &item[V]{etag(r.meta(&kept).Rev), r.view(kept)}, nil
	}
	a.registerChanges(r.name, r.path, r.tag, r.noun, mark, func(op huma.Operation) {
		huma.Register(a.huma, op, func(ctx context.Context, in *struct{ Body R }) (*item[V], error) {
			t, err := r.read(in.Body)
			if err != nil {
				return nil, err
			}
			return save(ctx, t)
		})
	}, func(op huma.Operation) {
		huma.Register(a.huma, op, func(ctx context.Context, in *struct {
			ItemPath
			Match
			Body R
		}) (*item[V], error) {
			rev, err := in.revision()
			if err != nil {
				return nil, err
			}
			if _, err := found(ctx, in.ID); err != nil {
				return nil, err
			}
			t, err := r.read(in.Body)
			if err != nil {
				return nil, err
			}
			m := r.meta(&t)
			m.ID, m.Rev = in.ID, rev
			return save(ctx, t)
		})
	}, func(op huma.Operation) {
		huma.Register(a.huma, op, func(ctx context.Context, in *ItemPath) (*item[V], error) {
			t, err := found(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &item[V]{etag(r.meta(&t).Rev), r.view(t)}, nil
		})
	}, func(op huma.Operation) {
		huma.Register(a.huma, op, func(ctx context.Context, in *struct {
			ItemPath
			Match
		}) (*struct{}, error) {
			rev, err := in.revision()
			if err != nil {
				return nil, err
			}
			if _, err := found(ctx, in.ID); err != nil {
				return nil, err
			}
			if err := r.delete(ctx, in.ID, rev); err != nil {
				return nil, a.directoryProblem(err)
			}
			return nil, nil
		})
	})
}

// registerChanges describes the operations of a resource.
func (a *API) registerChanges(name, path, tag, noun string, mark func(huma.Operation) huma.Operation, post, put, get, del func(huma.Operation)) {
	op := mark(operation("create-"+name, http.MethodPost, path, "Add "+noun, tag, http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity))
	op.DefaultStatus = http.StatusCreated
	post(op)
	put(mark(operation("update-"+name, http.MethodPut, path+"/{id}", "Change "+noun, tag,
		http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity)))
	get(mark(operation("get-"+name, http.MethodGet, path+"/{id}", "Show "+noun, tag, http.StatusForbidden, http.StatusNotFound)))
	del(mark(operation("delete-"+name, http.MethodDelete, path+"/{id}", "Delete "+noun, tag,
		http.StatusForbidden, http.StatusNotFound, http.StatusPreconditionFailed)))
}

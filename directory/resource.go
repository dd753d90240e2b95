package directory

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/roomgate/roomgate/directory/store"
)

// Meta is what everything in the directory has.
type Meta struct {
	ID      string    `json:"-"`
	Rev     int64     `json:"-"` // given by the database; 0 = not kept yet
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// meta implements part of resource.
func (m *Meta) meta() *Meta { return m }

// Kind names what a thing in the directory is.
type Kind string

// Kinds.
const (
	KindEndpoint Kind = "endpoint"
	KindMeeting  Kind = "meeting"
	KindRule     Kind = "rule"
	KindTrunk    Kind = "trunk"
	KindKey      Kind = "key"
)

// resource is what the directory keeps.
type resource interface {
	meta() *Meta
	kind() Kind
	// check reports the first field that cannot be, as *FieldError.
	check() error
	// tidy brings fields into the form they are compared in.
	tidy()
	// order is what lists are sorted by; made unique by the ID.
	order() string
	// names are what nobody else may have.
	names() []store.Name
	// secrets are the fields that are sealed.
	secrets() []secret
}

// secret is a field that is kept sealed.
type secret struct {
	name   string
	plain  *string // not marshalled
	sealed *string
	// keep: an empty plain field of a change means the secret that there is.
	keep bool
	// open: plain is filled in memory.
	open bool
}

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("there is no such thing in the directory")
	// ErrConflict: somebody else was faster.
	ErrConflict = store.ErrConflict
)

// FieldError tells which field of a thing cannot be as it is.
type FieldError struct {
	Field string // as in JSON, such as aliases[1]
	Text  string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Text }

func bad(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// TakenError tells that a name belongs to something else.
type TakenError struct {
	Name  string
	Kind  Kind // of the owner
	Owner string
	Item  int // position of who wanted it, in a list of changes
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s belongs to the %s %s already", e.Name, e.Kind, e.Owner)
}

// text bounds a field that people read.
func text(field, value string, most int) error {
	switch {
	case len(value) > most:
		return bad(field, "is longer than %d octets", most)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return bad(field, "has control characters")
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

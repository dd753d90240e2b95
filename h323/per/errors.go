package per

import (
	"errors"
	"fmt"
	"strings"
)

// Errors a caller may tell apart with errors.Is. Each arrives inside an *Error
// that names the field.
var (
	// ErrTruncated: the encoding ends in the middle of a value.
	ErrTruncated = errors.New("encoding ends too early")
	// ErrConstraint: a value lies outside of what the ASN.1 type allows.
	ErrConstraint = errors.New("value outside of its constraint")
	// ErrLimit: the value is deeper, longer or larger than the decoder accepts.
	ErrLimit = errors.New("limit exceeded")
	// ErrTrailing: octets follow the value.
	ErrTrailing = errors.New("octets behind the value")
	// ErrMissing: a mandatory component, or the alternative of a choice, is not set.
	ErrMissing = errors.New("value missing")
	// ErrType: the Go type, or its tags, have no ASN.1 meaning.
	ErrType = errors.New("type has no encoding")
)

// Error tells where in a value coding failed: in "h225.Setup.fastStart[3]" for
// instance, with the names that the ASN.1 module uses.
type Error struct {
	path []string // innermost first
	err  error
}

// Error gives the path and the reason.
func (e *Error) Error() string {
	return "per: " + e.Path() + ": " + e.err.Error()
}

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.err }

// Path names the value that could not be coded.
func (e *Error) Path() string {
	var b strings.Builder
	for i := len(e.path) - 1; i >= 0; i-- {
		if b.Len() > 0 && !strings.HasPrefix(e.path[i], "[") {
			b.WriteByte('.')
		}
		b.WriteString(e.path[i])
	}
	return b.String()
}

// in notes that err happened inside of the component called name.
func in(name string, err error) error {
	if e, ok := err.(*Error); ok {
		e.path = append(e.path, name)
		return e
	}
	return &Error{path: []string{name}, err: err}
}

func inElement(i int, err error) error { return in(fmt.Sprintf("[%d]", i), err) }

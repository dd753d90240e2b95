package bfcp

import "fmt"

// Error refuses a message (RFC 8855 §5.3.13).
type Error struct {
	others
	Code ErrorCode
	// Unknown lists, with UnknownMandatory, what was not understood.
	Unknown []AttributeType
	Info    string
}

// Primitive implements Body.
func (*Error) Primitive() Primitive { return ErrorPrimitive }

func (e *Error) take(a Attribute) (bool, error) {
	switch a.Type {
	case ErrorCodeAttribute:
		if len(a.Value) < 1 {
			return true, fmt.Errorf("ERROR-CODE: %w", errTruncated)
		}
		e.Code = ErrorCode(a.Value[0])
		for _, b := range a.Value[1:] {
			if b > 1 {
				e.Unknown = append(e.Unknown, AttributeType(b>>1))
			}
		}
		return true, nil
	case ErrorInfo:
		e.Info = string(a.Value)
		return true, nil
	}
	return false, nil
}

func (e *Error) write(w *writer) {
	w.attribute(ErrorCodeAttribute, true, append([]byte{byte(e.Code)}, numbers(e.Unknown)...))
	w.text(ErrorInfo, e.Info)
	w.extra(e.Extra)
}

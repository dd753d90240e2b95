package per

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"

	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// Marshal gives the complete encoding of v, a struct (or a pointer to one) whose
// tags describe an ASN.1 type. The encoding has one octet at least.
func Marshal(v any) ([]byte, error) { return Append(nil, v) }

// Append appends the complete encoding of v to dst. On an error dst comes back
// as it was.
func Append(dst []byte, v any) ([]byte, error) { return appendValue(dst, v, "", "") }

// MarshalWith encodes a value that is no struct under the options of a struct
// tag, without the name: MarshalWith(7, "range=0..15", "").
func MarshalWith(v any, options, alphabet string) ([]byte, error) {
	return appendValue(nil, v, options, alphabet)
}

func appendValue(dst []byte, v any, options, alphabet string) ([]byte, error) {
	value := reflect.ValueOf(v)
	for value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	if !value.IsValid() || value.Kind() == reflect.Pointer {
		return dst, fmt.Errorf("%w: nil", ErrType)
	}
	t := value.Type()
	c, err := plan(t, options, alphabet)
	if err != nil {
		return dst, err
	}
	if !value.CanAddr() {
		addressable := reflect.New(t).Elem()
		addressable.Set(value)
		value = addressable
	}
	e := encoders.Get().(*encoder)
	defer e.release()
	if err := c.encode(e, value); err != nil {
		return dst, in(t.String(), err)
	}
	if len(e.buf) == 0 {
		e.buf = append(e.buf, 0) // X.691 11.1.3
	}
	return append(dst, e.buf...), nil
}

// encoders are kept with their buffers: an encoding is of known size when it is done,
// not before.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

// keptBuffer bounds the buffers that are kept.
const keptBuffer = 16 << 10

func (e *encoder) release() {
	if cap(e.buf) > keptBuffer || cap(e.scratch) > keptBuffer {
		return
	}
	*e = encoder{buf: e.buf[:0], scratch: e.scratch[:0]}
	encoders.Put(e)
}

func plan(t reflect.Type, options, alphabet string) (codec, error) {
	constraints := noConstraints
	if options != "" || alphabet != "" {
		var err error
		if constraints, err = tag.Parse(options, alphabet); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrType, err)
		}
	}
	return planOf(t, constraints)
}

var noConstraints, _ = tag.Parse("", "")

// Unmarshal decodes data, which must hold one encoding and nothing else, into
// what v points to. Nothing in v refers to data afterwards.
func Unmarshal(data []byte, v any) error {
	rest, err := Decode(data, v)
	if err == nil && len(rest) > 0 {
		return &Error{[]string{reflect.TypeOf(v).Elem().String()}, fmt.Errorf("%w: %d", ErrTrailing, len(rest))}
	}
	return err
}

// UnmarshalWith is Unmarshal for a value that is no struct, under the options of
// a struct tag.
func UnmarshalWith(data []byte, v any, options, alphabet string) error {
	rest, err := Limits{}.decode(data, v, options, alphabet)
	if err == nil && len(rest) > 0 {
		return &Error{[]string{reflect.TypeOf(v).Elem().String()}, fmt.Errorf("%w: %d", ErrTrailing, len(rest))}
	}
	return err
}

// Decode decodes the encoding at the front of data into what v points to, and
// gives what follows it.
func Decode(data []byte, v any) (rest []byte, err error) {
	return Limits{}.Decode(data, v)
}

// Decode is Decode with limits of one's own.
func (l Limits) Decode(data []byte, v any) (rest []byte, err error) {
	return l.decode(data, v, "", "")
}

func (l Limits) decode(data []byte, v any, options, alphabet string) ([]byte, error) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return data, fmt.Errorf("%w: decoding needs a pointer, not %T", ErrType, v)
	}
	value := p.Elem()
	c, err := plan(value.Type(), options, alphabet)
	if err != nil {
		return data, err
	}
	name := value.Type().String()
	if largest := orDefault(l.Input, defaultInput); len(data) > largest {
		return data, in(name, fmt.Errorf("%w: %d octets", ErrLimit, len(data)))
	}
	value.SetZero()
	d := decoders.Get().(*decoder)
	defer d.release()
	*d = decoder{data: bytes.Clone(data), budget: l.budget()}
	if err := c.decode(d, value); err != nil {
		return data, in(name, err)
	}
	used := max(1, (d.pos+7)/8)
	if used > len(data) {
		return data, in(name, ErrTruncated)
	}
	return data[used:], nil
}

// decoders are kept: they are of use for one call only.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

func (d *decoder) release() {
	*d = decoder{}
	decoders.Put(d)
}

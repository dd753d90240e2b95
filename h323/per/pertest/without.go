package pertest

import (
	"reflect"

	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// Without takes the optional components with these ASN.1 names out of what v points
// to, and leaves no character string empty. It tells whether nothing of the names
// is left: an alternative of a choice cannot be taken out.
//
// Decoders differ on where an empty string ends: X.691 11.9.3.3 aligns nothing
// behind it, tshark 4.0 goes on at the next octet.
func Without(v any, names map[string]bool) bool {
	return without(reflect.ValueOf(v).Elem(), names)
}

func without(v reflect.Value, names map[string]bool) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || without(v.Elem(), names)
	case reflect.Slice:
		for i := range v.Len() {
			if !without(v.Index(i), names) {
				return false
			}
		}
	case reflect.Struct:
		return structWithout(v, names)
	}
	return true
}

func structWithout(v reflect.Value, names map[string]bool) bool {
	choice := v.NumField() > 0 && v.Type().Field(0).Type == reflect.TypeFor[per.Choice]()
	for i := range v.NumField() {
		field := v.Field(i)
		if !v.Type().Field(i).IsExported() || field.IsZero() && field.Kind() != reflect.String {
			continue
		}
		t, err := tag.Field(v.Type().Field(i))
		if err != nil {
			return false
		}
		switch {
		case names[t.Name] && (choice || !t.Optional && !t.Ext):
			return false
		case names[t.Name]:
			field.SetZero()
		default:
			fillText(field, t)
			if !without(field, names) {
				return false
			}
		}
	}
	return true
}

// fillText puts a character into empty strings.
func fillText(field reflect.Value, t *tag.Tag) {
	for field.Kind() == reflect.Pointer && !field.IsNil() {
		field = field.Elem()
	}
	switch {
	case field.Kind() == reflect.String && t.Kind != "" && field.String() == "":
		field.SetString("0")
	case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.String && t.Elem != nil:
		for i := range field.Len() {
			fillText(field.Index(i), t.Elem)
		}
	}
}

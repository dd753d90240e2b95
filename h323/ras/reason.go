package ras

import (
	"reflect"
	"strings"

	"github.com/roomgate/roomgate/h323/h225"
)

// Reason names the alternative that is set in the reason of a refusal, as H.225.0
// writes it (securityDenial, duplicateAlias, ...); "" when m does not refuse anything.
func Reason(m *h225.RASMessage) string {
	kind := KindOf(m)
	if kind == None || kind == ACFS {
		return ""
	}
	v := reflect.ValueOf(m).Elem().Field(fields[kind].message).Elem()
	for _, name := range []string{"RejectReason", "NakReason"} {
		if f := v.FieldByName(name); f.IsValid() {
			return Alternative(f.Interface())
		}
	}
	return ""
}

// Alternative names the one that is set in a CHOICE; "other" for one of a later version.
func Alternative(choice any) string {
	v := reflect.ValueOf(choice)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Name == "_" || v.Field(i).IsZero() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("per"), ",")
		name, _, _ = strings.Cut(name, ";")
		if name == "" {
			name = "other"
		}
		return name
	}
	return ""
}

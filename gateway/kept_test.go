package gateway

import (
	"reflect"
	"testing"
)

// TestMeetingsAreKeptWhole sets each field of a MeetingSpec and wants it back.
func TestMeetingsAreKeptWhole(t *testing.T) {
	v := reflect.ValueOf(&MeetingSpec{}).Elem()
	for i := range v.NumField() {
		spec := reflect.New(v.Type()).Elem()
		switch f := spec.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int, reflect.Int64:
			f.SetInt(7)
		default:
			t.Fatalf("%s: a kind that this test does not know", v.Type().Field(i).Name)
		}
		want := spec.Interface().(MeetingSpec)
		if got := specOf(record(want)); got != want {
			t.Errorf("%s is not kept: %+v", v.Type().Field(i).Name, got)
		}
	}
}

package gateway

import (
	"reflect"
	"testing"
	"time"
)

// fill sets a value, and all that is in it.
func fill(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), name)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1e9, 0)))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	default:
		t.Fatalf("%s: a kind that this test does not know", name)
	}
}

// TestMeetingsAreKeptWhole sets each field of a MeetingSpec and wants it back.
func TestMeetingsAreKeptWhole(t *testing.T) {
	v := reflect.ValueOf(&MeetingSpec{}).Elem()
	for i := range v.NumField() {
		spec := reflect.New(v.Type()).Elem()
		fill(t, spec.Field(i), v.Type().Field(i).Name)
		want := spec.Interface().(MeetingSpec)
		if got := specOf(record(want)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is not kept: %+v", v.Type().Field(i).Name, got)
		}
	}
}

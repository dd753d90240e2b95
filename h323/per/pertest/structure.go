package pertest

import (
	"reflect"

	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// structure fills a SEQUENCE, or one alternative of a CHOICE.
func (f *Filler) structure(v reflect.Value, depth int) error {
	if v.NumField() > 0 && v.Type().Field(0).Type == reflect.TypeFor[per.Choice]() {
		return f.choice(v, depth)
	}
	additions := 0
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Type == reflect.TypeFor[*per.Extensions]() {
			continue
		}
		t, err := tag.Field(field)
		if err != nil {
			return err
		}
		if t.Ext {
			additions++
		}
		if (t.Optional || t.Ext) && (f.deep(depth) || f.chance(2)) {
			continue
		}
		if err := f.value(v.Field(i), t, depth+1); err != nil {
			return err
		}
	}
	if e := v.FieldByName("Extensions"); f.Unknown && e.IsValid() && f.chance(4) {
		at := additions + f.Rand.IntN(3)
		e.Set(reflect.ValueOf(&per.Extensions{
			Announced: at + 1 + f.Rand.IntN(80),
			Unknown:   []per.Addition{{Index: at, Raw: f.octets(1, 200)}},
		}))
	}
	return nil
}

func (f *Filler) choice(v reflect.Value, depth int) error {
	fields := v.NumField()
	other := v.FieldByName("Other")
	if other.IsValid() && other.Type() == reflect.TypeFor[*per.Alternative]() {
		fields--
		if f.Unknown && f.chance(6) {
			other.Set(reflect.ValueOf(&per.Alternative{Index: fields + f.Rand.IntN(200), Raw: f.octets(1, 20)}))
			return nil
		}
	}
	i := 1 + f.Rand.IntN(fields-1)
	if f.deep(depth) {
		i = f.shallow(v.Type(), fields, i)
	}
	t, err := tag.Field(v.Type().Field(i))
	if err != nil {
		return err
	}
	return f.value(v.Field(i), t, depth+1)
}

// shallow prefers an alternative that does not nest any further.
func (f *Filler) shallow(t reflect.Type, fields, otherwise int) int {
	for i := 1; i < fields; i++ {
		target := t.Field(i).Type
		for target.Kind() == reflect.Pointer {
			target = target.Elem()
		}
		if k := target.Kind(); k != reflect.Struct && k != reflect.Slice {
			return i
		}
	}
	return otherwise
}

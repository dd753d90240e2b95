package config

import (
	"encoding"
	"reflect"
	"strings"
)

// field is what reflection says about one key of Config.
type field struct {
	name   string // its own name; the path is its parents' names before it
	index  int
	typ    reflect.Type
	oneof  []string
	reload bool
}

// fields lists the keys of a struct type in order.
func fields(t reflect.Type) []field {
	var list []field
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("key")
		if name == "-" {
			continue
		}
		var oneof []string
		if words := f.Tag.Get("oneof"); words != "" {
			oneof = strings.Split(words, ",")
		}
		list = append(list, field{name: name, index: i, typ: f.Type, oneof: oneof, reload: f.Tag.Get("reload") == "yes"})
	}
	return list
}

// isGroup reports whether the key only groups others.
func (f field) isGroup() bool {
	return f.typ.Kind() == reflect.Struct && !reflect.PointerTo(f.typ).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isObjectList reports whether the key holds a list of objects.
func (f field) isObjectList() bool {
	return f.typ.Kind() == reflect.Slice && field{typ: f.typ.Elem()}.isGroup()
}

func (f field) isScalarList() bool { return f.typ.Kind() == reflect.Slice && !f.isObjectList() }

// leaf is a key that holds a value, with its whole path.
type leaf struct {
	field
	path   string
	reload bool // its own or inherited
	value  reflect.Value
}

// leaves lists every key below v that holds a value, in order. Lists of objects
// are one leaf.
func leaves(v reflect.Value) []leaf {
	return appendLeaves(nil, "", false, v)
}

func appendLeaves(list []leaf, prefix string, reload bool, v reflect.Value) []leaf {
	for _, f := range fields(v.Type()) {
		path := join(prefix, f.name)
		if f.isGroup() {
			list = appendLeaves(list, path, reload || f.reload, v.Field(f.index))
			continue
		}
		list = append(list, leaf{field: f, path: path, reload: reload || f.reload, value: v.Field(f.index)})
	}
	return list
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

// EnvName is the environment variable of a key.
func EnvName(key string) string {
	return "ROOMGATE_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// Keys lists every key of the configuration, in the order of the
// documentation; what stands inside lists of objects is not in it.
func Keys() []string {
	var keys []string
	for _, l := range leaves(reflect.ValueOf(*Default())) {
		keys = append(keys, l.path)
	}
	return keys
}

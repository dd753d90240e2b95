package config

import (
	"reflect"
	"slices"
)

// Merge is the configuration to run with when next follows current without a
// restart: next, with every key that needs a restart as it is in current. The
// names of those that differ are returned too.
func Merge(current, next *Config) (merged *Config, needRestart []string) {
	result := *next
	result.Warnings = slices.Clone(next.Warnings)
	old := leaves(reflect.ValueOf(current).Elem())
	for i, l := range leaves(reflect.ValueOf(&result).Elem()) {
		if l.reload || equal(l.value, old[i].value) {
			continue
		}
		l.value.Set(old[i].value)
		needRestart = append(needRestart, l.path)
	}
	return &result, needRestart
}

// Changes names the keys that differ, in order.
func Changes(a, b *Config) []string {
	var changed []string
	old := leaves(reflect.ValueOf(a).Elem())
	for i, l := range leaves(reflect.ValueOf(b).Elem()) {
		if !equal(l.value, old[i].value) {
			changed = append(changed, l.path)
		}
	}
	return changed
}

// equal compares two values of a key; an empty list is as good as none.
func equal(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

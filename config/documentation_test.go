package config_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/config"
)

// TestDocumentation wants every key in the manual, marked when it reloads.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	for _, key := range config.Keys() {
		found := false
		for line := range strings.SplitSeq(string(text), "\n") {
			cells := strings.Split(line, "|")
			if len(cells) < 4 || !strings.Contains(cells[1], "`"+key+"`") {
				continue
			}
			found = true
			if !strings.Contains(cells[1], "**r**") {
				assert.False(t, reloads(t, key), "%s reloads, which the manual does not say", key)
			}
		}
		assert.True(t, found, "%s is not in docs/configuration.md", key)
	}
}

// reloads reports whether the key, or a group above it, has the tag.
func reloads(t *testing.T, key string) bool {
	t.Helper()
	typ := reflect.TypeFor[config.Config]()
	yes := false
	for name := range strings.SplitSeq(key, ".") {
		for i := range typ.NumField() {
			if f := typ.Field(i); f.Tag.Get("key") == name {
				yes = yes || f.Tag.Get("reload") == "yes"
				typ = f.Type
				break
			}
		}
	}
	return yes
}

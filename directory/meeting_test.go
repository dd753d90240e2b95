package directory_test

import (
	"strings"
	"testing"

	"github.com/roomgate/roomgate/directory"
)

func TestMeetingAliases(t *testing.T) {
	for alias, want := range map[string]bool{
		"":                            false,
		"8":                           true,
		"88001":                       true,
		"phòng-họp.1":                 true,
		"a@b_c+d":                     true,
		"٣":                           true, // a digit elsewhere
		".a":                          false,
		"@":                           false,
		"a b":                         false,
		"a/b":                         false,
		"a\n":                         false,
		"a\xff":                       false,
		strings.Repeat("ệ", 64):       true,
		strings.Repeat("ệ", 65):       false,
		strings.Repeat("e\u0323", 32): false, // a mark of its own is no letter
	} {
		if got := directory.IsMeetingAlias(alias); got != want {
			t.Errorf("%q: %v, want %v", alias, got, want)
		}
	}
}

package sip

import (
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
)

// focusParam of a Contact says that behind it is a conference (RFC 4579 §5.1,
// RFC 3840 §10.18).
const focusParam = "isfocus"

// isFocus reports whether the far side says so of itself.
func isFocus(m headed) bool {
	for _, p := range strings.Split(strings.ToLower(value(m, "contact", "m")), ";")[1:] {
		if name, _, _ := strings.Cut(strings.TrimSpace(p), "="); name == focusParam {
			return true
		}
	}
	return false
}

// Focus implements call.Focuser.
func (l *leg) Focus() { l.post(wantFocus{}) }

// focused marks our Contact.
func focused(c *sipgo.ContactHeader) {
	if !c.Params.Has(focusParam) {
		c.Params = append(c.Params.Clone(), sipgo.HeaderKV{K: focusParam})
	}
}

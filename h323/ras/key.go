package ras

import (
	"encoding/hex"
	"strings"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/per"
)

// Key is an alias as it is looked up: capitals, the scheme of a URL and a plus do not
// matter, nor does whether a number was registered as dialledDigits or as h323-ID.
// Aliases without a text are known by their encoding. "" stands for no alias.
func Key(a h225.AliasAddress) string {
	if a.MobileUIM != nil || a.ISUPNumber != nil || a.Other != nil {
		encoding, err := per.Marshal(&a)
		if err != nil {
			return ""
		}
		return "#" + hex.EncodeToString(encoding)
	}
	return TextKey(alias.Text(a))
}

// TextKey is the Key of an alias that is given as a text.
func TextKey(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, scheme := range []string{"h323:", "tel:", "sip:", "sips:"} {
		if rest, ok := strings.CutPrefix(text, scheme); ok {
			text, _, _ = strings.Cut(rest, ";")
			break
		}
	}
	return strings.TrimPrefix(text, "+")
}

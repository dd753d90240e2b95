package gateway

import "testing"

// Banners are in the language of the lobby; Vietnamese where callers choose.
func TestBannersOf(t *testing.T) {
	for language, want := range map[string]string{"en": "%s has joined", "vi": "%s đã vào họp", "": "%s đã vào họp"} {
		if came, went := bannersOf(language); came != want || went == came {
			t.Errorf("%q: %q, %q", language, came, went)
		}
	}
}

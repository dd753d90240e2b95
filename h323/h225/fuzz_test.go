package h225_test

import (
	"testing"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/per/pertest"
)

// seeds adds the recorded encodings of one kind, each shape once.
func seeds(f *testing.F, what string) {
	f.Helper()
	seen := map[int]bool{}
	for _, messages := range recorded(f) {
		for _, m := range messages {
			for _, e := range unfold(f, m) {
				if e.what == what && len(e.data) < 400 && !seen[len(e.data)] {
					seen[len(e.data)] = true
					f.Add(e.data)
				}
			}
		}
	}
	if len(seen) == 0 {
		f.Fatal("nothing recorded of ", what)
	}
}

// FuzzRAS: a datagram from anybody makes no panic; what decodes encodes, and stays the
// same from then on.
func FuzzRAS(f *testing.F) {
	seeds(f, "RAS")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := pertest.Stable(data, h225.RASMessage{}); err != nil {
			t.Fatal(err)
		}
		_, _ = h225.ParseRAS(data)
	})
}

// FuzzUserInformation is the same for what comes in Q.931 messages.
func FuzzUserInformation(f *testing.F) {
	seeds(f, "H.225.0")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := pertest.Stable(data, h225.H323UserInformation{}); err != nil {
			t.Fatal(err)
		}
		_, _ = h225.ParseUserInformation(data)
	})
}

package h225_test

import (
	"fmt"
	"testing"

	"github.com/roomgate/roomgate/h323/per/pertest"
)

// TestRandomValues: random values of every type of the module, with and without extensions
// that nobody knows, come back as they were.
func TestRandomValues(t *testing.T) {
	for _, zero := range allTypes {
		t.Run(fmt.Sprintf("%T", zero), func(t *testing.T) {
			for seed := range uint64(30) {
				if err := pertest.RoundTrip(zero, seed, seed%2 == 1); err != nil {
					t.Fatalf("seed %d: %.2000v", seed, err)
				}
			}
		})
	}
}

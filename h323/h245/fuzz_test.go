package h245_test

import (
	"testing"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/per/pertest"
	"github.com/roomgate/roomgate/h323/q931"
)

// FuzzControl: H.245 from anybody makes no panic; what decodes encodes, and stays the
// same from then on.
func FuzzControl(f *testing.F) {
	calls, err := golden.Load("../../testdata/h323/captures")
	if err != nil {
		f.Fatal(err)
	}
	seen := map[int]bool{}
	add := func(data []byte) {
		if len(data) < 400 && !seen[len(data)] {
			seen[len(data)] = true
			f.Add(data)
		}
	}
	for _, messages := range calls {
		for _, m := range messages {
			switch m.Protocol {
			case "h245":
				add(m.Data)
			case "q931":
				q, err := q931.Parse(m.Data)
				if err != nil {
					f.Fatal(err)
				}
				u, err := h225.FromQ931(q)
				if err != nil {
					f.Fatal(err)
				}
				for _, control := range u.H323UUPDU.H245Control {
					add(control)
				}
			}
		}
	}
	if len(seen) < 20 {
		f.Fatalf("%d recorded messages", len(seen))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := pertest.Stable(data, h245.MultimediaSystemControlMessage{}); err != nil {
			t.Fatal(err)
		}
		if err := pertest.Stable(data, h245.OpenLogicalChannel{}); err != nil {
			t.Fatal(err)
		}
		_, _ = h245.Parse(data)
	})
}

package h225_test

import (
	"testing"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/q931"
)

// TestRecordedAgreement: we could have been either side of the recorded key agreement.
func TestRecordedAgreement(t *testing.T) {
	sides := 0
	for _, m := range recorded(t)["simp-h235"] {
		if m.Protocol != "q931" {
			continue
		}
		q, err := q931.Parse(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		u, err := h225.FromQ931(q)
		if err != nil {
			t.Fatal(err)
		}
		body := &u.H323UUPDU.H323MessageBody
		switch {
		case body.Setup != nil:
			answer, secret, err := h235.Answer(body.Setup.Tokens, h235.Groups()...)
			if err != nil || secret.Group() != h235.DH1024 || len(answer) != 2 {
				t.Errorf("SETUP: %v, %v", secret, err)
			}
			sides++
		case body.Connect != nil:
			secret, err := h235.NewAgreement(h235.Groups()...).Finish(body.Connect.Tokens)
			if err != nil || secret.Group() != h235.DH1024 {
				t.Errorf("CONNECT: %v, %v", secret, err)
			}
			sides++
		}
	}
	if sides != 2 {
		t.Errorf("%d of two sides", sides)
	}
}

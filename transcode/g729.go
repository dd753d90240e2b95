package transcode

import (
	"github.com/roomgate/roomgate/media/g729"
	"github.com/roomgate/roomgate/media/mixer"
)

// g729Encoder is an encoder of G.729 Annex A as the mixer knows them.
type g729Encoder struct{ *g729.Encoder }

func (e g729Encoder) CopyState(from mixer.Encoder) error {
	o, ok := from.(g729Encoder)
	if !ok {
		return errOther
	}
	e.Encoder.CopyState(o.Encoder)
	return nil
}

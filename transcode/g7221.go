package transcode

import (
	"fmt"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/g7221"
	"github.com/roomgate/roomgate/media/mixer"
)

// g7221Mode is what a format says of G.722.1: the clock is the sampling rate,
// the bit rate is a parameter (RFC 5577).
func g7221Mode(f media.Format) g7221.Mode {
	return g7221.Mode{Rate: int(f.ClockRate), Bitrate: f.Bitrate}
}

// g7221Encoder is an encoder of G.722.1 or its Annex C as the mixer knows them.
type g7221Encoder struct{ *g7221.Encoder }

func newG7221Encoder(f media.Format) (mixer.Encoder, error) {
	e, err := g7221.NewEncoder(g7221Mode(f))
	if err != nil {
		return nil, fmt.Errorf("%w: %s at %d bit/s", ErrUnsupported, f, f.Bitrate)
	}
	return g7221Encoder{e}, nil
}

func (e g7221Encoder) CopyState(from mixer.Encoder) error {
	o, ok := from.(g7221Encoder)
	if !ok {
		return errOther
	}
	return e.Encoder.CopyState(o.Encoder)
}

func newG7221Decoder(f media.Format) (mixer.Decoder, error) {
	d, err := g7221.NewDecoder(g7221Mode(f))
	if err != nil {
		return nil, fmt.Errorf("%w: %s at %d bit/s", ErrUnsupported, f, f.Bitrate)
	}
	return d, nil
}

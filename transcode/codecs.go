// Package transcode turns audio payloads into samples and back: G.711, G.722,
// G.722.1 and G.729 in plain Go, Opus by libopus.
package transcode

import (
	"errors"
	"fmt"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/g729"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/plc"
)

// ErrUnsupported is returned for a codec that is not known here.
var ErrUnsupported = errors.New("transcode: unsupported codec")

var (
	errShort   = errors.New("transcode: buffer too short")
	errPayload = errors.New("transcode: malformed payload")
	errOther   = errors.New("transcode: state of another kind of encoder")
)

// Codecs makes coders. The zero value serves. It implements mixer.Codecs.
type Codecs struct {
	// Complexity of the Opus encoder, 1..10; zero means 1: enough for speech at
	// the least cost.
	Complexity int
	// Bitrate of the Opus encoder in bit/s; zero picks by rate.
	Bitrate int
	// LossPercent is the loss the Opus encoder prepares for when the receiver
	// takes in-band FEC; zero means 5.
	LossPercent int
}

var _ mixer.Codecs = (*Codecs)(nil)

// NewDecoder implements mixer.Codecs.
func (c *Codecs) NewDecoder(f media.Format, rate int) (mixer.Decoder, error) {
	switch {
	case f.Codec.Is(string(media.PCMU)):
		return &g711Decoder{law: muLaw, plc: plc.New(8000)}, nil
	case f.Codec.Is(string(media.PCMA)):
		return &g711Decoder{law: aLaw, plc: plc.New(8000)}, nil
	case f.Codec.Is(string(media.G722)):
		return newG722Decoder(), nil
	case f.Codec.Is(string(media.G7221)):
		return newG7221Decoder(f)
	case f.Codec.Is(string(media.G729)):
		return g729.NewDecoder(), nil
	case f.Codec.Is(string(media.Opus)):
		return newOpusDecoder(rate)
	}
	return nil, fmt.Errorf("%w: %s", ErrUnsupported, f)
}

// NewEncoder implements mixer.Codecs.
func (c *Codecs) NewEncoder(f media.Format, rate int) (mixer.Encoder, error) {
	switch {
	case f.Codec.Is(string(media.PCMU)):
		return g711Encoder{muLaw}, nil
	case f.Codec.Is(string(media.PCMA)):
		return g711Encoder{aLaw}, nil
	case f.Codec.Is(string(media.G722)):
		return newG722Encoder(), nil
	case f.Codec.Is(string(media.G7221)):
		return newG7221Encoder(f)
	case f.Codec.Is(string(media.G729)):
		return g729Encoder{g729.NewEncoder()}, nil
	case f.Codec.Is(string(media.Opus)):
		return newOpusEncoder(c, f, rate)
	}
	return nil, fmt.Errorf("%w: %s", ErrUnsupported, f)
}

// complexity trades the cost of the Opus encoder for quality. Bits are cheaper
// than cycles here: for narrowband speech, 24 kbit/s at complexity 1 sound as
// good as 20 kbit/s at 10 (TestOpusQuality), at under a third of the cost
// (BenchmarkEncode).
func (c *Codecs) complexity() int {
	if c.Complexity > 0 {
		return min(c.Complexity, 10)
	}
	return 1
}

// bitrate is the least at which speech is transparent for the band, or what
// the receiver allows.
func (c *Codecs) bitrate(f media.Format, rate int) int {
	b := c.Bitrate
	if b == 0 {
		switch {
		case rate <= 8000:
			b = 24000
		case rate <= 16000:
			b = 28000
		default:
			b = 40000
		}
	}
	if f.Opus.MaxAverage > 0 {
		b = min(b, f.Opus.MaxAverage)
	}
	return min(max(b, 6000), 510000)
}

func (c *Codecs) lossPercent() int {
	if c.LossPercent > 0 {
		return min(c.LossPercent, 100)
	}
	return 5
}

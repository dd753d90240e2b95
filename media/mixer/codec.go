package mixer

import "github.com/roomgate/roomgate/media"

// Codecs makes the coders of the formats a meeting meets; package transcode
// implements it. rate is the sampling rate the mixer would like, in Hz: a
// codec that cannot work at it (G.711 is always 8 kHz) picks its nearest and
// says so by Rate, and the mixer resamples.
type Codecs interface {
	NewDecoder(f media.Format, rate int) (Decoder, error)
	NewEncoder(f media.Format, rate int) (Encoder, error)
}

// Decoder turns the payloads of one stream, in order, into mono samples. No
// method keeps a slice it is given, and none allocates.
type Decoder interface {
	Rate() int
	// Decode fills pcm with the samples of one payload and returns their
	// number; pcm holds at least 120 ms. An error leaves the state usable.
	Decode(pcm []int16, payload []byte) (int, error)
	// Conceal fills all of pcm with a guess at what was lost; its length is a
	// multiple of 2.5 ms and at most 120 ms.
	Conceal(pcm []int16)
}

// Recoverer is a Decoder that finds a copy of a lost frame in the packet after
// it (in-band FEC, RFC 6716 §2.1.7). Recover fills all of pcm with the frame
// before next; next is then decoded as usual.
type Recoverer interface {
	Recover(pcm []int16, next []byte) error
}

// Encoder turns mono samples into payloads. No method keeps a slice it is
// given, and none allocates.
type Encoder interface {
	Rate() int
	// Encode writes the payload of one packet's samples, and returns its
	// length; zero means that nothing need be sent for them (DTX).
	Encode(payload []byte, pcm []int16) (int, error)
	// CopyState makes the encoder continue where from stands. Both must have
	// been made by the same NewEncoder arguments.
	CopyState(from Encoder) error
}

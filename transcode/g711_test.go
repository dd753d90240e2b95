package transcode_test

import (
	"testing"

	"github.com/roomgate/roomgate/media"
)

// Values of ITU-T G.711, Tables 1a and 2a: decision values scaled to 16 bits.
func TestG711Vectors(t *testing.T) {
	for _, tc := range []struct {
		codec  media.Codec
		sample int16
		code   byte
		back   int16
	}{
		{media.PCMU, 0, 0xff, 0},
		{media.PCMU, -1, 0x7f, 0},
		{media.PCMU, 8, 0xfe, 8},
		{media.PCMU, -8, 0x7e, -8},
		{media.PCMU, 32767, 0x80, 32124},
		{media.PCMU, -32768, 0x00, -32124},
		{media.PCMU, 1000, 0xce, 988},
		{media.PCMA, 0, 0xd5, 8},
		{media.PCMA, -1, 0x55, -8},
		{media.PCMA, 32767, 0xaa, 32256},
		{media.PCMA, -32768, 0x2a, -32256},
		{media.PCMA, 1000, 0xfa, 1008},
	} {
		enc, dec := coders(t, tc.codec, 8000)
		payload, pcm := make([]byte, 1), make([]int16, 1)
		if _, err := enc.Encode(payload, []int16{tc.sample}); err != nil {
			t.Fatal(err)
		}
		if payload[0] != tc.code {
			t.Errorf("%s: %d encodes as %#02x, want %#02x", tc.codec, tc.sample, payload[0], tc.code)
		}
		if _, err := dec.Decode(pcm, payload); err != nil {
			t.Fatal(err)
		}
		if pcm[0] != tc.back {
			t.Errorf("%s: %#02x decodes to %d, want %d", tc.codec, payload[0], pcm[0], tc.back)
		}
	}
}

// Every code survives decoding and encoding, and no sample is further from its
// code than half a step of its segment.
func TestG711RoundTrip(t *testing.T) {
	for _, codec := range []media.Codec{media.PCMU, media.PCMA} {
		enc, dec := coders(t, codec, 8000)
		codes, pcm, again := make([]byte, 256), make([]int16, 256), make([]byte, 256)
		for i := range codes {
			codes[i] = byte(i)
		}
		if _, err := dec.Decode(pcm, codes); err != nil {
			t.Fatal(err)
		}
		if _, err := enc.Encode(again, pcm); err != nil {
			t.Fatal(err)
		}
		for i := range codes {
			minusZero := codec == media.PCMU && codes[i] == 0x7f // encodes as plus zero
			if again[i] != codes[i] && !minusZero {
				t.Errorf("%s: code %#02x comes back as %#02x", codec, codes[i], again[i])
			}
		}
		for v := -32768; v <= 32767; v++ {
			if _, err := enc.Encode(codes[:1], []int16{int16(v)}); err != nil {
				t.Fatal(err)
			}
			back := int(pcm[codes[0]])
			if limit := max(8, abs(v)/24) + 4; abs(back-v) > limit && abs(v) < 32000 {
				t.Fatalf("%s: %d comes back as %d", codec, v, back)
			}
		}
	}
}

func abs(v int) int { return max(v, -v) }

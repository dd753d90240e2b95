package transcode_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode"
)

// voiced is a second of something like a voice: harmonics of a gliding pitch in
// syllables, and a little noise.
func voiced(rate int) []int16 {
	pcm := make([]int16, rate)
	r := rand.New(rand.NewPCG(1, 2))
	phase := 0.0
	for i := range pcm {
		t := float64(i) / float64(rate)
		f0 := 120 + 30*math.Sin(2*math.Pi*0.7*t)
		phase += 2 * math.Pi * f0 / float64(rate)
		v := 0.0
		for h := 1.0; h <= 20 && h*f0 < 0.45*float64(rate); h++ {
			v += math.Sin(h*phase) / h * (1 + math.Cos(h-3))
		}
		syllable := math.Pow(math.Abs(math.Sin(2*math.Pi*2*t)), 0.7)
		pcm[i] = int16(2500*v*syllable + 60*r.NormFloat64())
	}
	return pcm
}

func BenchmarkEncode(b *testing.B) {
	for _, tc := range []struct {
		f          media.Format
		rate       int
		complexity int
	}{
		{media.Format{Codec: media.PCMU, ClockRate: 8000}, 8000, 0},
		{media.Format{Codec: media.PCMA, ClockRate: 8000}, 8000, 0},
		{media.Format{Codec: media.G722, ClockRate: 8000}, 16000, 0},
		{media.Format{Codec: media.G7221, ClockRate: 16000, Bitrate: 32000}, 16000, 0},
		{media.Format{Codec: media.G7221, ClockRate: 32000, Bitrate: 48000}, 32000, 0},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 8000, 0},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 8000, 3},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 8000, 5},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 8000, 9},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 16000, 0},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 48000, 0},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 48000, 5},
	} {
		b.Run(fmt.Sprintf("%s-%d-c%d", tc.f.Codec, tc.rate, tc.complexity), func(b *testing.B) {
			enc, err := (&transcode.Codecs{Complexity: tc.complexity}).NewEncoder(tc.f, tc.rate)
			if err != nil {
				b.Fatal(err)
			}
			pcm, payload := voiced(tc.rate), make([]byte, 1500)
			frame := tc.rate / 50
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := i % 50 * frame
				if _, err := enc.Encode(payload, pcm[at:at+frame]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, tc := range []struct {
		f    media.Format
		rate int
	}{
		{media.Format{Codec: media.PCMU, ClockRate: 8000}, 8000},
		{media.Format{Codec: media.G722, ClockRate: 8000}, 16000},
		{media.Format{Codec: media.G7221, ClockRate: 16000, Bitrate: 32000}, 16000},
		{media.Format{Codec: media.G7221, ClockRate: 32000, Bitrate: 48000}, 32000},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 8000},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 16000},
		{media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}, 48000},
	} {
		b.Run(fmt.Sprintf("%s-%d", tc.f.Codec, tc.rate), func(b *testing.B) {
			codecs := &transcode.Codecs{}
			enc, err := codecs.NewEncoder(tc.f, tc.rate)
			if err != nil {
				b.Fatal(err)
			}
			dec, err := codecs.NewDecoder(tc.f, tc.rate)
			if err != nil {
				b.Fatal(err)
			}
			pcm := voiced(tc.rate)
			frame := tc.rate / 50
			var packets [50][]byte
			for i := range packets {
				payload := make([]byte, 1500)
				n, err := enc.Encode(payload, pcm[i*frame:(i+1)*frame])
				if err != nil {
					b.Fatal(err)
				}
				packets[i] = payload[:n]
			}
			out := make([]int16, 5760)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := dec.Decode(out, packets[i%50]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

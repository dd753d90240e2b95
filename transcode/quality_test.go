package transcode_test

import (
	"math"
	"os"
	"testing"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode"
)

// The default for phones, least complexity and a few more bits, is as good on
// speech as the highest complexity at 20 kbit/s.
func TestOpusQuality(t *testing.T) {
	b, err := os.ReadFile("../media/dtmf/testdata/speech.s16")
	if err != nil {
		t.Fatal(err)
	}
	speech := samples(b)[:80000]
	quality := func(c *transcode.Codecs) float64 {
		e, err := c.NewEncoder(format(media.Opus, 8000), 8000)
		if err != nil {
			t.Fatal(err)
		}
		_, d := coders(t, media.Opus, 8000)
		const lookahead = 52 // samples at 8 kHz that the encoder is behind
		return distance(speech, pass(t, e, d, speech)[lookahead:])
	}
	best := quality(&transcode.Codecs{Complexity: 10, Bitrate: 20000})
	own := quality(&transcode.Codecs{})
	low := quality(&transcode.Codecs{Complexity: 10, Bitrate: 12000})
	t.Logf("spectral distance: default %.2f dB, 20 kbit/s at complexity 10 %.2f dB, 12 kbit/s %.2f dB", own, best, low)
	if own > best+0.2 || low < best+1 {
		t.Errorf("default %.2f dB, 20 kbit/s at complexity 10 %.2f dB, 12 kbit/s %.2f dB", own, best, low)
	}
}

// distance is the mean distance of the short-time spectra of speech within the
// telephone band, in dB.
func distance(a, b []int16) float64 {
	const frame = 160
	total, frames := 0.0, 0
	for at := 0; at+frame <= min(len(a), len(b)); at += frame {
		energy := 0.0
		for _, v := range a[at : at+frame] {
			energy += float64(v) * float64(v)
		}
		if energy < frame*30000 {
			continue // a pause
		}
		sum, bins := 0.0, 0
		for hz := 200.0; hz <= 3400; hz += 100 {
			sum += math.Pow(band(a[at:at+frame], hz)-band(b[at:at+frame], hz), 2)
			bins++
		}
		total += math.Sqrt(sum / float64(bins))
		frames++
	}
	return total / float64(frames)
}

// band is the power around a frequency in dB.
func band(pcm []int16, hz float64) float64 {
	var re, im float64
	for i, v := range pcm {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(pcm)))
		re += w * float64(v) * math.Cos(2*math.Pi*hz*float64(i)/8000)
		im += w * float64(v) * math.Sin(2*math.Pi*hz*float64(i)/8000)
	}
	return 10 * math.Log10(re*re+im*im+1e4)
}

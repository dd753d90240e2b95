package transcode_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/roomgate/roomgate/media"
)

// snr compares samples with a reference that may lag, in dB at the best lag.
func snr(ref, got []int16, maxLag int) (best float64, lag int) {
	best = math.Inf(-1)
	for l := -maxLag; l <= maxLag; l++ {
		var signal, noise float64
		for i := maxLag + 800; i+maxLag < min(len(ref), len(got)); i++ {
			d := float64(got[i+l]) - float64(ref[i])
			signal += float64(ref[i]) * float64(ref[i])
			noise += d * d
		}
		if db := 10 * math.Log10(signal/(noise+1)); db > best {
			best, lag = db, l
		}
	}
	return best, lag
}

func samples(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

func raw(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// The files in testdata were made by FFmpeg: a second of speech-like sound, its
// G.722 coding, and that decoded again (testdata/README.md).
func TestG722AgainstReference(t *testing.T) {
	var files [3][]byte
	for i, name := range []string{"voiced.s16", "voiced.g722", "voiced.g722.s16"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = b
	}
	source, coded, decoded := samples(files[0]), files[1], samples(files[2])
	e, d := coders(t, media.G722, 16000)
	// Our decoder on the foreign stream gives the foreign samples.
	out := make([]int16, 2*len(coded))
	if _, err := d.Decode(out, coded); err != nil {
		t.Fatal(err)
	}
	for i := range out {
		if out[i] != decoded[i] {
			t.Fatalf("sample %d is %d, not %d", i, out[i], decoded[i])
		}
	}
	// Our encoder makes the foreign stream.
	own := make([]byte, len(source)/2)
	if _, err := e.Encode(own, source); err != nil {
		t.Fatal(err)
	}
	for i := range own {
		if own[i] != coded[i] {
			t.Fatalf("byte %d is %#02x, not %#02x", i, own[i], coded[i])
		}
	}
}

// Where FFmpeg is installed it decodes what we encode, and the other way round.
func TestAgainstFFmpeg(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed: G.711 and G.722 are checked against the committed files only")
	}
	for _, tc := range []struct {
		codec media.Codec
		form  string
		rate  string
		input []string
		least float64
	}{
		{media.PCMU, "mulaw", "8000", []string{"-f", "mulaw", "-ar", "8000"}, 30},
		{media.PCMA, "alaw", "8000", []string{"-f", "alaw", "-ar", "8000"}, 30},
		{media.G722, "g722", "16000", []string{"-f", "g722"}, 15},
	} {
		rate := 8000
		if tc.codec == media.G722 {
			rate = 16000
		}
		e, d := coders(t, tc.codec, rate)
		pcm := voiced(rate)
		coded := make([]byte, len(pcm))
		n, err := e.Encode(coded, pcm)
		if err != nil {
			t.Fatal(err)
		}
		theirs := samples(run(t, ffmpeg, coded[:n], append(tc.input, "-i", "-", "-f", "s16le", "-")...))
		ours := make([]int16, len(pcm))
		if _, err := d.Decode(ours, coded[:n]); err != nil {
			t.Fatal(err)
		}
		if db, lag := snr(theirs, ours, 2); db < 60 {
			t.Errorf("%s: decoders differ: %.1f dB at lag %d", tc.codec, db, lag)
		}
		if db, _ := snr(pcm, theirs, 30); db < tc.least {
			t.Errorf("%s: FFmpeg hears us at %.1f dB", tc.codec, db)
		}
		foreign := run(t, ffmpeg, raw(pcm), "-f", "s16le", "-ar", tc.rate, "-ac", "1", "-i", "-", "-f", tc.form, "-")
		_, fresh := coders(t, tc.codec, rate)
		if _, err := fresh.Decode(ours, foreign); err != nil {
			t.Fatal(err)
		}
		if db, _ := snr(pcm, ours, 30); db < tc.least {
			t.Errorf("%s: we hear FFmpeg at %.1f dB", tc.codec, db)
		}
	}
}

func run(t *testing.T, ffmpeg string, in []byte, args ...string) []byte {
	t.Helper()
	args = append([]string{"-hide_banner", "-loglevel", "error"}, args...)
	cmd := exec.Command(ffmpeg, args...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %v: %v: %s", args, err, stderr.String())
	}
	return out
}

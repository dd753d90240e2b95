package prompt

import "testing"

// whole is a WAV file of four samples of two channels at 8000 Hz.
const whole = "RIFF\x34\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x40\x1f\x00\x00\x00\x7d\x00\x00\x04\x00\x10\x00" +
	"data\x10\x00\x00\x00\x01\x00\x09\x09\x02\x00\x09\x09\x03\x00\x09\x09\x04\x00\x09\x09"

func TestParseWAV(t *testing.T) {
	pcm, rate, err := parseWAV([]byte(whole))
	if err != nil || rate != 8000 || len(pcm) != 4 || pcm[0] != 1 || pcm[3] != 4 {
		t.Errorf("%v at %d Hz, %v", pcm, rate, err)
	}
	// Cut short within the samples, a file plays as far as it goes; before, it is
	// refused.
	const samples = 48
	for n := range whole {
		pcm, _, err := parseWAV([]byte(whole)[:n])
		if want := max(0, n-samples+4) / 4; n >= samples && (err != nil || len(pcm) != want) || n < samples && err == nil {
			t.Errorf("%d octets: %v, %v", n, pcm, err)
		}
	}
}

func FuzzParseWAV(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pcm, rate, err := parseWAV(data)
		if err == nil && (len(pcm) == 0 || rate <= 0 || 2*len(pcm) > len(data)) {
			t.Errorf("%d samples at %d Hz out of %d octets", len(pcm), rate, len(data))
		}
	})
}

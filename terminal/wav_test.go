package terminal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/tone"
)

func TestWAVRoundTrip(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.wav")
	pcm := make([]int16, 16000)
	tone.NewGenerator(16000, 700, -20).Read(pcm)
	r, err := createWAV(name, 16000)
	require.NoError(t, err)
	r.write(pcm[:100])
	r.write(pcm[100:])
	require.NoError(t, r.close())

	data, err := os.ReadFile(name)
	require.NoError(t, err)
	got, rate, err := parseWAV(data)
	require.NoError(t, err)
	assert.Equal(t, 16000, rate)
	assert.Equal(t, pcm, got)
	for n := range 44 {
		_, _, err := parseWAV(data[:n])
		assert.Error(t, err)
	}

	c, err := openWAV(name, 48000)
	require.NoError(t, err)
	out := make([]int16, 48000)
	c.Read(out)
	assert.InDelta(t, 700, tone.Measure(out, 48000).Frequency, 3)
	_, err = openWAV(filepath.Join(t.TempDir(), "none.wav"), 8000)
	assert.Error(t, err)
}

func FuzzParseWAV(f *testing.F) {
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00\x01\x00\x02\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, rate, err := parseWAV(data); err == nil && rate == 0 {
			t.Fatal("no rate and no error")
		}
	})
}

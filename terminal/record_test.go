package terminal

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/tone"
)

// What is recorded is what was sent: ffmpeg decodes every picture that was
// counted, and the tone is in the WAV file. Digits go out meanwhile.
func TestRecordings(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is missing: the recording is NOT verified; run make setup-test")
	}
	dir := t.TempDir()
	video, audio := filepath.Join(dir, "v.h264"), filepath.Join(dir, "a.wav")
	calling, called := pair(t,
		Options{Audio: "tone:600", DTMF: "12#", DTMFAfter: 500 * time.Millisecond},
		Options{RecordVideo: video, RecordAudio: audio})
	assert.Equal(t, "12#", calling.DTMFSent)
	assert.Zero(t, called.Audio.Lost, "digits are no loss")

	cmd := exec.Command("ffmpeg", "-v", "error", "-f", "h264", "-i", video, "-f", "framemd5", "-")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run())
	assert.Empty(t, errs.String())
	decoded := 0
	for line := range bytes.Lines(out.Bytes()) {
		if line[0] != '#' {
			decoded++
		}
	}
	assert.Equal(t, called.Video.Frames, decoded)
	assert.Greater(t, decoded, 45)

	data, err := os.ReadFile(audio)
	require.NoError(t, err)
	pcm, rate, err := parseWAV(data)
	require.NoError(t, err)
	require.Greater(t, len(pcm), rate)
	assert.InDelta(t, 600, tone.Measure(pcm[:rate], rate).Frequency, 3)
}

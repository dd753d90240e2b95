package terminal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var sample = Report{
	Connected: true, Protocol: "sip", SetupMS: 21, Encryption: "none", DTMFSent: "1234#", Sent: 900,
	Audio: &AudioReport{Codec: "G722", Packets: 480, JitterMS: 1.2, FrequencyHz: 1000, LevelDBFS: -12, FirstMS: 90, TonesHz: []int{1000, 440}},
	Video: &VideoReport{Codec: "H264", Width: 1280, Height: 720, Frames: 290, FPS: 29.9, Keyframes: 3, FirstMS: 210, Tiles: []Tile{}},
}

// The shape that scripts rely on.
func TestReportJSON(t *testing.T) {
	got, err := json.Marshal(sample)
	require.NoError(t, err)
	assert.Equal(t, `{"connected":true,"protocol":"sip","setup_ms":21,"encryption":"none","cause":"",`+
		`"audio":{"codec":"G722","packets":480,"lost":0,"jitter_ms":1.2,"frequency_hz":1000,"level_dbfs":-12,"first_ms":90,"tones_hz":[1000,440]},`+
		`"video":{"codec":"H264","width":1280,"height":720,"frames":290,"fps":29.9,"keyframes":3,"lost":0,"first_ms":210,"kbps":0,"freezes":0,"longest_ms":0,"tiles":[]},`+
		`"content":null,"dtmf_sent":"1234#"}`, string(got))
}

func TestReportTable(t *testing.T) {
	var b strings.Builder
	require.NoError(t, sample.Table(&b))
	for _, want := range []string{"connected in 21 ms", "G722", "1000 Hz at -12.0 dBFS", "1280x720, 290 pictures", "1234# sent"} {
		assert.Contains(t, b.String(), want)
	}
	b.Reset()
	require.NoError(t, Report{Protocol: "sip", Cause: "busy"}.Table(&b))
	assert.Contains(t, b.String(), "not connected")
	assert.Contains(t, b.String(), "busy")
}

func TestReportOK(t *testing.T) {
	assert.True(t, sample.OK())
	for name, spoil := range map[string]func(*Report){
		"not connected":    func(r *Report) { r.Connected = false },
		"nothing sent":     func(r *Report) { r.Sent = 0 },
		"nothing received": func(r *Report) { r.Audio, r.Video = &AudioReport{}, nil },
	} {
		r := sample
		spoil(&r)
		assert.False(t, r.OK(), name)
	}
}

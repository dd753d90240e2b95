package e2e

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/roomgate/roomgate/media/tone"
)

// writeWAV keeps samples as a mono 16-bit WAV file.
func writeWAV(t *testing.T, rate int, pcm []int16) string {
	t.Helper()
	data := make([]byte, 44, 44+2*len(pcm))
	copy(data, "RIFF")
	binary.LittleEndian.PutUint32(data[4:], uint32(36+2*len(pcm)))
	copy(data[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(data[16:], 16)
	binary.LittleEndian.PutUint16(data[20:], 1)
	binary.LittleEndian.PutUint16(data[22:], 1)
	binary.LittleEndian.PutUint32(data[24:], uint32(rate))
	binary.LittleEndian.PutUint32(data[28:], uint32(2*rate))
	binary.LittleEndian.PutUint16(data[32:], 2)
	binary.LittleEndian.PutUint16(data[34:], 16)
	copy(data[36:], "data")
	binary.LittleEndian.PutUint32(data[40:], uint32(2*len(pcm)))
	for _, s := range pcm {
		data = binary.LittleEndian.AppendUint16(data, uint16(s))
	}
	file := filepath.Join(t.TempDir(), "tone.wav")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// toneFile is a WAV of ten seconds of a tone.
func toneFile(t *testing.T, hz float64) string {
	t.Helper()
	const rate = 48000
	pcm := make([]int16, 10*rate)
	tone.NewGenerator(rate, hz, -12).Read(pcm)
	return writeWAV(t, rate, pcm)
}

// readWAV reads the first channel of a 16-bit WAV, also one whose header was
// never completed because its writer still runs.
func readWAV(t *testing.T, file string) (rate int, pcm []int16) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil || len(data) < 44 {
		return 8000, nil
	}
	channels := int(binary.LittleEndian.Uint16(data[22:]))
	rate = int(binary.LittleEndian.Uint32(data[24:]))
	for i := 44; i+1 < len(data); i += 2 * max(channels, 1) {
		pcm = append(pcm, int16(binary.LittleEndian.Uint16(data[i:])))
	}
	return rate, pcm
}

// lastSecond reads the last second of a 16-bit file that is being written: of its first
// channel. A recording of hours is not read whole for it.
func lastSecond(file string) (rate int, pcm []int16) {
	f, err := os.Open(file)
	if err != nil {
		return 8000, nil
	}
	defer f.Close()
	head := make([]byte, 44)
	if _, err := io.ReadFull(f, head); err != nil {
		return 8000, nil
	}
	rate = int(binary.LittleEndian.Uint32(head[24:]))
	each := int64(2 * max(binary.LittleEndian.Uint16(head[22:]), 1))
	info, err := f.Stat()
	if err != nil {
		return rate, nil
	}
	end := (info.Size() - 44) / each * each
	data := make([]byte, min(end, each*int64(rate)))
	if _, err := f.ReadAt(data, 44+end-int64(len(data))); err != nil {
		return rate, nil
	}
	pcm = make([]int16, int64(len(data))/each)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(data[int64(i)*each:]))
	}
	return rate, pcm
}

// power is the level in dBFS of one frequency in the last second of a sound.
func power(pcm []int16, rate int, hz float64) float64 {
	if len(pcm) < rate {
		return -200
	}
	return amplitude(pcm[len(pcm)-rate:], rate, hz)
}

// amplitude is the level in dBFS of one frequency in a sound.
func amplitude(pcm []int16, rate int, hz float64) float64 {
	var re, im float64
	for i, s := range pcm {
		angle := 2 * math.Pi * hz * float64(i) / float64(rate)
		re += float64(s) * math.Cos(angle)
		im += float64(s) * math.Sin(angle)
	}
	return 20 * math.Log10(2*math.Hypot(re, im)/float64(len(pcm))/32768+1e-10)
}

// heardTone reports whether a tone stands out of its neighbourhood for a tenth
// of a second anywhere in a sound.
func heardTone(pcm []int16, rate int, hz float64) bool {
	window := rate / 10
	for from := 0; from+window <= len(pcm); from += window / 4 {
		part := pcm[from : from+window]
		level := amplitude(part, rate, hz)
		if level > -45 && level > 12+max(amplitude(part, rate, hz-55), amplitude(part, rate, hz+55)) {
			return true
		}
	}
	return false
}

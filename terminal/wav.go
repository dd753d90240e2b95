package terminal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/roomgate/roomgate/media/resample"
)

// clip is a sound that is played over and over.
type clip struct {
	pcm []int16
	at  int
}

func (c *clip) Read(pcm []int16) {
	for i := range pcm {
		pcm[i] = c.pcm[c.at]
		c.at = (c.at + 1) % len(c.pcm)
	}
}

// openWAV reads a WAV file of 16-bit samples and resamples it; of several
// channels the first is taken.
func openWAV(name string, rate int) (*clip, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("audio to send: %w", err)
	}
	pcm, from, err := parseWAV(data)
	if err != nil {
		return nil, fmt.Errorf("audio to send: %s: %w", name, err)
	}
	if from != rate {
		r, err := resample.New(from, rate)
		if err != nil {
			return nil, fmt.Errorf("audio to send: %s: %w", name, err)
		}
		out := make([]int16, r.Len(len(pcm)))
		pcm = out[:r.Write(out, pcm)]
	}
	if len(pcm) == 0 {
		return nil, fmt.Errorf("audio to send: %s: no samples", name)
	}
	return &clip{pcm: pcm}, nil
}

var errWAV = errors.New("not a WAV file of 16-bit samples")

// parseWAV walks the chunks of a RIFF file.
func parseWAV(data []byte) (pcm []int16, rate int, err error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return nil, 0, errWAV
	}
	channels := 0
	for rest := data[12:]; len(rest) >= 8; {
		size := int(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:]
		size = min(size, len(body)) // recorders that were cut off leave 0xffffffff
		switch string(rest[:4]) {
		case "fmt ":
			if size < 16 || binary.LittleEndian.Uint16(body[14:]) != 16 {
				return nil, 0, errWAV
			}
			channels = int(binary.LittleEndian.Uint16(body[2:]))
			rate = int(binary.LittleEndian.Uint32(body[4:]))
		case "data":
			if channels == 0 || rate == 0 {
				return nil, 0, errWAV
			}
			for i := 0; i+2*channels <= size; i += 2 * channels {
				pcm = append(pcm, int16(binary.LittleEndian.Uint16(body[i:])))
			}
			return pcm, rate, nil
		}
		rest = body[min(size+size%2, len(body)):]
	}
	return nil, 0, errWAV
}

// recorder writes a mono WAV file.
type recorder struct {
	mu    sync.Mutex
	file  *os.File
	rate  int
	bytes int
	buf   []byte
	err   error
}

func createWAV(name string, rate int) (*recorder, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	r := &recorder{file: f, rate: rate}
	_, r.err = f.Write(r.header())
	return r, nil
}

func (r *recorder) header() []byte {
	h := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	h = binary.LittleEndian.AppendUint32(h, uint32(r.rate))
	h = binary.LittleEndian.AppendUint32(h, uint32(2*r.rate))
	h = append(h, 2, 0, 16, 0)
	h = append(h, "data"...)
	h = binary.LittleEndian.AppendUint32(h, uint32(r.bytes))
	binary.LittleEndian.PutUint32(h[4:], uint32(36+r.bytes))
	return h
}

func (r *recorder) write(pcm []int16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return
	}
	r.buf = r.buf[:0]
	for _, s := range pcm {
		r.buf = binary.LittleEndian.AppendUint16(r.buf, uint16(s))
	}
	_, r.err = r.file.Write(r.buf)
	r.bytes += len(r.buf)
}

// close completes the header.
func (r *recorder) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		_, r.err = r.file.WriteAt(r.header(), 0)
	}
	return errors.Join(r.err, r.file.Close())
}

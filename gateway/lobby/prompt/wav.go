package prompt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/roomgate/roomgate/media/resample"
)

var errWAV = errors.New("is not a WAV file of 16-bit samples")

// parseWAV reads the first channel of a RIFF file of 16-bit PCM: a header of 12
// octets, then chunks of a name, a length and a body padded to an even length.
func parseWAV(data []byte) (pcm []int16, rate int, err error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return nil, 0, errWAV
	}
	channels := 0
	for rest := data[12:]; len(rest) >= 8; {
		body := rest[8:]
		// Whoever writes to a pipe does not know the length and leaves the highest.
		size := int(min(uint64(binary.LittleEndian.Uint32(rest[4:])), uint64(len(body))))
		switch string(rest[:4]) {
		case "fmt ":
			if size < 16 || binary.LittleEndian.Uint16(body) != 1 || binary.LittleEndian.Uint16(body[14:]) != 16 {
				return nil, 0, errWAV
			}
			channels, rate = int(binary.LittleEndian.Uint16(body[2:])), int(binary.LittleEndian.Uint32(body[4:]))
			if _, err := resample.New(rate, Rate); err != nil {
				return nil, 0, fmt.Errorf("sampling rate: %w", err)
			}
		case "data":
			if channels == 0 {
				return nil, 0, errWAV
			}
			pcm = make([]int16, 0, size/2/channels)
			for at := 0; at+2*channels <= size; at += 2 * channels {
				pcm = append(pcm, int16(binary.LittleEndian.Uint16(body[at:])))
			}
			if len(pcm) == 0 {
				return nil, 0, errors.New("holds no samples")
			}
			return pcm, rate, nil
		}
		rest = body[min(size+size%2, len(body)):]
	}
	return nil, 0, errWAV
}

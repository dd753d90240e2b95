package frame

import "github.com/pion/rtp/codecs"

// vp8 is RFC 7741.
type vp8 struct {
	packet codecs.VP8Packet
	parts  int
	begun  bool // the first packet began the first partition
}

func (v *vp8) begin() { v.parts, v.begun = 0, false }

func (v *vp8) add(data, payload []byte) ([]byte, error) {
	body, err := v.packet.Unmarshal(payload)
	if err != nil || len(body) == 0 {
		return data, errShort
	}
	if v.parts == 0 {
		v.begun = v.packet.S == 1 && v.packet.PID == 0
	}
	v.parts++
	return append(data, body...), nil
}

// end: the first bit of a frame says that it is not a keyframe (RFC 6386 §9.1).
func (v *vp8) end(data []byte) ([]byte, bool, bool) {
	if len(data) < 3 {
		return data, false, false
	}
	key := data[0]&1 == 0
	if key && (len(data) < 10 || data[3] != 0x9d || data[4] != 0x01 || data[5] != 0x2a) {
		return data, false, false
	}
	return data, key && v.begun, v.begun
}

// vp9 is RFC 9628.
type vp9 struct {
	packet codecs.VP9Packet
	starts []int // of the layers within data
	inside bool
	broken bool
}

func (v *vp9) begin() { v.starts, v.inside, v.broken = v.starts[:0], false, false }

func (v *vp9) add(data, payload []byte) ([]byte, error) {
	body, err := v.packet.Unmarshal(payload)
	if err != nil || len(body) == 0 {
		return data, errShort
	}
	if v.packet.B {
		v.starts = append(v.starts, len(data))
	} else if !v.inside {
		v.broken = true
	}
	v.inside = !v.packet.E
	return append(data, body...), nil
}

// maxLayers is how many frames a superframe holds.
const maxLayers = 8

func (v *vp9) end(data []byte) ([]byte, bool, bool) {
	if v.broken || v.inside || len(v.starts) == 0 || len(v.starts) > maxLayers {
		return data, false, false
	}
	key := vp9Keyframe(data)
	if len(v.starts) > 1 {
		data = v.appendIndex(data)
	}
	return data, key, true
}

// appendIndex makes a superframe of the layers (VP9 bitstream, Annex B).
func (v *vp9) appendIndex(data []byte) []byte {
	const sizeBytes = 4
	marker := byte(0xc0 | (sizeBytes-1)<<3 | (len(v.starts) - 1))
	end := len(data)
	data = append(data, marker)
	for i, from := range v.starts {
		to := end
		if i+1 < len(v.starts) {
			to = v.starts[i+1]
		}
		n := to - from
		data = append(data, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	return append(data, marker)
}

// vp9Keyframe reads the start of the uncompressed header (VP9 bitstream §6.2).
func vp9Keyframe(data []byte) bool {
	if len(data) == 0 || data[0]>>6 != 2 {
		return false
	}
	profile := data[0]>>5&1 | data[0]>>4&1<<1
	bit := 3
	if profile == 3 {
		bit = 2 // a reserved bit
	}
	showExisting := data[0]>>bit&1 == 1
	return !showExisting && data[0]>>(bit-1)&1 == 0
}

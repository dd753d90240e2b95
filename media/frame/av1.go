package frame

import "github.com/pion/rtp/codecs"

// av1 is the RTP payload format of AOM, version 1.0.
type av1 struct {
	depack codecs.AV1Depacketizer
	fresh  bool // no packet of the frame came yet
	key    bool // N: a new coded video sequence begins
	open   bool // Y: an OBU goes on in the next packet
	broken bool
}

func (v *av1) begin() {
	*v = av1{fresh: true}
}

func (v *av1) add(data, payload []byte) ([]byte, error) {
	const z, y, n = 0x80, 0x40, 0x08
	if len(payload) < 2 {
		return data, errShort
	}
	if v.fresh {
		v.key = payload[0]&n != 0
	}
	// An OBU goes on if, and only if, the packet before left one open.
	v.broken = v.broken || payload[0]&z != 0 != v.open
	v.fresh, v.open = false, payload[0]&y != 0
	units, err := v.depack.Unmarshal(payload)
	if err != nil {
		return data, errMalformed
	}
	return append(data, units...), nil
}

func (v *av1) end(data []byte) ([]byte, bool, bool) {
	return data, v.key, !v.open && !v.broken
}

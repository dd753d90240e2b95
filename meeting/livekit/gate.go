package livekit

// NAL unit types, ITU-T H.264 table 7-1 and RFC 6184 §5.2.
const (
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

// gate keeps out what is not media. Before a video subscription has its first
// real packet the server sends dummies so that clients notice the track: they
// are padding, or payloads of zeros, whose NAL type 0 does not exist. What
// comes before the first parameter set or IDR cannot be decoded either.
type gate struct {
	h264 bool
	open bool
}

// passes reports whether a payload is to be delivered.
func (g *gate) passes(payload []byte) bool {
	if len(payload) == 0 {
		return false
	}
	if !g.h264 {
		return true
	}
	if payload[0]&0x1f == 0 {
		return false
	}
	if !g.open {
		g.open = startsDecoding(payload)
	}
	return g.open
}

// startsDecoding reports whether a payload holds a sequence parameter set or
// the start of an IDR picture: alone, aggregated (RFC 6184 §5.7.1: two bytes
// of length before each unit), or fragmented (§5.8: the start bit and the type
// are in the second byte).
func startsDecoding(payload []byte) bool {
	switch payload[0] & 0x1f {
	case nalIDR, nalSPS:
		return true
	case nalFUA:
		return len(payload) > 1 && payload[1]&0x80 != 0 && payload[1]&0x1f == nalIDR
	case nalSTAPA:
		rest := payload[1:]
		for len(rest) > 2 {
			size := int(rest[0])<<8 | int(rest[1])
			if t := rest[2] & 0x1f; t == nalIDR || t == nalSPS {
				return true
			}
			if size+2 > len(rest) {
				return false
			}
			rest = rest[2+size:]
		}
	}
	return false
}

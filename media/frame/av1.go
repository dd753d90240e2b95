package frame

// av1 is the RTP payload format of AOM, version 1.0. A frame is a temporal unit: the
// delimiter that decoders of layers tell them apart by (AV1 bitstream §7.5) is not
// transmitted and comes back, and so do the sizes of OBUs.
type av1 struct {
	fresh  bool // no packet of the frame came yet
	key    bool // N: a new coded video sequence begins
	open   bool // Y: an OBU goes on in the next packet
	broken bool
	part   []byte // of that OBU
}

// Types of OBUs (AV1 bitstream §6.2.2), and bits of their headers (§5.3.2).
const (
	obuDelimiter = 2
	obuTileList  = 8

	obuForbidden = 0x80
	obuExtended  = 0x04
	obuSized     = 0x02
)

func (v *av1) begin() {
	*v = av1{fresh: true, part: v.part[:0]}
}

// add takes the OBU elements of a packet (§4.3 to §4.5).
func (v *av1) add(data, payload []byte) ([]byte, error) {
	const z, y, w, n = 0x80, 0x40, 0x30, 0x08
	if len(payload) < 2 {
		return data, errShort
	}
	head, rest := payload[0], payload[1:]
	if v.fresh {
		v.key = head&n != 0
		data = append(data, obuDelimiter<<3|obuSized, 0)
	}
	// An OBU goes on if, and only if, the packet before left one open.
	goesOn := head&z != 0
	v.broken = v.broken || goesOn != v.open
	v.fresh, v.open = false, head&y != 0

	count := int(head & w >> 4) // 0: each element has a length
	for i := 1; len(rest) > 0; i++ {
		size, last := len(rest), i == count
		if !last {
			if count != 0 && i > count {
				return data, errMalformed
			}
			length, used := leb128(rest)
			if used == 0 || length > len(rest)-used {
				return data, errMalformed
			}
			size, rest = length, rest[used:]
			last = count == 0 && size == len(rest)
		}
		element := rest[:size]
		rest = rest[size:]
		if goesOn {
			v.part = append(v.part, element...)
			element, goesOn = v.part, false
		} else if last && v.open {
			v.part = append(v.part[:0], element...) // the packet is its owner's again soon
		}
		if len(element) > maxFrame {
			v.part = v.part[:0]
			return data, errMalformed
		}
		if last && v.open {
			return data, nil
		}
		var ok bool
		if data, ok = appendOBU(data, element); !ok {
			return data, errMalformed
		}
		v.part = v.part[:0]
		if last && len(rest) == 0 {
			return data, nil
		}
	}
	return data, errMalformed // fewer elements than there should be
}

// appendOBU appends an OBU with its size.
func appendOBU(data, obu []byte) (out []byte, ok bool) {
	if len(obu) == 0 {
		return data, true
	}
	head, body := obu[:1], obu[1:]
	if obu[0]&obuExtended != 0 {
		if len(obu) < 2 {
			return data, false
		}
		head, body = obu[:2], obu[2:]
	}
	switch kind := obu[0] >> 3 & 0x0f; {
	case obu[0]&obuForbidden != 0:
		return data, false
	case kind == obuDelimiter, kind == obuTileList: // to be ignored, §5
		return data, true
	}
	if obu[0]&obuSized != 0 { // which it should not have
		size, used := leb128(body)
		if used == 0 || size > len(body)-used {
			return data, false
		}
		body = body[used : used+size]
	}
	data = append(data, head[0]|obuSized)
	data = append(data, head[1:]...)
	data = appendLEB128(data, len(body))
	return append(data, body...), true
}

// leb128 reads a number of AV1 bitstream §4.10.5; used is 0 for none.
func leb128(b []byte) (v, used int) {
	const most = 4 // bytes: 28 bits, more than any packet holds
	for i, c := range b[:min(len(b), most)] {
		v |= int(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

func appendLEB128(data []byte, v int) []byte {
	for ; v > 0x7f; v >>= 7 {
		data = append(data, byte(v)|0x80)
	}
	return append(data, byte(v))
}

func (v *av1) end(data []byte) ([]byte, bool, bool) {
	return data, v.key, !v.open && !v.broken && len(data) > 2
}

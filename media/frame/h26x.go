package frame

// bitJoiner joins pieces that do not begin or end on a byte: the last byte of
// one and the first of the next are the same byte.
type bitJoiner struct{ ebit int }

// join appends body, of which the first sbit and the last ebit bits do not
// count.
func (j *bitJoiner) join(data, body []byte, sbit, ebit int) []byte {
	if len(body) == 0 {
		return data
	}
	first := body[0] & (0xff >> sbit)
	if j.ebit > 0 && sbit == 8-j.ebit && len(data) > 0 {
		data[len(data)-1] |= first
	} else {
		data = append(data, first)
	}
	data = append(data, body[1:]...)
	data[len(data)-1] &= 0xff << ebit
	j.ebit = ebit
	return data
}

// h263 is RFC 2190, or with plus RFC 4629.
type h263 struct {
	plus bool
	bits bitJoiner
}

func (h *h263) begin() { h.bits = bitJoiner{} }

func (h *h263) add(data, payload []byte) ([]byte, error) {
	if h.plus {
		return h.addPlus(data, payload)
	}
	if len(payload) == 0 {
		return data, errShort
	}
	header := 4 // mode A
	if payload[0]&0x80 != 0 {
		header = 8 // mode B
		if payload[0]&0x40 != 0 {
			header = 12 // mode C
		}
	}
	if len(payload) <= header {
		return data, errShort
	}
	return h.bits.join(data, payload[header:], int(payload[0]>>3&7), int(payload[0]&7)), nil
}

// addPlus: P stands for two zero bytes of a start code, V for a byte about
// redundancy, and PLEN bytes repeat the picture header (RFC 4629 §5.1).
func (h *h263) addPlus(data, payload []byte) ([]byte, error) {
	if len(payload) < 3 {
		return data, errShort
	}
	skip := 2 + (int(payload[0]&1)<<5 | int(payload[1]>>3))
	if payload[0]&2 != 0 {
		skip++
	}
	if len(payload) <= skip {
		return data, errShort
	}
	if payload[0]&4 != 0 {
		data = append(data, 0, 0)
	}
	return append(data, payload[skip:]...), nil
}

func (h *h263) end(data []byte) ([]byte, bool, bool) {
	return data, h263Intra(data), h263Starts(data)
}

// h263Starts reports a picture start code: 22 bits, 0x000080 above two bits
// (H.263 §5.1.1).
func h263Starts(data []byte) bool {
	return len(data) >= 5 && data[0] == 0 && data[1] == 0 && data[2]&0xfc == 0x80
}

// h263Intra reads the coding type of the picture header (H.263 §5.1.3, §5.1.4).
func h263Intra(data []byte) bool {
	if !h263Starts(data) || len(data) < 8 {
		return false
	}
	bit := func(i int) int { return int(data[i/8]) >> (7 - i%8) & 1 }
	const pictureType, sourceFormat = 38, 35
	if format := bit(sourceFormat)<<2 | bit(sourceFormat+1)<<1 | bit(sourceFormat+2); format != 7 {
		return bit(pictureType) == 0
	}
	at := pictureType + 3 // behind UFEP
	if bit(pictureType)<<2|bit(pictureType+1)<<1|bit(pictureType+2) == 1 {
		at += 18 // OPPTYPE
	}
	return bit(at) == 0 && bit(at+1) == 0 && bit(at+2) == 0
}

// h261 is RFC 4587.
type h261 struct{ bits bitJoiner }

func (h *h261) begin() { h.bits = bitJoiner{} }

func (h *h261) add(data, payload []byte) ([]byte, error) {
	const header = 4
	if len(payload) <= header {
		return data, errShort
	}
	return h.bits.join(data, payload[header:], int(payload[0]>>5), int(payload[0]>>2&7)), nil
}

// end: H.261 has no mark of a keyframe; decoding may start at any picture, and
// is whole when every macroblock was refreshed. Its start code has 20 bits
// (H.261 §4.2.1).
func (h *h261) end(data []byte) ([]byte, bool, bool) {
	starts := len(data) >= 4 && data[0] == 0 && data[1] == 1 && data[2]&0xf0 == 0
	return data, starts, starts
}

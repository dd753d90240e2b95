package frame

import "encoding/binary"

// h263Header is what packets of RFC 2190 repeat of the picture header
// (H.263 §5.1.2, §5.1.3).
type h263Header struct {
	source   byte // SRC: source format
	inter    byte // I
	umv, sac byte // U, S
	advanced byte // A
	tr       byte
}

func readH263Header(data []byte) h263Header {
	var b [6]byte
	copy(b[:], data)
	v := uint64(b[0])<<40 | uint64(b[1])<<32 | uint64(b[2])<<24 | uint64(b[3])<<16 | uint64(b[4])<<8 | uint64(b[5])
	bits := func(at, n int) byte { return byte(v >> (48 - at - n) & (1<<n - 1)) }
	return h263Header{tr: bits(22, 8), source: bits(35, 3), inter: bits(38, 1), umv: bits(39, 1), sac: bits(40, 1), advanced: bits(41, 1)}
}

// macroblock is where one begins, and what a decoder must know to begin there.
type macroblock struct {
	bit        int
	quant, gob byte
	address    uint16
	hmv, vmv   int8 // predictor of the first vector
}

// sideEntry is the length of one macroblock in what libavcodec says about them
// (AV_PKT_DATA_H263_MB_INFO), little-endian.
const sideEntry = 12

// readSide gives the last macroblock that begins behind bit from and not behind
// bit to.
func readSide(side []byte, from, to int) (m macroblock, found bool) {
	for ; len(side) >= sideEntry; side = side[sideEntry:] {
		bit := int(binary.LittleEndian.Uint32(side))
		if bit <= from || bit > to {
			continue
		}
		m = macroblock{bit, side[4], side[5], binary.LittleEndian.Uint16(side[6:]), int8(side[8]), int8(side[9])}
		found = true
	}
	return m, found
}

// writeH263 is RFC 2190: packets begin at the start code of a picture or a group
// of blocks (mode A), or where none is near, at a macroblock (mode B).
func (p *Packetizer) writeH263(f *Frame, side []byte) error {
	const headerA, headerB = 4, 8
	h := readH263Header(f.Data)
	end := 8 * len(f.Data)
	at := 0
	var begin *macroblock // nil: mode A
	for at < end {
		header := headerA
		if begin != nil {
			header = headerB
		}
		room := p.room - header
		first := at / 8
		next, mb := end, (*macroblock)(nil)
		if len(f.Data)-first > room {
			next, mb = cutH263(f.Data, side, at, room)
		}
		sbit, ebit := byte(at%8), byte((8-next%8)%8)
		p.payload = h.append(p.payload[:0], begin, sbit, ebit)
		p.payload = append(p.payload, f.Data[first:(next+7)/8]...)
		if err := p.send(f.Timestamp, next == end); err != nil {
			return err
		}
		at, begin = next, mb
	}
	return nil
}

// cutH263 finds where the packet that begins at bit at ends.
func cutH263(data, side []byte, at, room int) (bit int, mb *macroblock) {
	first := at / 8
	if n := lastStart(data[first:], room); n < room || n == room && startsGroup(data[first+n:]) {
		return 8 * (first + n), nil
	}
	if m, ok := readSide(side, at, 8*(first+room)); ok {
		return m.bit, &m
	}
	return 8 * (first + room), nil // no better place is known
}

func startsGroup(data []byte) bool {
	return len(data) > 2 && data[0] == 0 && data[1] == 0 && data[2]&0x80 != 0
}

// append writes the payload header.
func (h h263Header) append(dst []byte, mb *macroblock, sbit, ebit byte) []byte {
	if mb == nil {
		return append(dst, sbit<<3|ebit, h.source<<5|h.inter<<4|h.umv<<3|h.sac<<2|h.advanced<<1, 0, h.tr)
	}
	const modeB = 0x80
	hmv, vmv := byte(mb.hmv)&0x7f, byte(mb.vmv)&0x7f
	return append(dst, modeB|sbit<<3|ebit, h.source<<5|mb.quant&0x1f,
		mb.gob<<3|byte(mb.address>>6)&7, byte(mb.address<<2),
		h.inter<<7|h.umv<<6|h.sac<<5|h.advanced<<4|hmv>>3, hmv<<5|vmv>>2, vmv<<6, 0)
}

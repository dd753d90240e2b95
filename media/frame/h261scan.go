package frame

import (
	"encoding/binary"
	"math/bits"
)

// h261Scanner reads a picture of H.261 as far as it takes to know where its
// macroblocks are.
type h261Scanner struct {
	data []byte
	at   int // bit
}

// window is the next 25 bits or more, from the top; zeros beyond the end.
func (s *h261Scanner) window() uint32 {
	i := s.at / 8
	if i+4 <= len(s.data) {
		return binary.BigEndian.Uint32(s.data[i:]) << (s.at % 8)
	}
	var v uint32
	for k := range 4 {
		v <<= 8
		if i+k < len(s.data) {
			v |= uint32(s.data[i+k])
		}
	}
	return v << (s.at % 8)
}

// peek gives the next n bits, at most 20.
func (s *h261Scanner) peek(n int) int { return int(s.window() >> (32 - n)) }

func (s *h261Scanner) bits(n int) int {
	v := s.peek(n)
	s.at += n
	return v
}

// zeros counts leading zeros, at most n, and leaves them.
func (s *h261Scanner) zeros(n int) int { return min(bits.LeadingZeros32(s.window()), n) }

// h261Places lists the places where packets may begin, appended to places. What
// cannot be read ends its group.
func h261Places(data []byte, places []h261Place) []h261Place {
	s := h261Scanner{data: data}
	end := 8 * len(data)
	for s.at+20 <= end {
		if s.peek(16) != 1 { // not a start code: on to the next one
			s.at++
			continue
		}
		if start := s.at; s.peek(20)&15 == 0 { // picture: TR, PTYPE, PEI
			s.at += 20 + 5 + 6
			s.extra()
			places = append(places, h261Place{bit: start, group: true})
			continue
		} else if n := len(places); n == 0 || !places[n-1].group || places[n-1].gob != 0 {
			// The first group stays with the picture's header.
			places = append(places, h261Place{bit: start, group: true})
		}
		gob := byte(s.bits(20) & 15)
		quant := byte(s.bits(5))
		s.extra()
		places[len(places)-1].gob = gob
		places = s.group(places, gob, quant)
	}
	return places
}

// extra skips spare information: PEI and PSPARE, GEI and GSPARE.
func (s *h261Scanner) extra() {
	for s.bits(1) == 1 && s.at < 8*len(s.data) {
		s.at += 8
	}
}

// group reads macroblocks up to a start code (H.261 §4.2.3).
func (s *h261Scanner) group(places []h261Place, gob, quant byte) []h261Place {
	address, moved := 0, false
	var hmv, vmv int
	for s.at < 8*len(s.data) {
		start := s.at
		step, ok := s.address()
		if !ok {
			s.at = start
			return places
		}
		if address > 0 {
			places = append(places, h261Place{
				bit: start, gob: gob, address: byte(address), quant: quant, hmv: int8(hmv), vmv: int8(vmv),
			})
		}
		address += step
		t := s.kind()
		if address > 33 || t == 0 {
			return places
		}
		if t&mtQuant != 0 {
			quant = byte(s.bits(5))
		}
		// The predictor is zero at the start of a row, behind a gap, and
		// behind a macroblock without motion (§4.2.3.4).
		if step != 1 || !moved || address == 1 || address == 12 || address == 23 {
			hmv, vmv = 0, 0
		}
		if moved = t&mtMotion != 0; moved {
			hmv, vmv = s.vector(hmv), s.vector(vmv)
		} else {
			hmv, vmv = 0, 0
		}
		if !s.blocks(t) {
			return places
		}
	}
	return places
}

// address reads MBA (table 1): the step from the macroblock before. Stuffing is
// skipped; a start code is not an address.
func (s *h261Scanner) address() (step int, ok bool) {
	for {
		n, ok := s.prefix()
		if ok {
			return n, true
		}
		if s.peek(11) != 0b00000001111 {
			return 0, false
		}
		s.at += 11
	}
}

// prefix reads the code that tables 1 (macroblock address) and 3 (vectors)
// share: 1, 2, 3, ... as 1, 011, 010, 0011, ...
func (s *h261Scanner) prefix() (n int, ok bool) {
	switch z := s.zeros(8); z {
	case 0:
		s.at++
		return 1, true
	case 1:
		return 3 - s.bits(3)&1, true
	case 2:
		return 5 - s.bits(4)&1, true
	case 3:
		return 7 - s.bits(5)&1, true
	case 4: // 0000111, 0000110, then 00001011 to 00001000
		if s.peek(6)&1 == 1 {
			return 9 - s.bits(7)&1, true
		}
		return 13 - s.bits(8)&3, true
	case 5: // 00000111, 00000110; 0000010111 to 0000010010; 00000100011 to 00000100000
		switch v := s.peek(10); {
		case v>>3 == 0b0000011:
			return 15 - s.bits(8)&1, true
		case v >= 0b0000010010:
			return 16 + 0b0000010111 - s.bits(10), true
		}
		return 22 + 0b00000100011 - s.bits(11), true
	case 6: // 00000011111 to 00000011000
		n = 26 + 0b00000011111 - s.bits(11)
		return n, n <= 33
	}
	return 0, false
}

// What a macroblock holds, by MTYPE (table 2).
const (
	mtIntra = 1 << iota
	mtQuant
	mtMotion
	mtPattern
	mtBlocks
)

// kind reads MTYPE; 0 is none.
func (s *h261Scanner) kind() int {
	kinds := [...]int{
		mtPattern | mtBlocks,                      // 1: inter
		mtMotion | mtPattern | mtBlocks,           // 01: filtered
		mtMotion,                                  // 001: filtered
		mtIntra | mtBlocks,                        // 0001
		mtQuant | mtPattern | mtBlocks,            // 00001
		mtQuant | mtMotion | mtPattern | mtBlocks, // 000001: filtered
		mtIntra | mtQuant | mtBlocks,              // 0000001
		mtMotion | mtPattern | mtBlocks,           // 00000001
		mtMotion,                                  // 000000001
		mtQuant | mtMotion | mtPattern | mtBlocks, // 0000000001
	}
	z := s.zeros(len(kinds))
	if z == len(kinds) {
		return 0
	}
	s.at += z + 1
	return kinds[z]
}

// vector reads a component of MVD (table 3) and adds it to the predictor.
func (s *h261Scanner) vector(predictor int) int {
	n, _ := s.prefix()
	d := n / 2 // 1, 2, 3, ... mean 0, -1, 1, -2, ...
	if n%2 == 0 {
		d = -d
	}
	switch v := predictor + d; {
	case v > 15:
		return v - 32
	case v < -16:
		return v + 32
	default:
		return v
	}
}

// blocks reads what is coded of six blocks.
func (s *h261Scanner) blocks(t int) bool {
	if t&mtBlocks == 0 {
		return true
	}
	coded := 6
	if t&mtPattern != 0 {
		if coded = s.pattern(); coded == 0 {
			return false
		}
	}
	for range coded {
		if !s.block(t&mtIntra != 0) {
			return false
		}
	}
	return true
}

// patterns are the codes of CBP (table 4) by length: how many bits, the lowest
// code, and the patterns from it up.
var patterns = []struct {
	length, low int
	values      []byte
}{
	{3, 0b111, []byte{60}},
	{4, 0b1010, []byte{32, 16, 8, 4}},
	{5, 0b01000, []byte{62, 2, 61, 1, 56, 52, 44, 28, 40, 20, 48, 12}},
	{6, 0b001100, []byte{63, 3, 36, 24}},
	{7, 0b0010000, []byte{34, 18, 10, 6, 33, 17, 9, 5}},
	{8, 0b00000100, []byte{
		58, 54, 46, 30, 57, 53, 45, 29, 38, 26, 37, 25, 43, 23, 51, 15, 42, 22, 50, 14, 41, 21, 49, 13, 35, 19, 11, 7,
	}},
	{9, 0b000000010, []byte{39, 27, 59, 55, 47, 31}},
}

// pattern reads CBP and counts its blocks; 0 is none.
func (s *h261Scanner) pattern() int {
	for _, p := range patterns {
		if i := s.peek(p.length) - p.low; i >= 0 && i < len(p.values) {
			s.at += p.length
			n := 0
			for v := p.values[i]; v > 0; v >>= 1 {
				n += int(v & 1)
			}
			return n
		}
	}
	return 0
}

// block skips the coefficients of one block (table 5): their codes tell their
// length by their leading zeros.
func (s *h261Scanner) block(intra bool) bool {
	first := !intra
	if intra {
		s.at += 8
	}
	lengths := [...]int{0, 0, 0, 6, 7, 0, 10, 12, 13}
	for s.at < 8*len(s.data) {
		switch z := s.zeros(9); {
		case z == 0 && first:
			s.at += 2 // 1s
		case z == 0:
			if s.bits(2) == 0b10 {
				return true // end of block
			}
			s.at++
		case z == 1:
			s.at += 5 - s.peek(3)&1 // 011s, 010xs
		case z == 2 && s.peek(5) == 0b00100:
			s.at += 9
		case z == 2:
			s.at += 6
		case z == 5:
			s.at += 6 + 6 + 8 // escape
		case z < len(lengths):
			s.at += lengths[z] + 1
		default:
			return false
		}
		first = false
	}
	return false
}

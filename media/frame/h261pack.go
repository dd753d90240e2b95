package frame

// writeH261 is RFC 4587: packets begin at a group of blocks or at a macroblock,
// on any bit.
func (p *Packetizer) writeH261(f *Frame, _ []byte) error {
	const header = 4
	room := 8 * (p.room - header)
	places := h261Places(f.Data, nil)
	end := 8 * len(f.Data)
	for i := 0; i < len(places); {
		from := places[i]
		first := from.bit / 8
		// The last place that leaves the packet short enough; a group rather
		// than a macroblock where that costs less than a half.
		next, at := i+1, end
		for ; next < len(places) && places[next].bit <= 8*first+room; next++ {
		}
		if next < len(places) || end > 8*first+room {
			next = min(max(next-1, i+1), len(places)-1)
			for k := next; k > i && places[k].bit-from.bit > room/2; k-- {
				if places[k].group {
					next = k
					break
				}
			}
			if next <= i { // the last macroblock is longer than a packet: none is
				return nil
			}
			at = places[next].bit
		}
		p.payload = from.append(p.payload[:0], byte(from.bit%8), byte((8-at%8)%8))
		p.payload = append(p.payload, f.Data[first:(at+7)/8]...)
		if err := p.send(f.Timestamp, at == end); err != nil {
			return err
		}
		if at == end {
			return nil
		}
		i = next
	}
	return nil
}

// h261Place is where a packet may begin.
type h261Place struct {
	bit      int
	group    bool // a picture or a group of blocks; else a macroblock
	gob      byte
	address  byte // of the macroblock before
	quant    byte
	hmv, vmv int8
}

// append writes the payload header (RFC 4587 §4.1). I is zero and V is one:
// vectors may be there.
func (l h261Place) append(dst []byte, sbit, ebit byte) []byte {
	const v = 1
	if l.group {
		return append(dst, sbit<<5|ebit<<2|v, 0, 0, 0)
	}
	mbap := l.address - 1
	hmv, vmv := byte(l.hmv)&0x1f, byte(l.vmv)&0x1f
	return append(dst, sbit<<5|ebit<<2|v, l.gob<<4|mbap>>1, mbap<<7|l.quant<<2|hmv>>3, hmv<<5|vmv)
}

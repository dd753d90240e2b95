package g7221

// bitReader reads bits, most significant first. Beyond the end it reads zeros.
type bitReader struct {
	data []byte
	at   int // the next bit
	end  int // bits there are
}

func newBitReader(data []byte) bitReader { return bitReader{data: data, end: 8 * len(data)} }

// left is the number of bits not yet read.
func (r *bitReader) left() int { return r.end - r.at }

func (r *bitReader) bit() int {
	at := r.at
	r.at++
	if at >= r.end {
		return 0
	}
	return int(r.data[at>>3]>>(7-at&7)) & 1
}

func (r *bitReader) bits(n int) int {
	v := 0
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

// bitWriter writes bits, most significant first, into zeroed bytes. What would
// go beyond the end is dropped.
type bitWriter struct {
	data []byte
	at   int // the next bit
}

func (w *bitWriter) write(v uint32, n int) {
	if over := w.at + n - 8*len(w.data); over > 0 {
		if over >= n {
			return
		}
		v >>= over
		n -= over
	}
	for n > 0 {
		room := 8 - w.at&7
		take := min(room, n)
		part := byte(v>>(n-take)) & (1<<take - 1)
		w.data[w.at>>3] |= part << (room - take)
		w.at += take
		n -= take
	}
}

// ones fills what is left.
func (w *bitWriter) ones() {
	for w.at < 8*len(w.data) {
		w.write(0xff, min(8, 8*len(w.data)-w.at))
	}
}

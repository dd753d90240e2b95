package g7221

// tree decodes a Huffman code bit by bit. Each node has what follows a zero and
// a one: a positive number is a node, any other the negative of what is coded.
type tree [][2]int16

// newTree turns a table of codes around. Of several entries with one code the
// first one counts.
func newTree(codes []code) tree {
	t := tree{{}}
	for value, c := range codes {
		node := 0
		for i := c.length() - 1; i >= 0; i-- {
			next := &t[node][c.bits()>>i&1]
			switch {
			case i == 0:
				if *next == 0 {
					*next = int16(-value)
				}
			case *next <= 0:
				*next = int16(len(t))
				node = len(t)
				t = append(t, [2]int16{})
			default:
				node = int(*next)
			}
		}
	}
	return t
}

// read decodes one value. Beyond the end of the bits it reads zeros.
func (t tree) read(r *bitReader) int {
	node := t[0][r.bit()]
	for node > 0 {
		node = t[node][r.bit()]
	}
	return int(-node)
}

package h264

import (
	"errors"
	"fmt"
)

// ErrTruncated is wrapped by errors about units that end too early.
var ErrTruncated = errors.New("truncated")

// cursor reads the fields of an RBSP straight from a NAL unit, stepping over
// emulation prevention bytes (§7.3.1). The first error sticks and names the
// field; reads after it return zero.
type cursor struct {
	data  []byte
	pos   int // next byte to load
	cur   byte
	left  int // bits of cur not read yet
	zeros int // zero bytes loaded in a row
	read  int // bits read, emulation prevention not counted
	err   error
}

func (c *cursor) fail(field string, err error) {
	if c.err == nil {
		c.err = fmt.Errorf("%s: %w", field, err)
	}
}

func (c *cursor) load() bool {
	if c.pos < len(c.data) && c.zeros >= 2 && c.data[c.pos] == 3 {
		c.pos++
		c.zeros = 0
	}
	if c.pos >= len(c.data) {
		return false
	}
	c.cur = c.data[c.pos]
	c.pos++
	c.left = 8
	if c.cur == 0 {
		c.zeros++
	} else {
		c.zeros = 0
	}
	return true
}

// u reads n bits, at most 32: u(n) of §7.2.
func (c *cursor) u(field string, n int) uint32 {
	if c.err != nil {
		return 0
	}
	var v uint32
	for range n {
		if c.left == 0 && !c.load() {
			c.fail(field, ErrTruncated)
			return 0
		}
		c.left--
		c.read++
		v = v<<1 | uint32(c.cur>>c.left&1)
	}
	return v
}

func (c *cursor) flag(field string) bool { return c.u(field, 1) == 1 }

// ue reads an Exp-Golomb code (§9.1) that may be limit at most.
func (c *cursor) ue(field string, limit uint32) uint32 {
	n := 0
	for c.err == nil && !c.flag(field) {
		if n++; n > 31 {
			c.fail(field, errors.New("code too long"))
		}
	}
	if c.err != nil {
		return 0
	}
	v := uint32(1)<<n - 1 + c.u(field, n)
	if v > limit && c.err == nil {
		c.fail(field, fmt.Errorf("%d is above %d", v, limit))
	}
	if c.err != nil {
		return 0
	}
	return v
}

// se reads a signed Exp-Golomb code (§9.1.1).
func (c *cursor) se(field string) int32 {
	k := c.ue(field, 1<<32-2)
	if k&1 == 1 {
		return int32(k/2) + 1
	}
	return -int32(k / 2)
}

// moreData is more_rbsp_data() of §7.2: whether anything stands before the
// stop bit, the last one bit of the unit.
func (c *cursor) moreData() bool {
	if c.err != nil {
		return false
	}
	last := len(c.data) - 1
	for last >= 0 && c.data[last] == 0 {
		last--
	}
	rest := c.cur & byte(1<<c.left-1) // of the byte being read
	if last >= c.pos {                // a later byte holds the stop bit
		return rest != 0 || last > c.pos || c.data[last] != 0x80 || c.left > 0
	}
	return rest&(rest-1) != 0
}

// stop reads rbsp_stop_one_bit.
func (c *cursor) stop() {
	if !c.flag("rbsp_stop_one_bit") && c.err == nil {
		c.fail("rbsp_stop_one_bit", errors.New("missing"))
	}
}

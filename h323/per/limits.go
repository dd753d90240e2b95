package per

import "fmt"

// Limits bound what a decoder takes from a stranger. A zero field means the default.
type Limits struct {
	Input    int // octets of one encoding; default 1 MiB
	Depth    int // nested sequences, choices and lists; default 96
	Elements int // elements of all lists together; default 16384
	Memory   int // bytes allocated for the value; default 8 MiB
}

const (
	defaultInput    = 1 << 20
	defaultDepth    = 96
	defaultElements = 16 << 10
	defaultMemory   = 8 << 20
)

// budget is what remains of the limits while one value is decoded.
type budget struct {
	depthLimit, elementsLeft, memoryLeft int
}

func (l Limits) budget() budget {
	return budget{
		depthLimit:   orDefault(l.Depth, defaultDepth),
		elementsLeft: orDefault(l.Elements, defaultElements),
		memoryLeft:   orDefault(l.Memory, defaultMemory),
	}
}

func orDefault(v, otherwise int) int {
	if v > 0 {
		return v
	}
	return otherwise
}

func (b *budget) memory(n int) error {
	if b.memoryLeft -= n; b.memoryLeft < 0 {
		return fmt.Errorf("%w: memory", ErrLimit)
	}
	return nil
}

func (b *budget) element(size int) error {
	if b.elementsLeft--; b.elementsLeft < 0 {
		return fmt.Errorf("%w: elements", ErrLimit)
	}
	return b.memory(size)
}

func (d *decoder) enter() error {
	if d.depth++; d.depth > d.budget.depthLimit {
		return fmt.Errorf("%w: depth", ErrLimit)
	}
	return nil
}

func (e *encoder) enter() error {
	if e.depth++; e.depth > defaultDepth {
		return fmt.Errorf("%w: depth", ErrLimit)
	}
	return nil
}

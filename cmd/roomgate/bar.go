package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// bar shows progress on a terminal; elsewhere it is silent.
type bar struct {
	out   io.Writer // nil: silent
	all   int
	shown int // percent
}

const barWidth = 40

func newBar(out io.Writer, all int) *bar {
	f, ok := out.(*os.File)
	if !ok || all == 0 {
		return &bar{}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &bar{}
	}
	return &bar{out: out, all: all, shown: -1}
}

func (b *bar) at(n int) {
	if b.out == nil {
		return
	}
	percent := n * 100 / b.all
	if percent == b.shown {
		return
	}
	b.shown = percent
	full := percent * barWidth / 100
	fmt.Fprintf(b.out, "\r[%s%s] %3d%% %d", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), percent, n)
}

func (b *bar) end() {
	if b.out != nil {
		fmt.Fprintln(b.out)
	}
}

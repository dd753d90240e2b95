// Command roomgate-video decodes, composes and encodes pictures for a gateway,
// which starts it. It is a program of its own so that C codecs fed by strangers
// crash alone and never take the processor from sound.
package main

import (
	"fmt"
	"os"

	"github.com/roomgate/roomgate/transcode/video/worker"
)

// version is set by the linker.
var version = "unknown"

func main() {
	do := worker.Main
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "--version":
			fmt.Println("roomgate-video", version)
			return
		case "--bare": // the baseline of benchmarks
			do = func() error { return worker.Bare(os.Stdin, os.Stdout) }
		}
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "roomgate-video:", err)
		os.Exit(1)
	}
}

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
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Println("roomgate-video", version)
		return
	}
	if err := worker.Main(); err != nil {
		fmt.Fprintln(os.Stderr, "roomgate-video:", err)
		os.Exit(1)
	}
}

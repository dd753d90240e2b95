// Package dissect has an independent decoder, tshark, look at what tests made us send.
package dissect

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoTshark: there is nobody to ask.
var ErrNoTshark = errors.New("NO TSHARK: what we encode is not checked by an independent decoder")

// malformed are the frames that tshark cannot read whole, or warns of. What it says of
// TCP's order is about how the tests wrote connections down, two of which may have had
// the same ports.
const malformed = `_ws.malformed || _ws.unreassembled || (_ws.expert.severity >= "Warning" && !tcp.analysis.flags)`

// Complaints lists the frames of a capture that tshark finds malformed or strange, and
// counts those that a display filter selects, so that a test sees that the capture was
// understood at all.
func Complaints(capture []byte, filter string) (complaints []string, selected int, err error) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		return nil, 0, ErrNoTshark
	}
	dir, err := os.MkdirTemp("", "dissect")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "sent.pcap")
	if err := os.WriteFile(file, capture, 0o600); err != nil {
		return nil, 0, err
	}
	run := func(filter string) ([]string, error) {
		out, err := exec.Command(tshark, "-r", file, "-Y", filter,
			"-T", "fields", "-e", "frame.number", "-e", "_ws.col.Info", "-e", "_ws.expert.message").Output()
		if err != nil {
			return nil, fmt.Errorf("tshark: %w", err)
		}
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), nil
	}
	if complaints, err = run(malformed); err != nil {
		return nil, 0, err
	}
	list, err := run(filter)
	return complaints, len(list), err
}

// Verdict is for a TestMain: the exit code for a capture of count messages, all of which
// the filter has to select and none of which may be malformed. It tells what is wrong,
// or that nobody looked.
func Verdict(capture []byte, filter string, count int) (code int) {
	if count == 0 {
		return 0
	}
	complaints, understood, err := Complaints(capture, filter)
	switch {
	case errors.Is(err, ErrNoTshark):
		fmt.Println("SKIP:", err)
		return 0
	case err != nil:
		complaints = []string{err.Error()}
	case understood != count:
		complaints = append(complaints, fmt.Sprintf("%d of %d messages are understood", understood, count))
	}
	for _, c := range complaints {
		fmt.Println("FAIL: tshark:", c)
	}
	return min(len(complaints), 1)
}

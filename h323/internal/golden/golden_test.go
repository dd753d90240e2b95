package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var (
	update     = flag.Bool("update", false, "write testdata/h323/captures anew from the recordings")
	recordings = flag.String("recordings", "../../../../shared/captures", "directory of captures (*.pcap)")
)

const files = "../../../testdata/h323/captures"

// TestExtract compares the committed messages with the recordings they were taken from.
func TestExtract(t *testing.T) {
	captures, err := filepath.Glob(filepath.Join(*recordings, "*.pcap"))
	if err != nil || len(captures) == 0 {
		t.Skipf("NO RECORDINGS in %s: the committed messages are taken as they are", *recordings)
	}
	for _, capture := range captures {
		data, err := os.ReadFile(capture)
		if err != nil {
			t.Fatal(err)
		}
		messages, err := Extract(data)
		if err != nil || len(messages) == 0 {
			t.Fatalf("%s: %d messages, %v", capture, len(messages), err)
		}
		text := Format(messages)
		file := filepath.Join(files, strings.TrimSuffix(filepath.Base(capture), ".pcap")+".hex")
		if *update {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, text) {
			t.Errorf("%s differs from the recording (%v): go test -update", file, err)
		}
		t.Logf("%s: %d messages", filepath.Base(capture), len(messages))
	}
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"zz", "00", "> ras x", "> ras 1 a b\n0"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) takes it", bad)
		}
	}
	const good = "# note\n> ras 7 127.0.0.1:5 127.0.0.2:1719\n0102\n03\n"
	list, err := Parse(good)
	if err != nil || len(list) != 1 || !bytes.Equal(list[0].Data, []byte{1, 2, 3}) {
		t.Fatalf("%v %v", list, err)
	}
	again, err := Parse(string(Format(list)))
	if err != nil || again[0].String() != "ras of frame 7" || again[0].To != list[0].To {
		t.Errorf("%v %v", again, err)
	}
}

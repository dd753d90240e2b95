package bfcp

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// vector is one message of a file in testdata/bfcp.
type vector struct {
	name string
	data []byte
}

func vectors(t testing.TB) (list []vector) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/bfcp/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			line := lines.Text()
			if note, ok := strings.CutPrefix(line, "#"); ok {
				list = append(list, vector{name: filepath.Base(file) + strings.ReplaceAll(note, " ", "_")})
				continue
			}
			part, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			last := &list[len(list)-1]
			last.data = append(last.data, part...)
		}
	}
	return list
}

// What others wrote is read, and written again as it was; a list that counted its
// padding is written without.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			m, err := Parse(v.data)
			if strings.Contains(v.name, "MALFORMED") {
				if err == nil || m == nil || m.Conference != 1 {
					t.Fatalf("message %v, error %v", m, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := m.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again, v.data) && m.Header.Primitive != HelloAckPrimitive {
				t.Errorf("written again\n%x\nwas\n%x", again, v.data)
			}
			back, err := Parse(again)
			if err != nil || !reflect.DeepEqual(back, m) {
				t.Errorf("read again %+v, %v; was %+v", back, err, m)
			}
		})
	}
}

func TestVectorFacts(t *testing.T) {
	byName := map[string]*Message{}
	for _, v := range vectors(t) {
		if m, err := Parse(v.data); err == nil {
			byName[v.name] = m
		}
	}
	ack := byName["BFCP-IOTUM-02.hex_HelloAck"].Body.(*HelloAck)
	if n := len(ack.Primitives); n != 16 || ack.Primitives[15] != 18 {
		t.Errorf("%d primitives: %v", n, ack.Primitives)
	}
	if n := len(ack.Attributes); n != 18 || ack.Attributes[17] != OverallRequestStatus {
		t.Errorf("%d attributes: %v", n, ack.Attributes)
	}
	status := byName["BFCP-IOTUM-04.hex_FloorRequestStatus"].Body.(*FloorRequestStatus)
	if i := status.Information; i.ID != 2 || i.Status() != Granted || i.Overall.QueuePosition != 0 || len(i.Floors) != 1 || i.Floors[0].Floor != 1 {
		t.Errorf("information %+v", i)
	}
}

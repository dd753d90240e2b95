package bfcp

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const dissectPort = 40003

// capture is a file of UDP datagrams as tshark reads it: classic pcap of raw IPv4.
type capture struct{ bytes.Buffer }

func newCapture() *capture {
	c := &capture{}
	for _, v := range []uint32{0xa1b2c3d4, 2<<16 | 4, 0, 0, 65535, 228} {
		word := binary.LittleEndian.AppendUint32(nil, v)
		if v == 2<<16|4 {
			word = []byte{2, 0, 4, 0}
		}
		c.Write(word)
	}
	return c
}

func (c *capture) datagram(toServer bool, data []byte) {
	ip := make([]byte, 28, 28+len(data))
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(data)))
	copy(ip[12:], []byte{192, 0, 2, 1, 192, 0, 2, 2})
	from, to := uint16(dissectPort+1), uint16(dissectPort)
	if !toServer {
		from, to = to, from
	}
	binary.BigEndian.PutUint16(ip[20:], from)
	binary.BigEndian.PutUint16(ip[22:], to)
	binary.BigEndian.PutUint16(ip[24:], uint16(8+len(data)))
	ip = append(ip, data...)
	for _, v := range []uint32{0, 0, uint32(len(ip)), uint32(len(ip))} {
		c.Write(binary.LittleEndian.AppendUint32(nil, v))
	}
	c.Write(ip)
}

// TestDissect has tshark read all messages there are and all that both sides say
// in a call: it finds them, and nothing malformed.
func TestDissect(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("NO TSHARK: what we send is not dissected by anybody else")
	}
	c := newCapture()
	sent := 0
	record := func(toServer bool, data []byte) {
		data[0] = 1<<5 | data[0]&flagResponse // the dissector passes over version 2
		c.datagram(toServer, data)
		sent++
	}
	for _, data := range messages(t)[:17] { // the last one is of a primitive that does not exist
		record(true, data)
	}
	for _, version := range []uint8{1, 2} {
		w := newWorld(t, version, true)
		w.record = record
		w.client.Start(w.now)
		w.client.Request(w.now)
		w.run(time.Second)
		w.server.Request(w.now)
		w.run(time.Second)
		w.server.Release(w.now)
		w.run(time.Minute)
		w.client.Request(w.now)
		w.run(time.Second)
		w.client.Close(w.now)
		w.run(time.Second)
	}
	file := filepath.Join(t.TempDir(), "bfcp.pcap")
	if err := os.WriteFile(file, c.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	fields := func(filter string, more ...string) string {
		out, err := exec.Command(tshark, append([]string{"-r", file, "-d", "udp.port==40003,bfcp", "-Y", filter}, more...)...).Output()
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		return string(out)
	}
	if bad := fields("_ws.malformed || _ws.expert.severity >= 0x600000 && bfcp", "-V"); bad != "" {
		t.Errorf("malformed:\n%.4000s", bad)
	}
	if n := strings.Count(fields("bfcp", "-T", "fields", "-e", "frame.number"), "\n"); n != sent {
		t.Errorf("%d messages sent, %d dissected", sent, n)
	}
}

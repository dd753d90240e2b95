// Package golden holds the signalling messages of recorded calls as text files, so
// that tests need neither the recordings nor a reader of them.
//
//	# comment
//	> ras 1 127.0.0.10:4071 127.0.0.10:1719
//	0e800a..
//
// Each message has a line with its protocol (ras, q931 or h245), the number of its
// frame and its addresses, and then its octets in hexadecimal.
package golden

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/roomgate/roomgate/h323/internal/pcap"
	"github.com/roomgate/roomgate/h323/tpkt"
)

// Message is a recorded message. TPKT headers are taken off.
type Message struct {
	Protocol string // ras, q931 or h245
	Frame    int
	From, To netip.AddrPort
	Data     []byte
}

// String tells where the message comes from.
func (m Message) String() string { return fmt.Sprintf("%s of frame %d", m.Protocol, m.Frame) }

// Load reads all files of a directory.
func Load(dir string) (map[string][]Message, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.hex"))
	if err != nil {
		return nil, err
	}
	calls := map[string][]Message{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".hex")
		if calls[name], err = Parse(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return calls, nil
}

// Parse reads a file's text.
func Parse(text string) ([]Message, error) {
	var list []Message
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", line[0] == '#':
		case line[0] == '>':
			var m Message
			var from, to string
			if _, err := fmt.Sscan(line[1:], &m.Protocol, &m.Frame, &from, &to); err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			m.From, _ = netip.ParseAddrPort(from)
			m.To, _ = netip.ParseAddrPort(to)
			list = append(list, m)
		default:
			octets, err := hex.DecodeString(line)
			if err != nil || len(list) == 0 {
				return nil, fmt.Errorf("%.40q: no octets (%w)", line, err)
			}
			last := &list[len(list)-1]
			last.Data = append(last.Data, octets...)
		}
	}
	return list, nil
}

// Format writes what Parse reads.
func Format(list []Message) []byte {
	var b bytes.Buffer
	for _, m := range list {
		fmt.Fprintf(&b, "> %s %d %s %s\n", m.Protocol, m.Frame, m.From, m.To)
		for data := m.Data; len(data) > 0; {
			n := min(len(data), 64)
			fmt.Fprintf(&b, "%x\n", data[:n])
			data = data[n:]
		}
	}
	return b.Bytes()
}

const (
	rasPort       = 1719
	discoveryPort = 1718
)

// Extract takes the signalling messages out of a capture: RAS on its ports, and what
// comes in TPKTs, which is Q.931 when it begins with its discriminator and H.245 otherwise.
func Extract(capture []byte) ([]Message, error) {
	packets, err := pcap.Parse(capture)
	if err != nil {
		return nil, err
	}
	var list []Message
	for _, p := range packets {
		if port := func(n uint16) bool { return p.From.Port() == n || p.To.Port() == n }; !p.TCP && (port(rasPort) || port(discoveryPort)) {
			list = append(list, Message{"ras", p.Frame, p.From, p.To, p.Payload})
		}
	}
	for _, s := range pcap.Streams(packets) {
		if len(s.Data) == 0 || s.Data[0] != 3 {
			continue
		}
		reader := tpkt.NewReader(bytes.NewReader(s.Data))
		for {
			payload, err := reader.Next()
			if err != nil {
				break // the capture's end
			}
			protocol := "h245"
			if len(payload) > 2 && payload[0] == 8 && payload[1] == 2 {
				protocol = "q931"
			}
			list = append(list, Message{protocol, s.Frame, s.From, s.To, payload})
		}
	}
	return list, nil
}

package tpkt_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/roomgate/roomgate/h323/tpkt"
)

func TestAppendAndNext(t *testing.T) {
	var stream []byte
	var err error
	sizes := []int{1, 0, 3000, 0, tpkt.MaxPayload}
	for _, n := range sizes {
		if stream, err = tpkt.Append(stream, bytes.Repeat([]byte{byte(n)}, n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tpkt.Append(nil, make([]byte, tpkt.MaxPayload+1)); !errors.Is(err, tpkt.ErrLength) {
		t.Errorf("a packet of more than 64 KB: %v", err)
	}
	r := tpkt.NewReader(bytes.NewReader(stream))
	for _, n := range sizes {
		if n == 0 {
			continue
		}
		if p, err := r.Next(); err != nil || len(p) != n {
			t.Fatalf("got %d octets (%v), want %d", len(p), err, n)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) || r.KeepAlives != 2 {
		t.Errorf("at the end: %v after %d keep-alives", err, r.KeepAlives)
	}
}

func TestEveryPrefixEndsCleanly(t *testing.T) {
	packet, _ := tpkt.Append(nil, []byte("payload"))
	for n := 1; n < len(packet); n++ {
		r := tpkt.NewReader(bytes.NewReader(packet[:n]))
		if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"", "\x03\x00\x00\x04", "\x00\x03\x00\x04\x03\x00\x00\x05A", "\x03\x00\x00\x03", "\x02\x00\x00\x05A", "\x03\xff\x00\x08abcd\x03",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := tpkt.NewReader(bytes.NewReader(stream))
		r.Limit = 100
		total := 0
		for {
			p, err := r.Next()
			if err != nil {
				return
			}
			if len(p) == 0 || len(p) > r.Limit {
				t.Fatalf("a payload of %d octets", len(p))
			}
			if total += len(p) + 4; total > len(stream) {
				t.Fatalf("%d octets out of %d", total, len(stream))
			}
		}
	})
}

// Package tpkt frames messages on a TCP connection (RFC 1006 clause 6, H.225.0
// clause 6.2): Q.931 messages on the call signalling channel, H.245 on its own.
//
//	+----------+----------+---------------------+----------------
//	| version 3| reserved | length, 16 bits     | length-4 octets
//	+----------+----------+---------------------+----------------
//
// The length counts the header. A packet of 4 octets is empty; terminals send it to
// keep the connection alive, some with the first two octets swapped (00 03 00 04).
package tpkt

import (
	"errors"
	"fmt"
	"io"
)

const (
	headerSize = 4
	version    = 3

	// MaxPayload is the largest message that fits a packet, in octets.
	MaxPayload = 1<<16 - 1 - headerSize
)

var (
	// ErrVersion: the peer does not speak TPKT. The connection is of no more use.
	ErrVersion = errors.New("tpkt: not version 3")
	// ErrLength: a length below that of the header, or above the limit.
	ErrLength = errors.New("tpkt: bad length")
)

// Append appends payload as one packet to dst. An empty payload makes a keep-alive.
func Append(dst, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return dst, fmt.Errorf("%w: %d octets", ErrLength, len(payload))
	}
	n := len(payload) + headerSize
	dst = append(dst, version, 0, byte(n>>8), byte(n))
	return append(dst, payload...), nil
}

// Reader takes packets from a stream, whichever way they were cut into segments.
// It reads no further than the packet it returns.
type Reader struct {
	// Limit bounds the payload, in octets; 0 means MaxPayload.
	Limit int
	// KeepAlives counts the empty packets passed over.
	KeepAlives int

	from io.Reader
}

// NewReader reads packets from r. Give it a buffered reader to save system calls.
func NewReader(r io.Reader) *Reader { return &Reader{from: r} }

// Next returns the payload of the next packet that has one. The slice is the
// caller's. io.EOF tells that the stream ended between packets,
// io.ErrUnexpectedEOF that it ended within one.
func (r *Reader) Next() ([]byte, error) {
	for {
		payload, err := r.Packet()
		if err != nil || len(payload) > 0 {
			return payload, err
		}
	}
}

// Packet is Next that also returns keep-alives: payloads of no octets.
func (r *Reader) Packet() ([]byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r.from, header[:]); err != nil {
		return nil, err
	}
	n, err := Length(header)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		r.KeepAlives++
		return nil, nil
	}
	if r.Limit > 0 && n > r.Limit {
		return nil, fmt.Errorf("%w: %d octets, at most %d", ErrLength, n, r.Limit)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r.from, payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return payload, nil
}

// Length reads a header and gives the length of the payload. The reserved octet is
// not looked at: not everybody sends 0.
func Length(header [4]byte) (int, error) {
	if header == [4]byte{0, version, 0, headerSize} {
		return 0, nil // Tandberg's keep-alive
	}
	if header[0] != version {
		return 0, fmt.Errorf("%w: % x", ErrVersion, header)
	}
	n := int(header[2])<<8 | int(header[3])
	if n < headerSize {
		return 0, fmt.Errorf("%w: %d", ErrLength, n)
	}
	return n - headerSize, nil
}

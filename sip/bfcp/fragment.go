package bfcp

import (
	"encoding/binary"
	"time"
)

// MTU is the size of datagrams we send, header included.
const MTU = 1200

// Fragments splits a message of version 2 into datagrams of at most size octets
// (RFC 8855 §6.2.3); one that fits stays whole.
func Fragments(message []byte, size int) [][]byte {
	if len(message) <= size {
		return [][]byte{message}
	}
	header, rest := message[:headerSize], message[headerSize:]
	step := (size - headerSize - fragmentSize) &^ 3
	var list [][]byte
	for at := 0; at < len(rest); at += step {
		part := rest[at:min(at+step, len(rest))]
		f := append(make([]byte, 0, headerSize+fragmentSize+len(part)), header...)
		f[0] |= flagFragment
		f = binary.BigEndian.AppendUint16(f, uint16(at/4))
		f = binary.BigEndian.AppendUint16(f, uint16(len(part)/4))
		list = append(list, append(f, part...))
	}
	return list
}

// Bounds of a Reassembler.
const (
	maxPartial  = 8         // messages in parts at once
	maxWhole    = 64 * 1024 // octets of a message
	partialTime = 10 * time.Second
)

// Reassembler puts fragments together again. The zero value is ready.
type Reassembler struct{ partial map[fragmentKey]*partial }

type fragmentKey struct {
	conference        uint32
	transaction, user uint16
	primitive         Primitive
	response          bool
}

type partial struct {
	data    []byte
	have    []bool // by word of the payload
	missing int
	until   time.Time
}

// Add takes a datagram and returns the message that it completes; nil when more
// is to come or it was of no use. A whole message is returned as it is.
func (r *Reassembler) Add(now time.Time, data []byte) []byte {
	h, payload, fragment, err := parseHeader(data)
	if err != nil || !fragment {
		return data // for Parse to judge
	}
	if len(data) < headerSize+fragmentSize || payload > maxWhole {
		return nil
	}
	offset := int(binary.BigEndian.Uint16(data[headerSize:]))
	words := int(binary.BigEndian.Uint16(data[headerSize+2:]))
	part := data[headerSize+fragmentSize:]
	if words == 0 || len(part) != 4*words || 4*(offset+words) > payload {
		return nil
	}
	p := r.find(now, fragmentKey{h.Conference, h.Transaction, h.User, h.Primitive, h.Response}, data, payload)
	if p == nil {
		return nil
	}
	copy(p.data[headerSize+4*offset:], part)
	for i := offset; i < offset+words; i++ {
		if !p.have[i] {
			p.have[i] = true
			p.missing--
		}
	}
	if p.missing > 0 {
		return nil
	}
	delete(r.partial, fragmentKey{h.Conference, h.Transaction, h.User, h.Primitive, h.Response})
	return p.data
}

// find gives the message that a fragment belongs to; nil when there are too many.
func (r *Reassembler) find(now time.Time, key fragmentKey, data []byte, payload int) *partial {
	for k, p := range r.partial {
		if now.After(p.until) {
			delete(r.partial, k)
		}
	}
	if p := r.partial[key]; p != nil && len(p.data) == headerSize+payload {
		return p
	}
	if len(r.partial) >= maxPartial {
		return nil
	}
	p := &partial{
		data: make([]byte, headerSize+payload), have: make([]bool, payload/4), missing: payload / 4,
		until: now.Add(partialTime),
	}
	copy(p.data, data[:headerSize])
	p.data[0] &^= flagFragment
	if r.partial == nil {
		r.partial = make(map[fragmentKey]*partial)
	}
	r.partial[key] = p
	return p
}

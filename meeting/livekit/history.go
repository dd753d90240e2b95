package livekit

import "github.com/pion/rtp"

// historySize is how many packets of a video can be sent again: 1.5 s of
// 1.5 Mbit/s. A power of two that divides the range of sequence numbers.
const historySize = 256

// history keeps the latest packets of a stream for retransmission. Its buffers
// grow to the size in use and stay.
type history struct {
	slots  [historySize]sentPacket
	header rtp.Header
}

type sentPacket struct {
	seq     uint16
	ts      uint32
	marker  bool
	payload []byte
}

func newHistory() *history { return &history{header: rtp.Header{Version: 2}} }

func (h *history) keep(header *rtp.Header, payload []byte) {
	slot := &h.slots[header.SequenceNumber%historySize]
	slot.seq, slot.ts, slot.marker = header.SequenceNumber, header.Timestamp, header.Marker
	if cap(slot.payload) < len(payload) {
		slot.payload = make([]byte, 0, max(len(payload), 1200))
	}
	slot.payload = append(slot.payload[:0], payload...)
}

// find returns the packet, valid until the next call, or nil.
func (h *history) find(seq uint16) (*rtp.Header, []byte) {
	slot := &h.slots[seq%historySize]
	if slot.seq != seq || len(slot.payload) == 0 {
		return nil, nil
	}
	h.header.SequenceNumber, h.header.Timestamp, h.header.Marker = slot.seq, slot.ts, slot.marker
	return &h.header, slot.payload
}

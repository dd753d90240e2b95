// Package feedback is what receivers tell senders between reports (RFC 4585,
// RFC 5104): requests for lost packets, for key frames and for other bit rates.
package feedback

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Transport layer feedback message types of RFC 5104 §4.2.
const (
	FormatTMMBR uint8 = 3
	FormatTMMBN uint8 = 4
)

// ErrMalformed is returned for a message that is not what its header says.
var ErrMalformed = errors.New("malformed feedback")

// MaxBitrate is one entry of a TMMBR or TMMBN (RFC 5104 §4.2.1.1):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                              SSRC                             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| MxTBR Exp |  MxTBR Mantissa                 |Measured Overhead|
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type MaxBitrate struct {
	// SSRC is the source to be limited in a TMMBR, the owner of the limit in
	// a TMMBN.
	SSRC uint32
	// Bitrate in bit/s, with the overhead of RTP, UDP and IP.
	Bitrate uint64
	// Overhead in octets a packet.
	Overhead uint16
}

// TMMB is a Temporary Maximum Media Stream Bit Rate Request, or with Notify the
// notification that answers it.
type TMMB struct {
	Notify  bool
	Sender  uint32
	Entries []MaxBitrate
}

const (
	headerSize = 12 // RTCP header, SSRC of the sender, SSRC of the source
	entrySize  = 8
	maxEntries = 16
)

// Marshal writes the whole RTCP packet.
func (t TMMB) Marshal() []byte {
	b := make([]byte, 0, headerSize+entrySize*len(t.Entries))
	format := FormatTMMBR
	if t.Notify {
		format = FormatTMMBN
	}
	b = append(b, 2<<6|format, 205)
	b = binary.BigEndian.AppendUint16(b, uint16(2+2*len(t.Entries)))
	b = binary.BigEndian.AppendUint32(b, t.Sender)
	b = binary.BigEndian.AppendUint32(b, 0) // §4.2.1.2: SHALL be 0
	for _, e := range t.Entries {
		exp := uint32(0)
		mantissa := e.Bitrate
		for mantissa >= 1<<17 {
			mantissa >>= 1
			exp++
		}
		b = binary.BigEndian.AppendUint32(b, e.SSRC)
		b = binary.BigEndian.AppendUint32(b, exp<<26|uint32(mantissa)<<9|uint32(e.Overhead&0x1ff))
	}
	return b
}

// Unmarshal reads one RTCP packet, header included. Entries beyond a bound are
// left out.
func (t *TMMB) Unmarshal(b []byte) error {
	if len(b) < headerSize {
		return fmt.Errorf("%w: tmmbr of %d octets", ErrMalformed, len(b))
	}
	format := b[0] & 0x1f
	if b[0]>>6 != 2 || b[1] != 205 || format != FormatTMMBR && format != FormatTMMBN {
		return fmt.Errorf("%w: tmmbr header %x", ErrMalformed, b[:2])
	}
	size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
	if size != len(b) || (size-headerSize)%entrySize != 0 {
		return fmt.Errorf("%w: tmmbr length %d in %d octets", ErrMalformed, size, len(b))
	}
	t.Notify = format == FormatTMMBN
	t.Sender = binary.BigEndian.Uint32(b[4:])
	t.Entries = t.Entries[:0]
	for b = b[headerSize:]; len(b) > 0 && len(t.Entries) < maxEntries; b = b[entrySize:] {
		word := binary.BigEndian.Uint32(b[4:])
		exp, mantissa := word>>26, uint64(word>>9&0x1ffff)
		// 17 bits shifted by up to 46 fit; beyond is more than any network.
		rate := mantissa << min(exp, 46)
		t.Entries = append(t.Entries, MaxBitrate{
			SSRC: binary.BigEndian.Uint32(b), Bitrate: rate, Overhead: uint16(word & 0x1ff),
		})
	}
	return nil
}

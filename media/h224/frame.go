package h224

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Client is who a frame is for.
type Client uint8

// Clients.
const (
	Management    Client = 0x00
	CameraControl Client = 0x01
	extended      Client = 0x7e
	nonStandard   Client = 0x7f
)

// Frame is one frame of H.224.
type Frame struct {
	High                bool // priority
	Destination, Source uint16
	Client              Client
	// Whole: the frame holds a message from beginning to end. Others are not put
	// together: no message of ours is that long.
	Whole bool
	Data  []byte
}

const (
	frameHeader = 9
	maxData     = 254

	addressLow  = 0x0061 // DLCI 6
	addressHigh = 0x0071 // DLCI 7
	unnumbered  = 0x03
	wholeFlags  = 0xc0 // ES and BS
)

// ErrFrame is wrapped by what is no frame.
var ErrFrame = errors.New("h224: not a frame")

// Marshal writes the frame.
func (f *Frame) Marshal() ([]byte, error) {
	if len(f.Data) > maxData {
		return nil, fmt.Errorf("h224: %d octets of data", len(f.Data))
	}
	address := uint16(addressLow)
	if f.High {
		address = addressHigh
	}
	out := binary.BigEndian.AppendUint16(make([]byte, 0, frameHeader+len(f.Data)), address)
	out = append(out, unnumbered)
	out = binary.BigEndian.AppendUint16(out, f.Destination)
	out = binary.BigEndian.AppendUint16(out, f.Source)
	flags := byte(0)
	if f.Whole {
		flags = wholeFlags
	}
	return append(append(out, byte(f.Client), flags), f.Data...), nil
}

// ParseFrame reads a frame; Data aliases what is given. Only standard clients are
// read: of the others the data is not ours.
func ParseFrame(data []byte) (*Frame, error) {
	if len(data) < frameHeader {
		return nil, fmt.Errorf("%w: %d octets", ErrFrame, len(data))
	}
	address := binary.BigEndian.Uint16(data)
	f := &Frame{
		High:        address&0xfcf0 == addressHigh&0xfcf0,
		Destination: binary.BigEndian.Uint16(data[3:]), Source: binary.BigEndian.Uint16(data[5:]),
		Client: Client(data[7] & 0x7f),
	}
	switch {
	case !f.High && address&0xfcf0 != addressLow&0xfcf0:
		return nil, fmt.Errorf("%w: address %04x", ErrFrame, address)
	case data[2] != unnumbered:
		return nil, fmt.Errorf("%w: control %02x", ErrFrame, data[2])
	case f.Client == extended || f.Client == nonStandard:
		return f, nil
	}
	f.Whole = data[8]&wholeFlags == wholeFlags
	f.Data = data[frameHeader:]
	return f, nil
}

package h224

import (
	"fmt"
	"time"
)

// Motion is where a camera goes: -1, 0 or 1 on each axis.
type Motion struct {
	Pan   int // 1 is to the right
	Tilt  int // 1 is up
	Zoom  int // 1 is in
	Focus int // 1 is in
}

// Moving reports whether any axis moves.
func (m Motion) Moving() bool { return m != Motion{} }

func (m Motion) octet() (b byte) {
	for i, axis := range []int{m.Pan, m.Tilt, m.Zoom, m.Focus} {
		shift := 6 - 2*i
		switch {
		case axis > 0:
			b |= 3 << shift
		case axis < 0:
			b |= 2 << shift
		}
	}
	return b
}

func motionOf(b byte) (m Motion) {
	for i, axis := range []*int{&m.Pan, &m.Tilt, &m.Zoom, &m.Focus} {
		switch b >> (6 - 2*i) & 3 {
		case 3:
			*axis = 1
		case 2:
			*axis = -1
		}
	}
	return m
}

// Kind of a message of H.281, as its first octet.
type Kind uint8

// Kinds.
const (
	Start          Kind = 1
	Continue       Kind = 2
	Stop           Kind = 3
	SelectSource   Kind = 4
	SourceSwitched Kind = 5
	StorePreset    Kind = 6
	ActivatePreset Kind = 7
)

// Message is one message of H.281. Only the fields of its kind are set.
type Message struct {
	Kind   Kind
	Motion Motion // of Start, Continue, Stop
	// Timeout of Start: how long the motion goes on without a Continue, in steps of
	// 50 ms up to 800 ms.
	Timeout time.Duration
	Number  uint8 // of the source or the preset, 0 to 15
	Mode    uint8 // of the source: 0 as it is, 1 motion, 2 and 3 still pictures
}

const (
	timeoutStep = 50 * time.Millisecond
	maxTimeout  = 16 * timeoutStep
)

// Marshal writes the message.
func (m *Message) Marshal() []byte {
	switch m.Kind {
	case Start:
		steps := min(max(m.Timeout, timeoutStep), maxTimeout) / timeoutStep
		return []byte{byte(m.Kind), m.Motion.octet(), byte(steps) & 0x0f}
	case Continue, Stop:
		return []byte{byte(m.Kind), m.Motion.octet()}
	case SelectSource, SourceSwitched:
		return []byte{byte(m.Kind), m.Number<<4 | m.Mode&3}
	}
	return []byte{byte(m.Kind), m.Number << 4}
}

// ParseMessage reads a message of H.281.
func ParseMessage(data []byte) (*Message, error) {
	if len(data) < 2 {
		return nil, fmt.Errorf("h281: %d octets", len(data))
	}
	m := &Message{Kind: Kind(data[0])}
	switch m.Kind {
	case Start:
		if len(data) < 3 {
			return nil, fmt.Errorf("h281: start of %d octets", len(data))
		}
		m.Motion, m.Timeout = motionOf(data[1]), time.Duration(data[2]&0x0f)*timeoutStep
		if m.Timeout == 0 {
			m.Timeout = maxTimeout
		}
	case Continue, Stop:
		m.Motion = motionOf(data[1])
	case SelectSource, SourceSwitched:
		m.Number, m.Mode = data[1]>>4, data[1]&3
	case StorePreset, ActivatePreset:
		m.Number = data[1] >> 4
	default:
		return nil, fmt.Errorf("h281: message %d", m.Kind)
	}
	return m, nil
}

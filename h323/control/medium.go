package control

import (
	"net/netip"

	"github.com/roomgate/roomgate/media"
)

// Medium is what stands of one role.
type Medium struct {
	// Stream holds direction and formats. Send.H264 holds the limits of the far side's
	// receiver, Recv.H264 those of the channel it opened. MaxSend is what the far
	// side's capability allows. Keypad: SendEvents is agreed.
	Stream media.Stream
	// Receive lists what the far side may send, by payload type.
	Receive []media.Format
	// SendEvents and RecvEvents are the telephone-event payloads of either direction;
	// the zero value means none.
	SendEvents, RecvEvents Events

	// RTP and RTCP are where to send. RTP is invalid while the far side does not receive
	// from us, or receives at an address that its traversal parameters tell.
	RTP, RTCP netip.AddrPort

	// SendChannel and RecvChannel are the logical channels; their Number is zero when
	// there is none.
	SendChannel, RecvChannel Channel
	// Held is what flow control holds what we send to, in bit/s (flowControlCommand,
	// logicalChannelRateRequest); zero: to nothing.
	Held int
	// SendKey and RecvKey protect either direction; nil in clear.
	SendKey, RecvKey *Key
	// Muted: the far side says that it sends nothing for now.
	Muted bool
}

// Events is a telephone-event payload (RFC 4733).
type Events struct {
	PayloadType uint8
	ClockRate   uint32 // zero: none
}

// Encryption is "h235" where every direction that stands is protected.
func (m *Medium) encryption() string {
	sends, receives := m.SendChannel.Number != 0, m.RecvChannel.Number != 0
	switch {
	case !sends && !receives, sends && m.SendKey == nil, receives && m.RecvKey == nil:
		return "none"
	}
	return "h235"
}

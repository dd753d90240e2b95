package rtpconn

import (
	"bytes"
	"fmt"

	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// H235 is media encryption of H.323 terminals (H.235.6). Each direction has keys of its
// own; RTCP is in the clear.
type H235 struct {
	// Send encrypts what we send; nil sends in the clear.
	Send secure.PayloadKey
	// Receive decrypts, by payload type: a new key comes with a new one, and packets of
	// the old are on their way then. While there is any key, media in the clear is
	// refused; telephone events are taken either way, since products differ.
	Receive map[uint8]secure.PayloadKey
}

func (h *H235) validate() error {
	if h.Send == nil && len(h.Receive) == 0 {
		return fmt.Errorf("%w: h.235 without a key", ErrSecurity)
	}
	if h.Send != nil {
		if err := h.Send.Validate(); err != nil {
			return fmt.Errorf("%w: send: %w", ErrSecurity, err)
		}
	}
	for pt, k := range h.Receive {
		if err := k.Validate(); err != nil || pt > 127 {
			return fmt.Errorf("%w: receive payload type %d: %w", ErrSecurity, pt, err)
		}
	}
	return nil
}

// payloads decrypts what the far side sends.
type payloads struct {
	by [128]*secure.Payload
	// events decrypts payload types without a key of their own: one of those above.
	events *secure.Payload
}

// newPayloads keeps the ciphers whose keys have not changed.
func newPayloads(h *H235, old *payloads) (*payloads, error) {
	if h == nil || len(h.Receive) == 0 {
		return nil, nil
	}
	p := new(payloads)
	for pt, key := range h.Receive {
		if old != nil && old.by[pt] != nil && bytes.Equal(old.by[pt].Key(), key) {
			p.by[pt] = old.by[pt]
		} else {
			var err error
			if p.by[pt], err = secure.NewPayload(key); err != nil {
				return nil, err
			}
		}
		p.events = p.by[pt]
	}
	return p, nil
}

// eventClear is the most a telephone event in the clear takes: an encrypted one is a
// whole block at least.
const eventClear = headerSize + 15

// open decrypts a packet into dst.
func (p *payloads) open(dst, wire []byte, event bool) ([]byte, error) {
	cipher := p.by[wire[1]&0x7f]
	switch {
	case cipher != nil:
	case !event:
		return nil, secure.ErrPayload
	case len(wire) <= eventClear:
		return wire, nil
	default:
		cipher = p.events
	}
	return cipher.Open(dst, wire)
}

// sealing makes what encrypts the stream we send, or keeps it.
func sealing(h *H235, old *secure.Payload) (*secure.Payload, error) {
	switch {
	case h == nil || h.Send == nil:
		return nil, nil
	case old != nil && bytes.Equal(old.Key(), h.Send):
		return old, nil
	}
	return secure.NewPayload(h.Send)
}

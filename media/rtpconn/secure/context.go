package secure

import (
	"errors"
	"fmt"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// ErrTooManySources is returned for packets of yet another SSRC under one key:
// each costs memory, and an honest far side has a few.
var ErrTooManySources = errors.New("too many sources under one key")

const (
	// replayWindow is wide enough for packets sent again on request.
	replayWindow = 1024
	maxSources   = 512
)

// Inbound opens what the far side protected. It keeps the roll-over counters
// and the replay windows of its key, and must be used by one goroutine at a
// time.
type Inbound struct {
	key     Key
	ctx     *srtp.Context
	sources map[uint32]struct{} // of RTCP; those of RTP are counted by the context
	media   int
}

// NewInbound makes a context that begins at roll-over counter 0 (RFC 4568
// §6.4).
func NewInbound(k Key) (*Inbound, error) {
	ctx, err := newContext(k, srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return nil, err
	}
	return &Inbound{key: k, ctx: ctx, sources: make(map[uint32]struct{})}, nil
}

// Key is the key of the context.
func (in *Inbound) Key() Key { return in.key }

// RTP opens an SRTP packet into dst, which must not share memory with wire. An
// error means that the packet is not authentic or was there before.
func (in *Inbound) RTP(dst, wire []byte, h *rtp.Header) ([]byte, error) {
	_, known := in.ctx.ROC(ssrcAt(wire, 8))
	if !known && in.media >= maxSources {
		return nil, ErrTooManySources
	}
	plain, err := in.ctx.DecryptRTP(dst, wire, h)
	if err == nil && !known {
		in.media++
	}
	return plain, err
}

// RTCP opens an SRTCP packet into dst.
func (in *Inbound) RTCP(dst, wire []byte) ([]byte, error) {
	ssrc := ssrcAt(wire, 4)
	_, known := in.sources[ssrc]
	if !known && len(in.sources) >= maxSources {
		return nil, ErrTooManySources
	}
	plain, err := in.ctx.DecryptRTCP(dst, wire, nil)
	if err == nil && !known {
		in.sources[ssrc] = struct{}{}
	}
	return plain, err
}

// ssrcAt reads an SSRC, or zero from a packet too short to hold one.
func ssrcAt(b []byte, at int) uint32 {
	if len(b) < at+4 {
		return 0
	}
	return uint32(b[at])<<24 | uint32(b[at+1])<<16 | uint32(b[at+2])<<8 | uint32(b[at+3])
}

// Outbound protects what we send. It must be used by one goroutine at a time.
type Outbound struct {
	key Key
	ctx *srtp.Context
}

// NewOutbound makes a context that begins at roll-over counter 0.
func NewOutbound(k Key) (*Outbound, error) {
	ctx, err := newContext(k)
	if err != nil {
		return nil, err
	}
	return &Outbound{key: k, ctx: ctx}, nil
}

// Key is the key of the context.
func (out *Outbound) Key() Key { return out.key }

// Overhead is the most octets that protection adds to a packet.
func (out *Outbound) Overhead() int { return overhead + len(out.key.MKI) }

// overhead is the tag of an AEAD suite and the index of SRTCP.
const overhead = 16 + 4

// RTP protects the packet in buf, in place; buf needs Overhead more capacity.
// h is scratch.
func (out *Outbound) RTP(buf []byte, h *rtp.Header) ([]byte, error) {
	return out.ctx.EncryptRTP(buf[:0], buf, h)
}

// RTCP protects the compound packet in buf, in place.
func (out *Outbound) RTCP(buf []byte) ([]byte, error) {
	return out.ctx.EncryptRTCP(buf[:0], buf, nil)
}

func newContext(k Key, opts ...srtp.ContextOption) (*srtp.Context, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	n, _, err := k.Suite.lengths()
	if err != nil {
		return nil, err
	}
	if len(k.MKI) > 0 {
		opts = append(opts, srtp.MasterKeyIndicator(k.MKI))
	}
	ctx, err := srtp.CreateContext(k.Master[:n], k.Master[n:], profiles[k.Suite], opts...)
	if err != nil {
		return nil, fmt.Errorf("srtp context for %s: %w", k.Suite, err)
	}
	return ctx, nil
}

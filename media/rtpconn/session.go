package rtpconn

import (
	"context"
	"errors"
	"net/netip"

	"github.com/roomgate/roomgate/media"
)

var (
	// ErrClosed is returned by a session that was closed.
	ErrClosed = errors.New("rtp session is closed")
	// ErrFormat is returned by Publish for a track the far side cannot take.
	ErrFormat = errors.New("format was not agreed on")
	// ErrNoEvents is returned by SendDigits when telephone events were not
	// agreed on.
	ErrNoEvents = errors.New("telephone events were not agreed on")
)

// Session is one medium of a leg, both directions. It is safe for concurrent
// use.
type Session struct{ cfg Config }

var _ media.Peer = (*Session)(nil)

// New binds the ports and starts to listen. What arrives before the first Apply
// is dropped.
func New(cfg Config) (*Session, error) { return &Session{cfg: cfg}, nil }

// LocalRTP is the address media is received on.
func (s *Session) LocalRTP() netip.AddrPort { return netip.AddrPort{} }

// LocalRTCP is where RTCP is received without rtcp-mux.
func (s *Session) LocalRTCP() netip.AddrPort { return netip.AddrPort{} }

// SSRC of what is sent. It changes only after a collision (RFC 3550 §8.2).
func (s *Session) SSRC() uint32 { return 0 }

// CNAME is the canonical name in our RTCP.
func (s *Session) CNAME() string { return "" }

// Apply puts negotiated parameters into force. On an error the old ones stay.
func (s *Session) Apply(p Params) error { return p.validate() }

// Tracks delivers a track for each codec the far side sends, as it opens; at
// most one is open at a time. It is closed by Close.
func (s *Session) Tracks() <-chan media.Track { return nil }

// Publish sends t in place of what was sent before. See media.Peer.
func (s *Session) Publish(ctx context.Context, t media.Track) (unpublish func(), err error) {
	return nil, ErrClosed
}

// Done is closed when the session was closed.
func (s *Session) Done() <-chan struct{} { return nil }

// RequestKeyframe asks the far side for a picture: by PLI where agreed, else by
// FIR, else by Config.KeyframeFallback. Requests are merged: three at once at
// the start, then one per 500 ms.
func (s *Session) RequestKeyframe() {}

// RequestBitrate asks the far side to send no more than bps, by TMMBR or REMB
// where agreed; zero lifts the bound. It reports whether the far side can be
// told.
func (s *Session) RequestBitrate(bps int) bool { return false }

// SendLimit is what the far side takes now, in bit/s, from negotiation, TMMBR
// and REMB; zero means no bound.
func (s *Session) SendLimit() int { return 0 }

// SendDigits sends digits (0-9 A-D * #) as telephone events, 100 ms each with
// 60 ms between; it returns when the last was sent.
func (s *Session) SendDigits(ctx context.Context, digits string) error { return ErrNoEvents }

// Stats are the counters of both directions.
func (s *Session) Stats() []media.StreamStats { return nil }

// Counters tell why packets were dropped.
func (s *Session) Counters() Counters { return Counters{} }

// Close says BYE, ends the tracks, waits for the session's goroutines, and
// gives the ports back to the pool; idempotent.
func (s *Session) Close() error { return nil }

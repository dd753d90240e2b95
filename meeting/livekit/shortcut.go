package livekit

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// shortcut takes the media that comes on a connection from the socket's reader to the track,
// without waking a goroutine:
//
//	reader ─ ICE agent ─ demultiplexer ─ SRTP session ─ track's reader ─┐
//	   └──────────────────── shortcut ──────────────────────────────────┴─ track
//
// The long way, pion's, has a buffer and a goroutine at each step, which cost more than all
// else that is done with a packet of sound. It stays in use for whatever the shortcut does not
// know: RTCP, the first packets of a stream, and everything where the keys could not be
// learned. What comes both ways is delivered once.
type shortcut struct {
	mu         sync.Mutex // never held while a packet is delivered
	handshakes handshakes
	context    *srtp.Context // nil until the keys are known
	streams    map[uint32]*shortStream
	proved     bool // a packet did decrypt: the keys are right
	failed     int  // packets that did not, before

	taking sync.Mutex // held by who has a packet, over its delivery; taken before mu
	header rtp.Header
	plain  []byte
	long   time.Time // the last packet that went the long way too
}

// shortStream is a stream that takes the shortcut.
type shortStream struct {
	track *remoteTrack
	first uint16 // sequence number of what came the long way before
	began bool
}

// Bounds of the shortcut.
const (
	// patrol is how often a packet goes the long way too, so that the ICE agent sees the path
	// live; it would ask after the keepalive.
	patrol = keepalive * 5 / 6
	// mostFailed is after how many packets of which none decrypted the long way is taken for
	// all: the keys are others than was thought.
	mostFailed = 50
)

func newShortcut() *shortcut { return &shortcut{streams: make(map[uint32]*shortStream)} }

// Write takes a line of the key log.
func (c *shortcut) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.context = c.handshakes.context(line)
	c.handshakes = handshakes{}
	return len(line), nil
}

// open lets a track have the packets of its stream, of which one came the long way.
func (c *shortcut) open(t *remoteTrack, seq uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams[t.ssrc] = &shortStream{track: t, first: seq}
}

// close ends what open began, unless the stream is another track's by now.
func (c *shortcut) close(t *remoteTrack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[t.ssrc]; s != nil && s.track == t {
		delete(c.streams, t.ssrc)
	}
}

// take is offered each datagram of the connection first; it reports false for those that must
// go the long way.
func (c *shortcut) take(b []byte) bool {
	switch {
	case len(b) < 13:
		return false
	case b[0]>>6 == 2: // RFC 7983 §7: RTP or RTCP
		return (b[1] < 192 || b[1] > 223) && c.rtp(b, time.Now()) // RFC 5761 §4
	case b[0] == 22: // DTLS, a handshake
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.context == nil {
			c.handshakes.see(b)
		}
	}
	return false
}

func (c *shortcut) rtp(b []byte, now time.Time) bool {
	c.taking.Lock()
	defer c.taking.Unlock()
	track := c.decrypt(b)
	if track == nil {
		return false
	}
	track.deliver(c.plain, now)
	if now.Sub(c.long) < patrol {
		return true
	}
	c.long = now
	return false
}

// decrypt leaves a packet in plain; nil where it is none of a stream that is open, or was not
// sent by the SFU.
func (c *shortcut) decrypt(b []byte) *remoteTrack {
	c.mu.Lock()
	defer c.mu.Unlock()
	ssrc := binary.BigEndian.Uint32(b[8:])
	s := c.streams[ssrc]
	if s == nil || c.context == nil {
		return nil
	}
	if !s.began {
		s.begin(c.context, binary.BigEndian.Uint16(b[2:]))
	}
	plain, err := c.context.DecryptRTP(c.plain[:0], b, &c.header)
	if err != nil {
		if c.failed++; c.failed == mostFailed && !c.proved {
			c.context = nil
		}
		return nil
	}
	c.plain, c.proved = plain, true
	return s.track
}

// begin tells the cipher how often the sequence number has begun anew. The SFU began with
// zero, and the first packet came the long way (RFC 3711 §3.3.1).
func (s *shortStream) begin(c *srtp.Context, seq uint16) {
	s.began = true
	ssrc := s.track.ssrc
	if _, known := c.ROC(ssrc); !known && int16(seq-s.first) > 0 && seq < s.first {
		c.SetROC(ssrc, 1)
	}
}

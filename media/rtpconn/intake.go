package rtpconn

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/event"
)

// intake is what the reception of one packet after another works with.
type intake struct {
	plain   [maxDatagram]byte // an opened SRTP, SRTCP or H.235.6 packet
	header  rtp.Header        // scratch of the decryption
	packet  rtp.Packet
	track   *track
	opened  int // tracks so far
	changes float64
	changed time.Time
	keys    event.Receiver
	fir     uint8 // the number of the far side's last FIR
	firAt   time.Time
}

// Codec changes are bounded: each opens a track.
const (
	changeBurst = 8
	changePause = time.Second
)

// receive tells apart what shares a port (RFC 7983 §7, RFC 5761 §4).
func (s *Session) receive(b []byte, from netip.AddrPort) {
	if s.cfg.Impair != nil && !s.cfg.Impair(false, len(b)) {
		return
	}
	now := s.clock.Now()
	switch {
	case len(b) == 0:
		s.tally.keepAlive.Add(1)
		s.pinged(from, now)
	case b[0] < 4:
		s.tally.stun.Add(1)
	case b[0] >= 20 && b[0] < 64:
		s.receiveDTLS(b, from, now)
	case b[0]>>6 != 2 || len(b) < 8:
		s.tally.malformed.Add(1)
	case b[1] >= 192 && b[1] < 224:
		s.receiveRTCP(b, from, now)
	default:
		s.receiveRTP(b, from, now)
	}
}

func (s *Session) receiveDTLS(b []byte, from netip.AddrPort, now time.Time) {
	a := s.handshake.Load()
	switch {
	case a == nil:
		s.tally.malformed.Add(1)
	case !s.route.greeted(from, now):
		s.tally.stranger.Add(1)
	default:
		a.Push(b)
	}
}

func (s *Session) receiveRTP(b []byte, from netip.AddrPort, now time.Time) {
	agreed, ring := s.agreed.Load(), s.keys.Load()
	switch {
	case len(b) < headerSize:
		s.tally.malformed.Add(1)
		return
	case agreed == nil || ring.needed && ring.now == nil:
		s.tally.early.Add(1)
		return
	case !s.route.admits(from, now):
		s.tally.stranger.Add(1)
		return
	case len(b) == headerSize && agreed.Traversal.Serves:
		s.tally.keepAlive.Add(1)
		s.pinged(from, now)
		return
	}
	kind := agreed.kinds[b[1]&0x7f]
	if kind == kindNone {
		s.tally.unnegotiated.Add(1)
		return
	}
	s.gate.Lock()
	defer s.gate.Unlock()
	p, err := s.intake.open(ring, b, kind.event, now)
	if err != nil {
		s.countRefused(err)
		return
	}
	s.accept(agreed, kind, p, from, now)
}

// countRefused counts a packet that could not be opened.
func (s *Session) countRefused(err error) {
	if errors.Is(err, errUnauthentic) {
		s.tally.unauthentic.Add(1)
	} else {
		s.tally.malformed.Add(1)
	}
}

var errUnauthentic = errors.New("not authentic, or there before")

// open authenticates and parses a packet. The result is valid until the next.
func (in *intake) open(ring *keyring, b []byte, event bool, now time.Time) (*rtp.Packet, error) {
	switch {
	case ring.payloads != nil:
		plain, err := ring.payloads.open(in.plain[:0], b, event)
		if err != nil {
			return nil, errUnauthentic
		}
		b = plain
	case ring.needed:
		plain, err := ring.now.RTP(in.plain[:0], b, &in.header)
		if err != nil && ring.former != nil && now.Before(ring.until) {
			plain, err = ring.former.RTP(in.plain[:0], b, &in.header)
		}
		if err != nil {
			return nil, errUnauthentic
		}
		b = plain
	}
	if err := in.packet.Unmarshal(b); err != nil {
		return nil, fmt.Errorf("rtp: %w", err)
	}
	return &in.packet, nil
}

// accept takes an authentic, well-formed packet of an agreed payload type.
func (s *Session) accept(agreed *agreement, k kind, p *rtp.Packet, from netip.AddrPort, now time.Time) {
	if moved := s.route.confirm(from, now); moved.IsValid() {
		s.emit(Event{Kind: Latched, Source: moved})
	}
	s.alive(now)
	if left, changed := s.out.collide(p.SSRC, from); changed {
		s.sayGoodbyeFor(left)
	}
	rate := agreed.rate(k)
	verdict, first := s.in.admit(p, rate, now)
	switch {
	case verdict == refuse:
		s.tally.duplicate.Add(1)
		return
	case !agreed.Direction.Receives():
		s.tally.unwanted.Add(1)
		return
	case verdict == replace:
		s.tally.sourceChanges.Add(1)
		s.intake.keys.Reset()
		s.hand(agreed, agreed.kinds[first.PayloadType&0x7f], first, now)
	}
	s.hand(agreed, k, p, now)
}

// hand gives a packet to where its payload type belongs.
func (s *Session) hand(agreed *agreement, k kind, p *rtp.Packet, now time.Time) {
	if k.event {
		digit, pressed, err := s.intake.keys.Push(p.Timestamp, p.Payload)
		switch {
		case err != nil:
			s.tally.malformed.Add(1)
		case pressed:
			s.emit(Event{Kind: Keypad, Digit: digit})
		}
		return
	}
	if k == kindNone || len(p.Payload) == 0 || !s.in.number(p, agreed.rate(k), now) {
		return
	}
	format := agreed.formats[k.format-1]
	mapExtensions(&p.Header, agreed.AudioLevel)
	if format.Codec.Is(string(media.ComfortNoise)) {
		if t := s.intake.track; t != nil {
			t.noise.write(p)
		}
		return
	}
	if t := s.trackFor(format, now); t != nil {
		t.packets.write(p)
	} else {
		s.tally.unwanted.Add(1)
	}
}

var kindNone = kind{}

// rate is the clock rate of a format, zero for what is none.
func (a *agreement) rate(k kind) uint32 {
	if k.format == 0 {
		return 0
	}
	return a.formats[k.format-1].ClockRate
}

// trackFor is the open track of a format; a change of codec ends the one before.
// It is nil while the codec changes too often or nobody takes the tracks.
func (s *Session) trackFor(f media.Format, now time.Time) *track {
	in := &s.intake
	if in.track != nil && in.track.format.Encodes(f) {
		return in.track
	}
	if in.changed.IsZero() {
		in.changes = changeBurst
	} else {
		in.changes = min(changeBurst, in.changes+now.Sub(in.changed).Seconds()/changePause.Seconds())
	}
	in.changed = now
	if in.changes < 1 {
		return nil
	}
	t := &track{
		session: s, id: fmt.Sprintf("%s-%d", s.cfg.Role, in.opened), format: f, done: make(chan struct{}),
	}
	select {
	case s.tracks <- t:
	default:
		return nil
	}
	in.changes--
	in.opened++
	in.endTrack()
	in.track = t
	s.in.setCodec(f.Codec)
	return t
}

func (in *intake) endTrack() {
	if in.track != nil {
		in.track.end()
		in.track = nil
	}
}

// mapExtensions leaves the audio level under the name it has between stages,
// and nothing else.
func mapExtensions(h *rtp.Header, audioLevel uint8) {
	if !h.Extension {
		return
	}
	var level []byte
	if audioLevel != 0 {
		level = h.GetExtension(audioLevel)
	}
	h.Extension, h.Extensions = false, h.Extensions[:0]
	if len(level) == 1 {
		// One octet always fits the one-byte form.
		_ = h.SetExtension(media.AudioLevelID, level)
	}
}

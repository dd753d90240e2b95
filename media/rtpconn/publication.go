package rtpconn

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/pace"
	"github.com/roomgate/roomgate/media/udp"
)

// datagrams are the buffers packets are written into.
var datagrams = sync.Pool{New: func() any { return new([maxDatagram]byte) }}

// publication is a track on its way to the far side.
type publication struct {
	session *Session
	track   media.Track
	format  media.Format
	audio   bool

	mu      sync.Mutex
	detach  func()
	removed bool

	pacing sync.Mutex
	pacer  *pace.Pacer // where the path is narrow
	timer  *time.Timer
	paces  atomic.Bool
}

// Publish sends t in place of what was sent before. Packets flow while the
// negotiated direction and send format allow it; a format that changes in a
// re-negotiation stops them until a track that fits is published. See
// media.Peer.
func (s *Session) Publish(ctx context.Context, t media.Track) (unpublish func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	pub := &publication{session: s, track: t, format: t.Format(), audio: s.cfg.Role == media.Audio}
	old, err := s.replace(pub)
	if err != nil {
		return nil, err
	}
	if old != nil {
		old.remove()
	}
	pub.attach()
	if limit := s.SendLimit(); limit > 0 {
		pub.limit(limit)
	}
	if !pub.audio {
		t.RequestKeyframe()
	}
	return func() {
		s.withdraw(pub)
		pub.remove()
	}, nil
}

// replace makes pub the one that is sent.
func (s *Session) replace(pub *publication) (old *publication, err error) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	select {
	case <-s.closing:
		return nil, ErrClosed
	default:
	}
	if f := s.out.format; f.Codec == "" || !pub.format.Encodes(f) {
		return nil, fmt.Errorf("%v towards a far side that takes %v: %w", pub.format, f, ErrFormat)
	}
	old, s.out.pub, s.out.broken = s.out.pub, pub, true
	return old, nil
}

func (s *Session) withdraw(pub *publication) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.pub == pub {
		s.out.pub = nil
	}
}

// published is the track that is sent now, nil when there is none.
func (s *Session) published() *publication {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.pub
}

func (pub *publication) attach() {
	detach := pub.track.Attach(pub)
	pub.mu.Lock()
	removed := pub.removed
	pub.detach = detach
	pub.mu.Unlock()
	if removed { // replaced meanwhile
		detach()
	}
}

// remove detaches from the track; idempotent.
func (pub *publication) remove() {
	pub.mu.Lock()
	detach := pub.detach
	pub.removed = true
	pub.mu.Unlock()
	if detach != nil {
		detach()
	}
	pub.pacing.Lock()
	defer pub.pacing.Unlock()
	if pub.timer != nil {
		pub.timer.Stop()
	}
}

// limit tells the source what the far side can take.
func (pub *publication) limit(bps int) {
	if t, ok := pub.track.(media.BitrateTaker); ok {
		t.TakeBitrate(bps)
	}
}

// WriteRTP sends one packet of the track; on narrow paths those of large pictures
// spread over time.
func (pub *publication) WriteRTP(p *rtp.Packet) error {
	narrow := int(pub.session.reach.narrow.Load())
	if pub.audio || narrow == 0 && !pub.paces.Load() {
		return pub.send(p)
	}
	pub.pacing.Lock()
	defer pub.pacing.Unlock()
	if narrow == 0 {
		pub.paces.Store(false)
		pub.pacer.Flush()
		return pub.send(p)
	}
	pub.paces.Store(true)
	if pub.pacer == nil {
		pub.timer = time.AfterFunc(time.Hour, pub.paced)
		pub.pacer = &pace.Pacer{Next: media.WriterFunc(pub.send), Arm: func(d time.Duration) { pub.timer.Reset(d) }}
	}
	pub.pacer.Rate(narrow)
	pub.pacer.Write(p, pub.session.clock.Now())
	return nil
}

// paced sends what had to wait.
func (pub *publication) paced() {
	pub.pacing.Lock()
	defer pub.pacing.Unlock()
	pub.pacer.Due(pub.session.clock.Now())
}

// send sends one packet now.
func (pub *publication) send(p *rtp.Packet) error {
	s := pub.session
	buf := datagrams.Get().(*[maxDatagram]byte)
	defer datagrams.Put(buf)
	wire, ok := s.out.packet(pub, p, buf[:], s.clock.Now())
	if !ok {
		s.tally.unsent.Add(1)
		return nil
	}
	conn, _ := s.ports.conns()
	if !pub.audio && !p.Marker { // the picture goes on
		conn = s.ports.following()
	}
	s.sendRTP(conn, wire)
	return nil
}

func (pub *publication) String() string {
	return fmt.Sprintf("%s -> rtp(%s)", pub.track.ID(), pub.format)
}

// sendRTP sends by an RTP socket; what the network refuses is counted.
func (s *Session) sendRTP(conn udp.Socket, wire []byte) {
	to := s.route.to.Load().rtp
	if !to.IsValid() {
		s.tally.unsent.Add(1)
		return
	}
	if err := s.transmit(conn, wire, to); err != nil {
		s.tally.unsent.Add(1)
	}
}

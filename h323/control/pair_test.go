package control

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// side is one of two sessions that talk to each other.
type side struct {
	*Session
	t        testing.TB
	name     string
	local    [roles]Transport
	refuse   [roles]bool
	out      []*h245.MultimediaSystemControlMessage
	sent     []*h245.MultimediaSystemControlMessage // all of it
	events   []Event
	onEvent  func(Event)
	lose     func(*h245.MultimediaSystemControlMessage) bool
	deadline time.Time
}

// seeded is a reproducible source of random octets.
type seeded struct{ r *rand.Rand }

func (s seeded) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.r.Uint32())
	}
	return len(p), nil
}

func newSide(t testing.TB, name string, host byte, cfg Config) *side {
	t.Helper()
	s := &side{t: t, name: name}
	for role := range s.local {
		ip := netip.AddrFrom4([4]byte{192, 0, 2, host})
		s.local[role] = Transport{netip.AddrPortFrom(ip, uint16(20000+4*role)), netip.AddrPortFrom(ip, uint16(20001+4*role))}
	}
	cfg.Send = func(m *h245.MultimediaSystemControlMessage) {
		s.sent = append(s.sent, m)
		if s.lose == nil || !s.lose(m) {
			s.out = append(s.out, m)
		}
	}
	cfg.Emit = func(e Event) {
		s.events = append(s.events, e)
		if s.onEvent != nil {
			s.onEvent(e)
		}
	}
	cfg.Local = func(r media.Role) (Transport, error) {
		if s.refuse[r] {
			return Transport{}, errors.New("no ports")
		}
		return s.local[r], nil
	}
	if cfg.Rand == nil {
		cfg.Rand = seeded{rand.New(rand.NewPCG(uint64(host), 1))}
	}
	session, err := New(cfg)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s.Session = session
	return s
}

// pair is a call between two sessions. Messages travel through PER, as they do on a wire.
type pair struct {
	t    testing.TB
	a, b *side
	now  time.Time
}

func newPair(t testing.TB, a, b Config) *pair {
	t.Helper()
	return &pair{t, newSide(t, "a", 1, a), newSide(t, "b", 2, b), time.Unix(1000, 0)}
}

// overWire encodes and decodes a message.
func overWire(t testing.TB, m *h245.MultimediaSystemControlMessage) *h245.MultimediaSystemControlMessage {
	t.Helper()
	data, err := m.Marshal()
	if err != nil {
		t.Fatalf("a message cannot be encoded: %v", err)
	}
	list, err := h245.Parse(data)
	if err != nil || len(list) != 1 {
		t.Fatalf("a message cannot be decoded: %v", err)
	}
	return list[0]
}

// settle carries messages until both are silent.
func (p *pair) settle() {
	p.t.Helper()
	for range 1000 {
		if len(p.a.out)+len(p.b.out) == 0 {
			return
		}
		a, b := p.a.out, p.b.out
		p.a.out, p.b.out = nil, nil
		for _, m := range a {
			p.b.Receive(p.now, overWire(p.t, m))
		}
		for _, m := range b {
			p.a.Receive(p.now, overWire(p.t, m))
		}
	}
	p.t.Fatal("the two never stop talking")
}

// start begins the conversation of both.
func (p *pair) start() *pair {
	p.t.Helper()
	p.a.Start(p.now)
	p.b.Start(p.now)
	p.settle()
	return p
}

// pass lets time pass in steps of what the sessions ask for.
func (p *pair) pass(d time.Duration) {
	p.t.Helper()
	end := p.now.Add(d)
	for {
		next := earliest(p.a.Next(), p.b.Next())
		if next.IsZero() || next.After(end) {
			break
		}
		if next.After(p.now) {
			p.now = next
		}
		p.a.Tick(p.now)
		p.b.Tick(p.now)
		p.settle()
	}
	p.now = end
}

// count tells how many events of a type there were.
func count[E Event](s *side) (n int) {
	for _, e := range s.events {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}

// last is the last event of a type.
func last[E Event](s *side) (found E, ok bool) {
	for _, e := range s.events {
		if e, is := e.(E); is {
			found, ok = e, true
		}
	}
	return found, ok
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func format(c media.Codec) media.Format {
	f := media.Format{Codec: c, ClockRate: 8000}
	switch c {
	case media.Opus:
		f.ClockRate, f.Channels, f.PayloadType = 48000, 2, 96
	case media.G7221:
		f.ClockRate, f.Bitrate, f.PayloadType = 16000, 32000, 115
	case media.H264:
		f.ClockRate, f.PayloadType = 90000, 97
		f.H264 = media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}
	case media.H263, media.H263Plus, media.H261:
		f.ClockRate, f.PayloadType = 90000, 98
		f.H263 = media.H263Format{QCIF: 1, CIF: 1}
	}
	return f
}

func formats(codecs ...media.Codec) (list []media.Format) {
	for _, c := range codecs {
		list = append(list, format(c))
	}
	return list
}

// everything is what the gateway can do.
func everything() media.Capabilities {
	return media.Capabilities{
		Audio: formats(media.Opus, media.G722, media.PCMA, media.PCMU),
		Video: formats(media.H264), Content: formats(media.H264),
		MaxVideo: 2_000_000, MaxContent: 1_000_000, Keypad: true,
	}
}

func TestCall(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
	for _, s := range []*side{p.a, p.b} {
		if n := count[Established](s); n != 1 {
			t.Errorf("%s: %d times established", s.name, n)
		}
		if f, failed := last[Failed](s); failed {
			t.Errorf("%s: %v", s.name, f.Err)
		}
	}
	am, ak := p.a.Master()
	bm, bk := p.b.Master()
	if !ak || !bk || am == bm {
		t.Errorf("masters: %v %v, %v %v", am, ak, bm, bk)
	}
	for _, s := range []*side{p.a, p.b} {
		other := p.a
		if s == p.a {
			other = p.b
		}
		for role, codec := range map[media.Role]media.Codec{media.Audio: media.Opus, media.Main: media.H264} {
			m := s.Medium(role)
			if m == nil {
				t.Fatalf("%s: no %s", s.name, role)
			}
			if m.Stream.Direction != media.SendRecv || m.Stream.Send.Codec != codec || m.Stream.Recv.Codec != codec {
				t.Errorf("%s: %+v", s.name, m.Stream)
			}
			if m.RTP != other.local[role].RTP || m.RTCP != other.local[role].RTCP {
				t.Errorf("%s: %s goes to %s, %s", s.name, role, m.RTP, m.RTCP)
			}
		}
		if m := s.Medium(media.Content); m != nil {
			t.Errorf("%s: content without a token: %+v", s.name, m)
		}
		main := s.Medium(media.Main).Stream
		if main.MaxSend != 2_000_000 || main.Send.H264.ProfileLevelID != 0x42e01f || main.Send.H264.PacketizationMode != 1 {
			t.Errorf("%s: %+v", s.name, main)
		}
		if a := s.Medium(media.Audio); !a.Stream.Keypad || a.SendEvents != (Events{101, 8000}) || a.RecvEvents != a.SendEvents {
			t.Errorf("%s: events %+v %+v", s.name, a.SendEvents, a.RecvEvents)
		}
	}
}

package rtpconn

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
)

// openMux makes a Mux on loopback that is closed with the test.
func openMux(t testing.TB, max int) *Mux {
	t.Helper()
	pool, err := testPool()
	require.NoError(t, err)
	pair, err := pool.Pair(loopback, portpool.Options{})
	require.NoError(t, err)
	m, err := NewMux(pair, max, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func shared(m *Mux) func(*Config) { return func(c *Config) { c.Mux, c.Pool = m, nil } }

// sendingID tells a session what its peer wants before each datagram.
func sendingID(t testing.TB, peer *Session) func(*Params) {
	t.Helper()
	id, ok := peer.MultiplexID()
	require.True(t, ok)
	return func(p *Params) { p.Traversal.SendID = &id }
}

// Many sessions share two sockets; each hears its own peer only.
func TestSessionsShareTwoSockets(t *testing.T) {
	const legs = 20
	m := openMux(t, legs)
	var flows sync.WaitGroup
	for i := range legs {
		terminal, _ := open(t)
		gateway, _ := open(t, shared(m))
		require.Equal(t, m.Addr(), gateway.LocalRTP())
		pt, pg := audioParams(gateway), audioParams(terminal)
		sendingID(t, gateway)(&pt)
		require.NoError(t, terminal.Apply(pt))
		require.NoError(t, gateway.Apply(pg))
		f, _, in := flow(t, terminal, gateway)
		_, _, back := flow(t, gateway, terminal)
		require.NotNil(t, back)
		flows.Add(1)
		go func() {
			defer flows.Done()
			for n := range uint16(50) {
				text := fmt.Sprint(i, "/", n)
				f.send(2+n, uint32(2+n)*160, text)
				if got := string(in.next(t).Payload); got != text {
					t.Errorf("leg %d heard %q, want %q", i, got, text)
					return
				}
			}
		}()
	}
	flows.Wait()
	require.Equal(t, legs, m.Sessions())
	require.Zero(t, m.Counters())
	_, err := New(Config{Mux: m, Local: loopback})
	require.ErrorIs(t, err, ErrMuxFull)
}

// Both sides may want an identifier.
func TestBothSidesMultiplexed(t *testing.T) {
	ma, mb := openMux(t, 4), openMux(t, 4)
	a, _ := open(t, shared(ma))
	b, _ := open(t, shared(mb))
	pa, pb := audioParams(b), audioParams(a)
	sendingID(t, b)(&pa)
	sendingID(t, a)(&pb)
	require.NoError(t, a.Apply(pa))
	require.NoError(t, b.Apply(pb))
	flow(t, a, b)
	flow(t, b, a)
	require.Zero(t, ma.Counters())
	require.Zero(t, mb.Counters())
}

func TestMultiplexIDs(t *testing.T) {
	m := openMux(t, 100)
	seen := map[uint32]bool{}
	for range 100 {
		s, err := m.join(netip.Addr{})
		require.NoError(t, err)
		require.Equal(t, uint32(1), s.id>>30, "never like RTP")
		require.False(t, seen[s.id])
		seen[s.id] = true
	}
}

// behind puts an identifier before a packet.
func behind(id uint32, b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, id), b...) }

func marshalRTP(t testing.TB, pt uint8, ssrc uint32, seq uint16, payload string) []byte {
	t.Helper()
	b, err := (&rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: pt, SSRC: ssrc, SequenceNumber: seq, Timestamp: uint32(seq) * 160,
	}, Payload: []byte(payload)}).Marshal()
	require.NoError(t, err)
	return b
}

func marshalReport(t testing.TB, ssrc uint32) []byte {
	t.Helper()
	b, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: ssrc}, rtcp.NewCNAMESourceDescription(ssrc, "x")})
	require.NoError(t, err)
	return b
}

// Polycom leaves the identifier out of RTCP. Two media of one host are told apart by
// their sources.
func TestDatagramsWithoutIdentifier(t *testing.T) {
	m := openMux(t, 4)
	var ids [2]uint32
	var sessions [2]*Session
	for i := range sessions {
		s, _ := open(t, shared(m))
		sessions[i] = s
		ids[i], _ = s.MultiplexID()
		p := audioParams(s)
		p.Remote = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), uint16(6000+10*i))
		require.NoError(t, s.Apply(p))
	}
	from := func(port int) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), uint16(port))
	}
	seen := func(i int) time.Time { return sessions[i].Stats()[0].LastSeen }
	// Signalled addresses are enough, for either.
	m.deliver(marshalReport(t, 100), from(6001))
	require.False(t, seen(0).IsZero())
	require.True(t, seen(1).IsZero())
	m.deliver(marshalRTP(t, 0, 7, 1, "plain"), from(6010))
	require.Equal(t, uint64(1), sessions[1].Stats()[0].Packets)
	// Behind a NAT nothing is where it was signalled: the SSRC tells.
	m.deliver(behind(ids[0], marshalRTP(t, 0, 5, 1, "one")), from(40001))
	m.deliver(marshalReport(t, 7), from(40002))
	require.False(t, seen(1).IsZero())
	require.Zero(t, m.Counters())
	// Neither tells: it is left.
	m.deliver(marshalReport(t, 4711), from(40002))
	m.deliver(marshalReport(t, 5), netip.MustParseAddrPort("127.0.0.10:6001"))
	m.deliver([]byte{}, from(40002))
	require.Equal(t, MuxCounters{Unplaced: 3}, m.Counters())
	// One with an identifier that is nobody's.
	m.deliver(behind(1<<30, marshalRTP(t, 0, 5, 2, "one")), from(40001))
	require.Equal(t, MuxCounters{Unplaced: 3, Unknown: 1}, m.Counters())
	// A session that was closed is nobody's any more.
	require.NoError(t, sessions[0].Close())
	m.deliver(behind(ids[0], marshalRTP(t, 0, 5, 3, "one")), from(40001))
	m.deliver(marshalReport(t, 5), from(6001))
	require.Equal(t, MuxCounters{Unplaced: 4, Unknown: 2}, m.Counters())
	require.Equal(t, 1, m.Sessions())
}

// A host that everything comes from without identifiers, with a single session, is
// heard whatever port it uses.
func TestOnlySessionOfAHost(t *testing.T) {
	m := openMux(t, 4)
	s, _ := open(t, shared(m), func(c *Config) { c.Latching = LatchAuto })
	p := audioParams(s)
	p.Remote = netip.MustParseAddrPort("127.0.0.9:6000")
	require.NoError(t, s.Apply(p))
	m.deliver(marshalRTP(t, 0, 7, 1, "plain"), netip.MustParseAddrPort("127.0.0.9:7000"))
	require.Equal(t, uint64(1), s.Stats()[0].Packets)
	require.Zero(t, m.Counters())
}

// Media goes back to where it comes from, wherever that is: the identifier vouches.
func TestMultiplexedMediaIsFollowed(t *testing.T) {
	m := openMux(t, 4)
	s, j := open(t, shared(m), func(c *Config) { c.Latching = LatchAuto })
	id, _ := s.MultiplexID()
	p := audioParams(s)
	p.Remote = netip.MustParseAddrPort("198.51.100.1:6000") // routable, and not where it comes from
	p.Traversal.Serves = true
	require.NoError(t, s.Apply(p))
	at := netip.MustParseAddrPort("127.0.0.9:40000")
	// A keep-alive is enough: a header of whatever payload type, and nothing else.
	m.deliver(behind(id, marshalRTP(t, 126, 1, 1, "")), at)
	require.Equal(t, at, s.route.to.Load().rtp)
	require.Equal(t, at, j.of(Latched)[0].Source)
	require.Equal(t, uint64(1), s.Counters().KeepAlive)
	require.Zero(t, s.Stats()[0].Packets)
	// It does not take over from media.
	m.deliver(behind(id, marshalRTP(t, 0, 7, 1, "audio")), at)
	m.deliver(behind(id, marshalRTP(t, 126, 1, 2, "")), netip.MustParseAddrPort("127.0.0.10:40000"))
	require.Equal(t, at, s.route.to.Load().rtp)
	require.Equal(t, uint64(1), s.Counters().Stranger)
}

// A Group 300 sends empty datagrams to keep its way open.
func TestEmptyDatagramShowsTheWay(t *testing.T) {
	for _, serves := range []bool{true, false} {
		s, _ := open(t, func(c *Config) { c.Latching = LatchAuto })
		p := audioParams(s)
		p.Remote = netip.MustParseAddrPort("192.168.77.5:6000")
		p.Signalling = netip.MustParseAddr("127.0.0.9")
		p.Traversal.Serves = serves
		require.NoError(t, s.Apply(p))
		at := netip.MustParseAddrPort("127.0.0.9:40000")
		s.receive(nil, at)
		if serves {
			require.Equal(t, at, s.route.to.Load().rtp)
		} else {
			require.Equal(t, p.Remote, s.route.to.Load().rtp)
		}
	}
}

// Three at once, then one per interval, all from one source and behind the identifier.
func TestOurKeepAlives(t *testing.T) {
	clock := newManualClock()
	s, _ := open(t, on(clock))
	h := newHost(t, s, "127.0.0.1")
	p := h.params(audioParams)
	id := uint32(0x12345678)
	p.Direction = media.RecvOnly
	p.Traversal = Traversal{SendID: &id, KeepAlive: KeepAlive{To: h.addr(), PayloadType: 126, Interval: 10 * time.Second}}
	require.NoError(t, s.Apply(p))
	next := func() *rtp.Packet {
		for {
			b := receive(t, h.in, "a keep-alive")
			require.Equal(t, id, binary.BigEndian.Uint32(b))
			if len(b) == prefix+headerSize {
				var p rtp.Packet
				require.NoError(t, p.Unmarshal(b[prefix:]))
				return &p
			}
		}
	}
	first := next()
	require.Equal(t, uint8(126), first.PayloadType)
	for i := range uint16(5) {
		if i < 2 {
			clock.advance(100 * time.Millisecond)
		} else {
			clock.advance(10 * time.Second)
		}
		p := next()
		require.Equal(t, first.SequenceNumber+1+i, p.SequenceNumber)
		require.Equal(t, first.SSRC, p.SSRC)
	}
	for _, k := range []KeepAlive{{To: h.addr(), PayloadType: 128, Interval: time.Second}, {To: h.addr(), Interval: time.Millisecond}} {
		p.Traversal.KeepAlive = k
		require.Error(t, s.Apply(p))
	}
}

func TestMuxClosed(t *testing.T) {
	m := openMux(t, 4)
	s, _ := open(t, shared(m))
	require.NoError(t, m.Close())
	_, err := New(Config{Mux: m, Local: loopback})
	require.ErrorIs(t, err, ErrMuxClosed)
	require.NoError(t, s.Close())
	require.NoError(t, m.Close())
}

func TestMuxDoesNotAllocate(t *testing.T) {
	const runs = 2000
	m := openMux(t, 4)
	s, _ := open(t, shared(m))
	h := newHost(t, s, "127.0.0.1")
	id, _ := s.MultiplexID()
	p := h.params(audioParams)
	p.Traversal.SendID = &id
	require.NoError(t, s.Apply(p))
	wires := make([][]byte, runs+10)
	for i := range wires {
		wires[i] = behind(id, marshalRTP(t, 0, 5, uint16(i), "0123456789"))
	}
	m.deliver(wires[0], h.addr())
	c := new(counter)
	receive(t, s.Tracks(), "a track").Attach(c)
	from, i := h.addr(), 1
	require.Zero(t, testing.AllocsPerRun(runs, func() {
		m.deliver(wires[i], from)
		i++
	}))
	require.Equal(t, runs+1, c.n)
	report := marshalReport(t, 5)
	for range 10 {
		m.deliver(report, from)
	}

	f := newFeed(pcmu)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	h.deaf.Store(true)
	packet := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 160)}
	require.Zero(t, allocs(1000, func() {
		packet.SequenceNumber++
		packet.Timestamp += 160
		f.out.write(packet)
	}))
}

// FuzzMux gives whatever it likes to a Mux with two sessions of one host.
func FuzzMux(f *testing.F) {
	m := openMux(f, 4)
	var ids [2]uint32
	var last *Session
	remote := netip.MustParseAddrPort("127.0.0.9:6000")
	for i := range ids {
		s, _ := open(f, shared(m))
		ids[i], _ = s.MultiplexID()
		p := audioParams(s)
		p.Remote = remote
		if err := s.Apply(p); err != nil {
			f.Fatal(err)
		}
		last = s
	}
	f.Add(false, behind(ids[0], marshalRTP(f, 0, 5, 1, "audio")))
	f.Add(false, marshalRTP(f, 0, 5, 2, "audio"))
	f.Add(true, marshalReport(f, 5))
	f.Add(true, []byte{0x40, 0, 0})
	f.Add(false, []byte{})
	seq := uint16(0)
	f.Fuzz(func(t *testing.T, known bool, b []byte) {
		from := remote
		if known {
			b = behind(ids[0], b)
			from = netip.MustParseAddrPort("127.0.0.9:7000")
		}
		m.deliver(append([]byte(nil), b...), from)
		before := last.Stats()[0].Packets
		for range 3 {
			seq++
			m.deliver(behind(ids[1], marshalRTP(t, 0, 4242, seq, "x")), remote)
		}
		if last.Stats()[0].Packets == before {
			t.Fatalf("deaf after %x", b)
		}
	})
}

func BenchmarkMux(b *testing.B) {
	m := openMux(b, 1000)
	var wires [][]byte
	host := netip.MustParseAddrPort("127.0.0.1:9")
	for i := range 200 {
		s, _ := open(b, shared(m))
		p := audioParams(s)
		p.Remote = netip.AddrPortFrom(host.Addr(), uint16(10000+2*i))
		require.NoError(b, s.Apply(p))
		id, _ := s.MultiplexID()
		wires = append(wires, behind(id, marshalRTP(b, 0, uint32(i), 1, "0123456789")))
	}
	b.ReportAllocs()
	for i := range b.N {
		w := wires[i%len(wires)]
		binary.BigEndian.PutUint16(w[prefix+2:], uint16(i/len(wires)))
		m.deliver(w, netip.AddrPortFrom(host.Addr(), uint16(10000+2*(i%len(wires)))))
	}
}

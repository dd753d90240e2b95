package udp

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// counted are Readers that count how often segments were sent together.
func counted(t *testing.T, fail error) (r *Readers, calls *atomic.Int32) {
	r, calls = readers(t), new(atomic.Int32)
	r.sendSegments = func(fd int, v6 bool, b []byte, size int, to netip.AddrPort, s *segments) error {
		calls.Add(1)
		if fail != nil {
			return fail
		}
		return sendSegments(fd, v6, b, size, to, s)
	}
	return r, calls
}

// looking runs f as a taker of r does: while a look is under way.
func looking(t *testing.T, r *Readers, at netip.Addr, f func()) {
	t.Helper()
	done := make(chan struct{})
	_, to := bind(t, r, at, func([]byte, netip.AddrPort) {
		f()
		close(done)
	})
	conn := listen(t, at)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err := conn.WriteToUDPAddrPort([]byte("look"), to)
	require.NoError(t, err)
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("no look")
	}
}

// far is a peer that takes datagrams one by one.
func far(t *testing.T, at netip.Addr) (conn *net.UDPConn, addr netip.AddrPort) {
	conn = listen(t, at)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn, conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// expect takes datagrams from conn and compares them with those sent.
func expect(t *testing.T, conn *net.UDPConn, from netip.AddrPort, sent [][]byte) {
	t.Helper()
	buf := make([]byte, 1<<16)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	for i, b := range sent {
		n, sender, err := conn.ReadFromUDPAddrPort(buf)
		require.NoError(t, err, "datagram %d", i)
		require.Equal(t, from, sender)
		require.True(t, bytes.Equal(b, buf[:n]), "datagram %d of %d: %d octets that begin with %x", i, len(sent), n, buf[:min(n, 4)])
	}
}

// datagram has its number and size all over it.
func datagram(n, size int) []byte {
	b := bytes.Repeat([]byte{byte(n), byte(n >> 8), byte(size)}, size/3+1)
	return b[:size]
}

// picture are datagrams of the sizes.
func picture(sizes ...int) (packets [][]byte) {
	for i, size := range sizes {
		packets = append(packets, datagram(i, size))
	}
	return packets
}

func run(n, size int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes
}

// write has datagrams written with more to follow, but the last.
func write(t *testing.T, s Socket, to netip.AddrPort, packets [][]byte) {
	for i, b := range packets {
		f := s.(More).WriteMore
		if i == len(packets)-1 {
			f = s.WriteToUDPAddrPort
		}
		if n, err := f(b, to); err != nil || n != len(b) {
			t.Errorf("datagram %d: %d, %v", i, n, err)
		}
	}
}

func TestPicturesComeAsTheyWereSent(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes []int
		calls int32 // for several at once
	}{
		{"equal, and a short one", append(run(5, 1194), 352), 1},
		{"the first is the longest", append([]int{1197}, append(run(4, 1194), 352)...), 2},
		{"growing", []int{10, 20, 30, 40}, 0},
		{"falling", []int{40, 30, 20, 10}, 2},
		{"an empty one", []int{12, 0, 12, 12}, 1},
		{"one", []int{1200}, 0},
		{"more than segments", run(130, 100), 3},
		{"more than the buffer", run(60, 1194), 3},
		{"larger than the buffer", []int{100, 100, 1 << 15, 40000, 100, 100}, 2},
	} {
		for _, at := range []netip.Addr{loopback, loopback6} {
			t.Run(c.name+" to "+at.String(), func(t *testing.T) {
				r, calls := counted(t, nil)
				s, from := bind(t, r, at, func([]byte, netip.AddrPort) {})
				conn, to := far(t, at)
				require.NoError(t, conn.SetReadBuffer(1<<20))
				packets := picture(c.sizes...)
				looking(t, r, at, func() { write(t, s, to, packets) })
				expect(t, conn, from, packets)
				require.Equal(t, c.calls, calls.Load())
			})
		}
	}
}

// Where datagrams cannot be sent together, they go one by one, from then on too.
func TestOneByOneWhereTogetherFails(t *testing.T) {
	for _, errno := range []error{unix.EIO, unix.EINVAL, unix.EOPNOTSUPP, unix.ENOPROTOOPT, unix.EMSGSIZE} {
		r, calls := counted(t, errno)
		s, from := bind(t, r, loopback, func([]byte, netip.AddrPort) {})
		conn, to := far(t, loopback)
		packets := picture(append(run(5, 1194), 352)...)
		for range 2 {
			looking(t, r, loopback, func() { write(t, s, to, packets) })
			expect(t, conn, from, packets)
		}
		require.Equal(t, int32(1), calls.Load(), "%v", errno)
	}
}

// What the network refuses at another time is lost, and told.
func TestWhatIsRefusedIsTold(t *testing.T) {
	r, calls := counted(t, unix.ENOBUFS)
	s, from := bind(t, r, loopback, func([]byte, netip.AddrPort) {})
	conn, to := far(t, loopback)
	r.beginLook() // nothing comes in that would begin one
	more := func(b []byte) error {
		_, err := s.(More).WriteMore(b, to)
		return err
	}
	for _, b := range picture(100, 100) {
		require.NoError(t, more(b))
	}
	_, err := s.WriteToUDPAddrPort(datagram(3, 100), to)
	require.ErrorIs(t, err, unix.ENOBUFS)
	for _, b := range picture(100, 100) {
		require.NoError(t, more(b))
	}
	r.endLook(new([Largest]byte))
	require.ErrorIs(t, more(datagram(4, 100)), unix.ENOBUFS)
	require.NoError(t, more(datagram(5, 100)), "told once")
	require.Equal(t, int32(2), calls.Load())
	expect(t, conn, from, [][]byte{datagram(4, 100), datagram(5, 100)})
}

func TestNothingIsHeldBeyondTheLook(t *testing.T) {
	for _, n := range []int{1, 2, 10} {
		r, _ := counted(t, nil)
		s, from := bind(t, r, loopback, func([]byte, netip.AddrPort) {})
		conn, to := far(t, loopback)
		packets := picture(run(n, 1000)...)
		looking(t, r, loopback, func() {
			for _, b := range packets {
				if _, err := s.(More).WriteMore(b, to); err != nil {
					t.Error(err)
				}
			}
		})
		expect(t, conn, from, packets)
	}
}

func TestNothingIsHeldWithoutALook(t *testing.T) {
	r, calls := counted(t, nil)
	s, from := bind(t, r, loopback, func([]byte, netip.AddrPort) {})
	conn, to := far(t, loopback)
	packets := picture(run(3, 1000)...)
	for _, b := range packets {
		_, err := s.(More).WriteMore(b, to)
		require.NoError(t, err)
		require.False(t, s.(*watched).outbox.holds.Load())
	}
	expect(t, conn, from, packets)
	require.Zero(t, calls.Load())
}

// A look at sockets that always have something does not hold what is sent for ever.
func TestALongLookHoldsNothingBack(t *testing.T) {
	r, _ := counted(t, nil)
	s, from := bind(t, r, loopback, func([]byte, netip.AddrPort) {})
	conn, to := far(t, loopback)
	var came atomic.Bool
	var once sync.Once
	packets := picture(1000, 1000)
	var again Socket
	ready := make(chan struct{})
	again, self := bind(t, r, loopback, func(b []byte, self netip.AddrPort) {
		<-ready
		once.Do(func() {
			for _, b := range packets {
				if _, err := s.(More).WriteMore(b, to); err != nil {
					t.Error(err)
				}
			}
		})
		if !came.Load() {
			_, _ = again.WriteToUDPAddrPort(b, self)
		}
	})
	close(ready)
	_, err := again.WriteToUDPAddrPort([]byte("again"), self)
	require.NoError(t, err)
	defer came.Store(true)
	expect(t, conn, from, packets)
}

func TestDestinationsAreKeptApart(t *testing.T) {
	r, calls := counted(t, nil)
	s, from := bind(t, r, loopback, func([]byte, netip.AddrPort) {})
	one, toOne := far(t, loopback)
	other, toOther := far(t, loopback)
	looking(t, r, loopback, func() {
		for i, to := range []netip.AddrPort{toOne, toOne, toOther, toOther, toOne} {
			if _, err := s.(More).WriteMore(datagram(i, 500), to); err != nil {
				t.Error(err)
			}
		}
	})
	expect(t, one, from, [][]byte{datagram(0, 500), datagram(1, 500), datagram(4, 500)})
	expect(t, other, from, [][]byte{datagram(2, 500), datagram(3, 500)})
	require.Equal(t, int32(2), calls.Load())
}

func TestWhatIsHeldLeavesBeforeClose(t *testing.T) {
	r, _ := counted(t, nil)
	s, from := bind(t, r, loopback, func([]byte, netip.AddrPort) {})
	conn, to := far(t, loopback)
	packets := picture(300, 300, 200)
	looking(t, r, loopback, func() {
		for _, b := range packets {
			if _, err := s.(More).WriteMore(b, to); err != nil {
				t.Error(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	expect(t, conn, from, packets)
	_, err := s.(More).WriteMore(packets[0], to)
	require.ErrorIs(t, err, net.ErrClosed)
}

// TestLooksKeepTheOrder writes from outside while looks begin and end.
func TestLooksKeepTheOrder(t *testing.T) {
	r, calls := counted(t, nil)
	s, _ := bind(t, r, loopback, func([]byte, netip.AddrPort) {})
	conn, to := far(t, loopback)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	defer wait.Wait()
	defer close(stop)
	for range 4 {
		looked := make(chan struct{}, 1)
		_, at := bind(t, r, loopback, func([]byte, netip.AddrPort) { looked <- struct{}{} })
		from := listen(t, loopback)
		wait.Go(func() {
			defer func() { _ = from.Close() }()
			for {
				_, _ = from.WriteToUDPAddrPort([]byte("look"), at)
				select {
				case <-looked:
				case <-stop:
					return
				}
			}
		})
	}
	buf := make([]byte, Largest)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	for n := uint32(0); n < 4000; {
		from := n
		for ; n < from+8; n++ {
			b := append(binary.BigEndian.AppendUint32(nil, n), make([]byte, 100-10*(n%8/6))...)
			f := s.(More).WriteMore
			if n%5 == 4 {
				f = s.WriteToUDPAddrPort
			}
			_, err := f(b, to)
			require.NoError(t, err)
		}
		for want := from; want < n; want++ {
			_, _, err := conn.ReadFromUDPAddrPort(buf)
			require.NoError(t, err)
			require.Equal(t, want, binary.BigEndian.Uint32(buf))
		}
	}
	require.NotZero(t, calls.Load())
}

func TestSendingTogetherDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("pools are not kept")
	}
	for _, at := range []netip.Addr{loopback, loopback6} {
		r := readers(t)
		s, _ := bind(t, r, at, func([]byte, netip.AddrPort) {})
		_, to := far(t, at)
		b := make([]byte, 1194)
		buf := new([Largest]byte)
		more := s.(More)
		allocations := testing.AllocsPerRun(200, func() {
			r.beginLook()
			for range 5 {
				if _, err := more.WriteMore(b, to); err != nil {
					t.Error(err)
				}
			}
			r.endLook(buf)
		})
		require.Zero(t, allocations)
	}
}

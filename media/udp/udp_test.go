package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	loopback  = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.MustParseAddr("::1")
)

// readers are Readers that are closed with the test.
func readers(t testing.TB) *Readers {
	t.Helper()
	r, err := NewReaders()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, r.Close())
		require.NoError(t, r.Close(), "idempotent")
	})
	return r
}

// bind opens a socket that r reads.
func bind(t testing.TB, r *Readers, at netip.Addr, take Taker) (Socket, netip.AddrPort) {
	t.Helper()
	conn := listen(t, at)
	s, err := r.Take(conn, take)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, s.LocalAddr().(*net.UDPAddr).AddrPort()
}

func listen(t testing.TB, at netip.Addr) *net.UDPConn {
	t.Helper()
	network := "udp4"
	if at.Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	require.NoError(t, err)
	return conn
}

// eachWay runs a test with Readers and with a goroutine for each socket.
func eachWay(t *testing.T, f func(t *testing.T, r *Readers)) {
	t.Run("together", func(t *testing.T) { f(t, readers(t)) })
	t.Run("alone", func(t *testing.T) { f(t, nil) })
}

const patience = 20 * time.Second

func TestDatagramsComeWhole(t *testing.T) {
	eachWay(t, func(t *testing.T, r *Readers) {
		for _, at := range []netip.Addr{loopback, loopback6} {
			type datagram struct {
				text string
				from netip.AddrPort
			}
			got := make(chan datagram, 8)
			_, to := bind(t, r, at, func(b []byte, from netip.AddrPort) { got <- datagram{string(b), from} })
			sender, from := bind(t, r, at, func([]byte, netip.AddrPort) {})
			for _, text := range []string{"sound", "", string(make([]byte, Largest-1))} {
				n, err := sender.WriteToUDPAddrPort([]byte(text), to)
				require.NoError(t, err)
				require.Equal(t, len(text), n)
				select {
				case d := <-got:
					require.Equal(t, text, d.text)
					require.Equal(t, from, d.from)
				case <-time.After(patience):
					t.Fatal("nothing came")
				}
			}
		}
	})
}

func TestAddressesOfTheOtherFamilyAreRefused(t *testing.T) {
	s, _ := bind(t, readers(t), loopback, func([]byte, netip.AddrPort) {})
	for _, to := range []string{"[::1]:9", "[fe80::1%1]:9"} {
		_, err := s.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort(to))
		require.ErrorIs(t, err, unix.EAFNOSUPPORT)
	}
	_, err := s.WriteToUDPAddrPort([]byte("x"), netip.AddrPort{})
	require.Error(t, err)
	_, err = s.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort("[::ffff:127.0.0.1]:9"))
	require.NoError(t, err, "IPv4 in the form of IPv6")
}

// TestEachSocketKeepsItsOrder floods many sockets from many goroutines, so that
// batches are shared out and both paces are used.
func TestEachSocketKeepsItsOrder(t *testing.T) {
	eachWay(t, func(t *testing.T, r *Readers) {
		const sockets, datagrams = 64, 200
		var inside [sockets]atomic.Int32
		var wait sync.WaitGroup
		for i := range sockets {
			wait.Add(1)
			var last uint32
			next := make(chan struct{}, 1)
			conn := listen(t, loopback)
			own := conn.LocalAddr().(*net.UDPAddr).AddrPort()
			_, to := bind(t, r, loopback, func(b []byte, from netip.AddrPort) {
				if from != own {
					return // meant for who had the port before
				}
				if inside[i].Add(1) != 1 {
					t.Error("two datagrams of a socket at once")
				}
				if n := binary.BigEndian.Uint32(b); n != last+1 {
					t.Errorf("socket %d: %d after %d", i, n, last)
				} else {
					last = n
				}
				inside[i].Add(-1)
				if last%8 == 0 {
					next <- struct{}{}
				}
			})
			go func() {
				defer wait.Done()
				defer func() { _ = conn.Close() }()
				for n := uint32(1); n <= datagrams; n++ {
					_, err := conn.WriteToUDPAddrPort(binary.BigEndian.AppendUint32(nil, n), to)
					if err != nil {
						t.Error(err)
						return
					}
					if n%8 != 0 {
						continue
					}
					select { // what the socket's buffer holds is not lost
					case <-next:
					case <-time.After(time.Minute):
						t.Errorf("socket %d: nothing more came after %d were sent", i, n)
						return
					}
				}
			}()
		}
		wait.Wait()
	})
}

// TestNothingComesAfterClose closes sockets while they are written to, and opens
// others in their slots.
func TestNothingComesAfterClose(t *testing.T) {
	eachWay(t, func(t *testing.T, r *Readers) {
		for range 100 {
			var closed atomic.Bool
			arrived := make(chan struct{}, 1)
			conn := listen(t, loopback)
			to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
			s, err := r.Take(conn, func([]byte, netip.AddrPort) {
				if closed.Load() {
					t.Error("a datagram after Close")
				}
				select {
				case arrived <- struct{}{}:
				default:
				}
			})
			require.NoError(t, err)
			stop := make(chan struct{})
			var wait sync.WaitGroup
			wait.Go(func() {
				from := listen(t, loopback)
				defer func() { _ = from.Close() }()
				for {
					select {
					case <-stop:
						return
					default:
						_, _ = from.WriteToUDPAddrPort([]byte("x"), to)
						_, _ = s.WriteToUDPAddrPort([]byte("y"), to)
					}
				}
			})
			select {
			case <-arrived:
			case <-time.After(patience):
				t.Error("nothing came")
			}
			require.NoError(t, s.Close())
			closed.Store(true)
			require.NoError(t, s.Close(), "idempotent")
			close(stop)
			wait.Wait()
			_, err = s.WriteToUDPAddrPort([]byte("x"), to)
			require.ErrorIs(t, err, net.ErrClosed)
		}
	})
}

func TestSocketOfClosedReadersCloses(t *testing.T) {
	r, err := NewReaders()
	require.NoError(t, err)
	conn := listen(t, loopback)
	s, err := r.Take(conn, func([]byte, netip.AddrPort) {})
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, s.Close())
}

func TestPaceFollowsWhatComes(t *testing.T) {
	var p pace
	now := time.Unix(1000, 0)
	step := func(taken int) bool {
		now = now.Add(paceWindow)
		p.taken += taken
		return p.busy(now)
	}
	require.False(t, step(1000), "before anything is known")
	require.True(t, step(paceBusy))
	require.True(t, step(paceBusy))
	require.False(t, step(paceBusy-1))
	now = now.Add(time.Minute)
	require.False(t, step(paceBusy), "much, but over a long time")
}

func TestReadingAndSendingDoNotAllocate(t *testing.T) {
	for _, at := range []netip.Addr{loopback, loopback6} {
		came := make(chan struct{})
		s, to := bind(t, readers(t), at, func([]byte, netip.AddrPort) { came <- struct{}{} })
		b := make([]byte, 172)
		require.Zero(t, testing.AllocsPerRun(200, func() {
			if _, err := s.WriteToUDPAddrPort(b, to); err != nil {
				t.Error(err)
			}
			<-came
		}))
	}
}

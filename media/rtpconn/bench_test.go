package rtpconn

import (
	"net"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// BenchmarkRelay sends packets of 172 octets from one socket through a relay to
// another, one at a time: through a bare loop over one socket, and through two
// sessions as a bridge does. Compare the ns/op of one run.
func BenchmarkRelay(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		mid, far, near := socket(b), socket(b), socket(b)
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, maxDatagram)
			to := far.LocalAddr().(*net.UDPAddr).AddrPort()
			for {
				n, _, err := mid.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				if _, err := mid.WriteToUDPAddrPort(buf[:n], to); err != nil {
					return
				}
			}
		}()
		pingThrough(b, near, far, mid.LocalAddr().(*net.UDPAddr), nil)
		mid.Close()
		<-done
	})
	for _, suite := range []secure.Suite{"", secure.AES128CM80, secure.AES128GCM} {
		name := "sessions plain"
		if suite != "" {
			name = "sessions " + string(suite)
		}
		b.Run(name, func(b *testing.B) {
			in, _ := open(b)
			out, _ := open(b)
			far, near := socket(b), socket(b)
			var crypto *secure.Outbound
			apply := func(s *Session, conn *net.UDPConn) {
				p := audioParams(s)
				p.Remote, p.Mux = conn.LocalAddr().(*net.UDPAddr).AddrPort(), true
				if suite != "" {
					k := newKey(b, suite)
					p.Security = Security{Send: &k, Receive: &k}
					if s == in {
						var err error
						crypto, err = secure.NewOutbound(k)
						require.NoError(b, err)
					}
				}
				require.NoError(b, s.Apply(p))
			}
			apply(in, near)
			apply(out, far)
			attached := make(chan struct{})
			go func() {
				defer close(attached)
				t := <-in.Tracks()
				_, err := out.Publish(b.Context(), t)
				if err != nil {
					b.Error(err)
				}
			}()
			target := net.UDPAddrFromAddrPort(in.LocalRTP())
			w := &wire{crypto: crypto}
			_, err := near.WriteToUDP(w.next(), target)
			require.NoError(b, err)
			<-attached
			pingThrough(b, near, far, target, w)
		})
	}
}

var silence [160]byte

// wire makes the packets of a stream.
type wire struct {
	crypto *secure.Outbound
	seq    uint16
	buf    [400]byte
	header rtp.Header
	scrap  rtp.Header
}

func (w *wire) next() []byte {
	w.seq++
	w.header = rtp.Header{Version: 2, SSRC: 5, SequenceNumber: w.seq, Timestamp: uint32(w.seq) * 160}
	n, err := rtp.MarshalPacketTo(w.buf[:], &w.header, silence[:])
	if err != nil {
		panic(err)
	}
	if w.crypto == nil {
		return w.buf[:n]
	}
	b, err := w.crypto.RTP(w.buf[:n], &w.scrap)
	if err != nil {
		panic(err)
	}
	return b
}

func pingThrough(b *testing.B, near, far *net.UDPConn, through *net.UDPAddr, w *wire) {
	b.Helper()
	if w == nil {
		w = new(wire)
	}
	buf := make([]byte, maxDatagram)
	to := through.AddrPort()
	b.ReportAllocs()
	for b.Loop() {
		if w.seq%1024 == 0 { // a lost packet must not hang the benchmark
			if err := far.SetReadDeadline(time.Now().Add(patience)); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := near.WriteToUDPAddrPort(w.next(), to); err != nil {
			b.Fatal(err)
		}
		for {
			n, _, err := far.ReadFromUDPAddrPort(buf)
			if err != nil {
				b.Fatal(err)
			}
			if n > 100 { // not a report
				break
			}
		}
	}
}

func socket(b *testing.B) *net.UDPConn {
	b.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback.AsSlice()})
	require.NoError(b, err)
	b.Cleanup(func() { conn.Close() })
	return conn
}

var _ media.Writer = (*publication)(nil)
